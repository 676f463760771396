import NIOCore

/// The first bytes of every control packet: type, flags, remaining length (MQTT 3.1.1 section 2.2, MQTT 5 section 2.1).
package struct FixedHeader: Equatable, Sendable {
    package var type: PacketType
    /// The low four bits of the first byte.
    package var flags: UInt8
    /// Bytes of this header: 2 to 5.
    package var headerLength: Int
    /// Bytes that follow the header.
    package var remainingLength: Int

    package var packetLength: Int { headerLength + remainingLength }

    /// Whether the remaining length takes no more bytes than it needs, as MQTT 5 asks [MQTT5-1.5.5-1].
    package var isMinimal: Bool { headerLength == 1 + ByteBuffer.variableByteIntegerBytes(remainingLength) }

    /// Reads the header that begins at `offset`; `nil` when more bytes are needed.
    ///
    /// Type and flags are checked as soon as the first byte is there, the size as soon as the length is, so that a hostile header is cut
    /// off before anything is kept for it: a whole packet of more than `packetBytesMax` bytes throws. A length that is encoded in more
    /// bytes than it needs is read as its value in MQTT 3.1.1, which does not forbid it, and refused in MQTT 5 [MQTT5-1.5.5-1]. Before
    /// CONNECT, when the version is not known yet, read as MQTT 3.1, which allows most: decoding CONNECT looks at its header again.
    package init?(
        reading bytes: Span<UInt8>, at offset: Int, packetBytesMax: Int, version: ProtocolVersion
    ) throws(DecodeError) {
        guard offset < bytes.count else { return nil }
        let first = bytes[offset]
        guard let type = PacketType(rawValue: first >> 4), type != .auth || version == .v5 else {
            throw .reservedPacketType(first >> 4)  // tables 2.1
        }
        let flags = first & 0x0F
        if let required = type.requiredFlags, flags != required, version != .v31 || !type.allowsInMQTT31(flags) {
            throw .reservedFlags(type, flags)  // [MQTT-2.2.2-1] [MQTT-2.2.2-2] [MQTT5-2.1.3-1]
        }
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
        if version == .v5 && headerLength > 2 && !isMinimal { throw .integerNotMinimal(type) }  // [MQTT5-1.5.5-1]
        if type != .publish { try checkLength(version) }
    }

    /// Whether a packet of this type can have this length at all.
    private func checkLength(_ version: ProtocolVersion) throws(DecodeError) {
        if let exact = type.exactRemainingLength(in: version), remainingLength != exact {
            throw remainingLength < exact ? .truncated(type) : .trailingBytes(type)
        }
        if version == .v5 && remainingLength < type.leastRemainingLength { throw .truncated(type) }
    }
}
