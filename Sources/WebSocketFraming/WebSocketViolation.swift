/// What a peer did that ends a WebSocket connection.
///
/// Section numbers are those of RFC 6455.
package enum WebSocketViolation: Error, Equatable, Sendable {
    /// Clients mask every frame (5.1).
    case unmaskedFrame
    /// Servers mask none (5.1).
    case maskedFrame
    /// A reserved bit is set though no extension was agreed on (5.2).
    case reservedBits
    case reservedOpcode(UInt8)
    /// A length that fits a shorter field, or whose first bit is set (5.2).
    case lengthEncoding
    /// Control frames have 125 bytes at most (5.5).
    case controlFrameTooLong
    /// Control frames have no fragments (5.5).
    case controlFrameInFragments
    /// A continuation without a message that it continues (5.4).
    case nothingToContinue
    /// A new message before the last one has ended (5.4).
    case messageInterrupted
    case frameTooLarge(bytes: UInt64, limit: Int)
    /// A close frame with one byte, or with a status that no peer may send (5.5.1, 7.4).
    case closeStatus
    /// The reason in a close frame is not UTF-8.
    case closeReason
    /// MQTT travels in binary messages only [MQTT-6.0.0-1] [MQTT5-6.0.0-1].
    case textMessage

    /// The status of the close frame that answers it.
    package var status: CloseStatus {
        switch self {
        case .frameTooLarge: .messageTooBig
        case .closeReason: .invalidPayload
        case .textMessage: .unsupportedData
        default: .protocolError
        }
    }

    package var description: String {
        switch self {
        case .unmaskedFrame: "a frame of the client is not masked"
        case .maskedFrame: "a frame of the server is masked"
        case .reservedBits: "a frame has reserved bits set, and no extension was agreed on"
        case .reservedOpcode(let opcode): "a frame has the reserved opcode \(opcode)"
        case .lengthEncoding: "a frame's length is not in its shortest form"
        case .controlFrameTooLong: "a control frame has more than \(FrameHeader.controlBytesMax) bytes"
        case .controlFrameInFragments: "a control frame is fragmented"
        case .nothingToContinue: "a continuation frame continues no message"
        case .messageInterrupted: "a message begins before the last one has ended"
        case .frameTooLarge(let bytes, let limit): "a frame has \(bytes) bytes, more than \(limit) (packetBytesMax)"
        case .closeStatus: "a close frame has a status that must not be sent"
        case .closeReason: "the reason in a close frame is not UTF-8"
        case .textMessage: "a text message; MQTT is sent in binary messages"
        }
    }
}
