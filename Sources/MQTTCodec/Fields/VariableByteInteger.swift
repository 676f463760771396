package import NIOCore

extension ByteBuffer {
    /// Writes an integer of 1 to 4 bytes, seven bits a byte, lowest first (MQTT 3.1.1 section 2.2.3, MQTT 5 section 1.5.5).
    ///
    /// Always the shortest form [MQTT5-1.5.5-1].
    package mutating func writeVariableByteInteger(_ value: Int) {
        precondition(value >= 0 && value <= 268_435_455, "a variable byte integer is at most 268,435,455")
        // One write for the whole length: every write of its own costs a check of the buffer's owner.
        let digits = UInt32(value)
        let (first, second, third, fourth) = (digits & 0x7F, digits >> 7 & 0x7F, digits >> 14 & 0x7F, digits >> 21)
        switch Self.variableByteIntegerBytes(value) {
        case 1: writeInteger(UInt8(first))
        case 2: writeInteger(UInt16((first | 0x80) << 8 | second))
        case 3:
            writeInteger(UInt16((first | 0x80) << 8 | second | 0x80))
            writeInteger(UInt8(third))
        default: writeInteger((first | 0x80) << 24 | (second | 0x80) << 16 | (third | 0x80) << 8 | fourth)
        }
    }

    /// How many bytes ``writeVariableByteInteger(_:)`` takes for `value`.
    package static func variableByteIntegerBytes(_ value: Int) -> Int {
        value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4
    }
}

/// Reads the variable byte integer at `position` and moves `position` behind it; nothing from `end` on is read.
///
/// Of MQTT 5: a form that is longer than it need be is refused [MQTT5-1.5.5-1].
func readVariableByteInteger(
    _ bytes: Span<UInt8>, at position: inout Int, end: Int, in type: PacketType
) throws(DecodeError) -> Int {
    var value = 0
    var shift = 0
    while position < end, position < bytes.count {
        let byte = bytes[position]
        position += 1
        value |= Int(byte & 0x7F) << shift
        if byte & 0x80 == 0 {
            if byte == 0 && shift > 0 { throw .integerNotMinimal(type) }
            return value
        }
        shift += 7
        if shift > 21 { throw .integerTooLong(type) }
    }
    throw .truncated(type)
}
