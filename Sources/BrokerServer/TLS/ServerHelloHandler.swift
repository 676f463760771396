import NIOCore

/// Stands before TLS and looks at what it answers first: the ServerHello names the cipher suite, for which the TLS library has no call.
///
/// It is never encrypted (RFC 5246 section 7.4.1.3, RFC 8446 section 4.1.3). Leaves the pipeline with the first bytes.
final class ServerHelloHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The suite's name in IANA's registry, or its number there; `nil` before the ServerHello.
    private(set) var cipherSuite: String?

    private var hasLooked = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if !hasLooked { cipherSuite = Self.cipherSuite(in: unwrapOutboundIn(data)) }
        hasLooked = true
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        // Not before: the flush that follows a write would be lost with the handler's place.
        if hasLooked { context.pipeline.syncOperations.removeHandler(self, promise: nil) }
    }

    /// `nil` where the bytes do not begin with a ServerHello, as an alert does not.
    static func cipherSuite(in bytes: ByteBuffer) -> String? {
        let start = bytes.readerIndex
        // The record's header, the message's header, the version, 32 bytes of random, and the session's identifier behind its length.
        guard bytes.getInteger(at: start, as: UInt8.self) == 22, bytes.getInteger(at: start + 5, as: UInt8.self) == 2,
            let length = bytes.getInteger(at: start + 43, as: UInt8.self),
            let number = bytes.getInteger(at: start + 44 + Int(length), as: UInt16.self)
        else { return nil }
        let digits = String(number, radix: 16, uppercase: true)
        return names[number] ?? "0x" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Those that BoringSSL has.
    private static let names: [UInt16: String] = [
        0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256",
        0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009D: "TLS_RSA_WITH_AES_256_GCM_SHA384",
        0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA", 0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
    ]
}
