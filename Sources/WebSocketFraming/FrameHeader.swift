package import NIOCore
package import NIOWebSocket

/// What stands before a frame's payload (RFC 6455, section 5.2).
package struct FrameHeader: Equatable, Sendable {
    /// Most bytes that a control frame carries.
    package static let controlBytesMax = 125

    package var isFinal: Bool
    package var opcode: WebSocketOpcode
    package var payloadLength: Int
    /// The four bytes that the payload is masked with, the first in the lowest eight bits.
    package var maskingKey: UInt32?

    package init(isFinal: Bool = true, opcode: WebSocketOpcode, payloadLength: Int, maskingKey: UInt32? = nil) {
        self.isFinal = isFinal
        self.opcode = opcode
        self.payloadLength = payloadLength
        self.maskingKey = maskingKey
    }

    /// Takes a header off the front of `buffer`; `nil` when it is not complete, and then nothing is taken.
    ///
    /// What the first two bytes show to be wrong is found on them.
    ///
    /// - Throws: what about the frame breaks the protocol, or that it has more than `payloadBytesMax` bytes.
    static func read(from buffer: inout ByteBuffer, payloadBytesMax: Int) throws(WebSocketViolation) -> FrameHeader? {
        var rest = buffer
        guard let first = rest.readInteger(as: UInt8.self), let second = rest.readInteger(as: UInt8.self) else { return nil }
        guard first & 0x70 == 0 else { throw .reservedBits }
        let isFinal = first & 0x80 != 0
        let opcode = try opcode(first & 0x0F)
        let shortLength = second & 0x7F
        if opcode.isControlOpcode {
            guard isFinal else { throw .controlFrameInFragments }
            guard shortLength <= controlBytesMax else { throw .controlFrameTooLong }
        }
        guard let length = try length(shortLength, &rest) else { return nil }
        guard length <= UInt64(max(0, payloadBytesMax)) else { throw .frameTooLarge(bytes: length, limit: payloadBytesMax) }
        var key: UInt32?
        if second & 0x80 != 0 {
            key = rest.readInteger(endianness: .little, as: UInt32.self)
            if key == nil { return nil }
        }
        buffer = rest
        return FrameHeader(isFinal: isFinal, opcode: opcode, payloadLength: Int(length), maskingKey: key)
    }

    private static func opcode(_ bits: UInt8) throws(WebSocketViolation) -> WebSocketOpcode {
        switch bits {
        case 0x0: .continuation
        case 0x1: .text
        case 0x2: .binary
        case 0x8: .connectionClose
        case 0x9: .ping
        case 0xA: .pong
        default: throw .reservedOpcode(bits)
        }
    }

    /// The payload's length, which the second byte holds or announces; `nil` when more bytes are needed.
    private static func length(_ short: UInt8, _ rest: inout ByteBuffer) throws(WebSocketViolation) -> UInt64? {
        switch short {
        case 126:
            guard let length = rest.readInteger(as: UInt16.self) else { return nil }
            guard length > 125 else { throw .lengthEncoding }
            return UInt64(length)
        case 127:
            guard let length = rest.readInteger(as: UInt64.self) else { return nil }
            guard length > UInt64(UInt16.max), length >> 63 == 0 else { throw .lengthEncoding }
            return length
        default: return UInt64(short)
        }
    }

    /// Appends the header in its shortest form.
    package func write(to buffer: inout ByteBuffer) {
        let mask: UInt8 = maskingKey == nil ? 0 : 0x80
        buffer.writeInteger((isFinal ? 0x80 : 0) | UInt8(webSocketOpcode: opcode))
        switch payloadLength {
        case ...125: buffer.writeInteger(mask | UInt8(clamping: payloadLength))
        case ...Int(UInt16.max): buffer.writeMultipleIntegers(mask | 126, UInt16(clamping: payloadLength))
        default: buffer.writeMultipleIntegers(mask | 127, UInt64(clamping: payloadLength))
        }
        if let maskingKey { buffer.writeInteger(maskingKey, endianness: .little) }
    }
}
