package import NIOCore

/// The first bytes of every control packet: type, flags, remaining length (MQTT 3.1.1 section 2.2).
package struct FixedHeader: Equatable, Sendable {
    package var type: PacketType
    /// The low four bits of the first byte.
    package var flags: UInt8
    /// Bytes of this header: 2 to 5.
    package var headerLength: Int
    /// Bytes that follow the header.
    package var remainingLength: Int

    package var packetLength: Int { headerLength + remainingLength }

    /// Reads the header that begins at `offset`; `nil` when more bytes are needed.
    ///
    /// Type and flags are checked as soon as the first byte is there, the size as soon as the length is, so that a hostile header is cut
    /// off before anything is kept for it: a whole packet of more than `packetBytesMax` bytes throws. A length that is encoded in more
    /// bytes than it needs is read as its value: MQTT 3.1.1, other than MQTT 5, does not forbid it.
    package init?(
        reading bytes: Span<UInt8>, at offset: Int, packetBytesMax: Int
    ) throws(DecodeError) {
        guard offset < bytes.count else { return nil }
        let first = bytes[offset]
        guard let type = PacketType(rawValue: first >> 4) else { throw .reservedPacketType(first >> 4) }  // table 2.1
        let flags = first & 0x0F
        if let required = type.requiredFlags, flags != required { throw .reservedFlags(type, flags) }  // [MQTT-2.2.2-1] [MQTT-2.2.2-2]
        var length = 0
        var index = offset + 1
        var shift = 0
        while true {
            guard index < bytes.count else { return nil }
            let byte = bytes[index]
            length |= Int(byte & 0x7F) << shift
            index += 1
            if byte & 0x80 == 0 { break }
            shift += 7
            if shift > 21 { throw .remainingLengthTooLong }
        }
        self.type = type
        self.flags = flags
        self.headerLength = index - offset
        self.remainingLength = length
        if packetLength > packetBytesMax { throw .packetTooLarge(bytes: packetLength, limit: packetBytesMax) }
        if let exact = type.exactRemainingLength, length != exact { throw length < exact ? .truncated(type) : .trailingBytes(type) }
    }
}

extension ByteBuffer {
    /// Writes a remaining length of 1 to 4 bytes.
    package mutating func writeRemainingLength(_ value: Int) {
        precondition(value >= 0 && value <= 268_435_455, "a packet body has at most 268,435,455 bytes")
        // One write for the whole length: every write of its own costs a check of the buffer's owner.
        let digits = UInt32(value)
        let (first, second, third, fourth) = (digits & 0x7F, digits >> 7 & 0x7F, digits >> 14 & 0x7F, digits >> 21)
        switch Self.remainingLengthBytes(value) {
        case 1: writeInteger(UInt8(first))
        case 2: writeInteger(UInt16((first | 0x80) << 8 | second))
        case 3:
            writeInteger(UInt16((first | 0x80) << 8 | second | 0x80))
            writeInteger(UInt8(third))
        default: writeInteger((first | 0x80) << 24 | (second | 0x80) << 16 | (third | 0x80) << 8 | fourth)
        }
    }

    /// How many bytes ``writeRemainingLength(_:)`` takes for `value`.
    package static func remainingLengthBytes(_ value: Int) -> Int {
        value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4
    }
}
