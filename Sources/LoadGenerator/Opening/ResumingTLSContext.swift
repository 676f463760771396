import CLibSSL
import NIOCore

/// What one client keeps of its TLS session for its next connection.
///
/// Lives on one event loop.
@safe final class TLSTicket {
    /// Owned; freed with this object.
    fileprivate(set) var session: OpaquePointer?

    init() {}

    fileprivate func keep(_ newer: OpaquePointer) {
        unsafe SSL_SESSION_free(session)
        unsafe session = newer
    }

    deinit { unsafe SSL_SESSION_free(session) }
}

/// TLS of clients that resume their sessions, by OpenSSL's libssl: swift-nio-ssl's client has no API for it (record 0034).
@safe final class ResumingTLSContext: Sendable {
    /// Owned; configured in `init` and only read afterwards, which libssl allows from any thread.
    private nonisolated(unsafe) let context: OpaquePointer
    private let host: String

    /// Reads the files that the parameters name.
    init(_ parameters: TLSParameters, host: String) throws(LoadError) {
        guard (parameters.certificateFile == nil) == (parameters.keyFile == nil) else {
            throw .parameters("--cert and --key belong together")
        }
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw .tls("OpenSSL makes no context") }
        unsafe self.context = context
        self.host = host
        let least = parameters.version == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        let greatest = parameters.version == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION
        unsafe CLibSSL_keep_no_sessions(context)
        guard unsafe CLibSSL_set_versions(context, least, greatest) == 1 else { throw .tls("OpenSSL does not speak this version of TLS") }
        unsafe SSL_CTX_set_verify(context, parameters.isInsecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
        if let file = parameters.authorityFile {
            guard unsafe SSL_CTX_load_verify_locations(context, file, nil) == 1 else { throw .parameters("cannot use \(file)") }
        } else {
            _ = unsafe SSL_CTX_set_default_verify_paths(context)
        }
        if let certificate = parameters.certificateFile, let key = parameters.keyFile {
            guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
                throw .parameters("cannot use \(certificate)")
            }
            guard unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else { throw .parameters("cannot use \(key)") }
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// Begins a connection, with the session of `ticket` when there is one.
    func makeHandler(ticket: TLSTicket?) throws(LoadError) -> ResumingTLSHandler {
        guard let ssl = unsafe SSL_new(context) else { throw .tls("OpenSSL makes no connection") }
        let handler = unsafe ResumingTLSHandler(owning: ssl, ticket: ticket)
        if SocketAddress.isAddress(host) {
            _ = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host)
        } else {
            _ = unsafe CLibSSL_set_server_name(ssl, host)
            _ = unsafe SSL_set1_host(ssl, host)
        }
        if let session = unsafe ticket?.session { _ = unsafe SSL_set_session(ssl, session) }
        return handler
    }
}

/// TLS between the socket and a client: bytes go through libssl's memory, and never wait for anything.
@safe final class ResumingTLSHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of plain text that one call of libssl gives: those of a TLS record.
    private static let recordBytesMax = 16_384

    /// Owned; freed in `deinit`, with both of its BIOs.
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer?
    private let outgoing: OpaquePointer?
    private let ticket: TLSTicket?
    private var isEstablished = false
    private var hasFailed = false
    /// Writes before the end of the handshake.
    private var waiting: [ByteBuffer] = []

    fileprivate init(owning ssl: OpaquePointer, ticket: TLSTicket?) {
        unsafe self.ssl = ssl
        unsafe incoming = BIO_new(BIO_s_mem())
        unsafe outgoing = BIO_new(BIO_s_mem())
        self.ticket = ticket
        unsafe SSL_set_bio(ssl, incoming, outgoing)
        unsafe SSL_set_connect_state(ssl)
    }

    deinit {
        // A session whose connection ended without a goodbye may be resumed all the same: as after a pulled plug.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
    }

    /// Whether this connection went on where an earlier one ended.
    var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    func channelActive(context: ChannelHandlerContext) {
        shakeHands(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        _ = unsafe buffer.withUnsafeReadableBytes { unsafe BIO_write(incoming, $0.baseAddress, Int32(clamping: $0.count)) }
        if !isEstablished { shakeHands(context) }
        guard isEstablished else { return }
        var plain = ByteBuffer()
        while true {
            let count = unsafe plain.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.recordBytesMax) { target in
                max(0, Int(unsafe SSL_read(ssl, target.baseAddress, Int32(clamping: target.count))))
            }
            guard count <= 0 else { continue }
            break
        }
        keepSession()
        sendOutgoing(context)
        if plain.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(plain)) }
        if unsafe SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 { context.close(promise: nil) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let buffer = unwrapOutboundIn(data)
        promise?.succeed(())
        guard isEstablished else { return waiting.append(buffer) }
        encrypt(buffer)
        sendOutgoing(context)
    }

    private func shakeHands(_ context: ChannelHandlerContext) {
        guard !hasFailed else { return }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            isEstablished = true
            for buffer in waiting { encrypt(buffer) }
            waiting = []
        } else if unsafe SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ {
            hasFailed = true
            context.fireErrorCaught(LoadError.tls("TLS failed: \(unsafe Self.reason(ssl))"))
        }
        sendOutgoing(context)
        if hasFailed { context.close(promise: nil) }
    }

    private func encrypt(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > 0 else { return }
        // Into memory, which takes all of it.
        _ = unsafe buffer.withUnsafeReadableBytes { unsafe SSL_write(ssl, $0.baseAddress, Int32(clamping: $0.count)) }
    }

    private func sendOutgoing(_ context: ChannelHandlerContext) {
        let pending = unsafe BIO_ctrl_pending(outgoing)
        guard pending > 0 else { return }
        var buffer = ByteBuffer()
        _ = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: pending) { target in
            max(0, Int(unsafe BIO_read(outgoing, target.baseAddress, Int32(clamping: target.count))))
        }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// The newest session that can be resumed: in TLS 1.3 its ticket comes after the handshake.
    private func keepSession() {
        guard let ticket, let session = unsafe SSL_get1_session(ssl) else { return }
        if unsafe SSL_SESSION_is_resumable(session) == 1, unsafe session != ticket.session {
            unsafe ticket.keep(session)
        } else {
            unsafe SSL_SESSION_free(session)
        }
    }

    /// Why the handshake failed, in libssl's words.
    private static func reason(_ ssl: OpaquePointer) -> String {
        let verification = unsafe SSL_get_verify_result(ssl)
        if verification != 0, let text = unsafe X509_verify_cert_error_string(verification) { return unsafe String(cString: text) }
        let code = ERR_get_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else {
            return "the server closed the connection during the handshake"
        }
        return unsafe String(cString: text)
    }
}
