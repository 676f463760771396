package import NIOCore

/// The status in a close frame (RFC 6455, section 7.4).
package struct CloseStatus: Hashable, Sendable {
    package let code: UInt16

    package init(code: UInt16) { self.code = code }

    package static let normal = CloseStatus(code: 1_000)
    package static let goingAway = CloseStatus(code: 1_001)
    package static let protocolError = CloseStatus(code: 1_002)
    package static let unsupportedData = CloseStatus(code: 1_003)
    package static let invalidPayload = CloseStatus(code: 1_007)
    package static let policyViolation = CloseStatus(code: 1_008)
    package static let messageTooBig = CloseStatus(code: 1_009)

    /// Whether a peer may send it: neither reserved, nor for local use.
    var isSendable: Bool {
        switch code {
        case 1_000...1_003, 1_007...1_014, 3_000...4_999: true
        default: false
        }
    }

    /// The status in a close frame's payload; `nil` when the frame has none, which is allowed.
    package static func read(from payload: ByteBuffer) throws(WebSocketViolation) -> CloseStatus? {
        if payload.readableBytes == 0 { return nil }
        var payload = payload
        guard let code = payload.readInteger(as: UInt16.self), CloseStatus(code: code).isSendable else { throw .closeStatus }
        guard String(validating: payload.readableBytesView, as: UTF8.self) != nil else { throw .closeReason }
        return CloseStatus(code: code)
    }
}
