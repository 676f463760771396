package import NIOCore

extension ByteBuffer {
    /// Appends some packets of a run at QoS 1 or 2 with identifiers that follow each other from `firstPacketID` on, 0 left out.
    ///
    /// `packets` is what the layout was read from.
    package mutating func writePublishes(
        _ numbers: Range<Int>, of layout: PublishRunLayout, in packets: ByteBuffer, firstPacketID: UInt16
    ) {
        guard let last = numbers.last, numbers.lowerBound >= 0, last < layout.places.count else { return }
        let first = numbers.lowerBound == 0 ? 0 : layout.places[numbers.lowerBound - 1].end
        guard let part = packets.getSlice(at: packets.readerIndex + first, length: layout.places[last].end - first) else { return }
        let start = readableBytes - first
        writeImmutableBuffer(part)
        var bytes = mutableReadableBytesSpan
        var packetID = firstPacketID
        for number in numbers {
            bytes.storeBytes(of: packetID.bigEndian, toByteOffset: start + layout.places[number].identifier, as: UInt16.self)
            packetID = packetID == .max ? 1 : packetID + 1  // [MQTT-2.3.1-1] [MQTT5-2.2.1-3]
        }
    }

    /// Appends the PUBACK or PUBREC of each packet of a run at QoS 1 or 2, without reason code, which means success.
    package mutating func writeAcknowledgements(_ type: PacketType, of layout: PublishRunLayout, in packets: ByteBuffer) {
        let start = readableBytes
        writeRepeatingByte(0, count: 4 * layout.places.count)
        let received = packets.readableBytesUInt8Span
        var bytes = mutableReadableBytesSpan
        for number in layout.places.indices {
            let packet = UInt32(type.rawValue) << 28 | 2 << 16 | UInt32(layout.packetID(of: number, in: received))
            bytes.storeBytes(of: packet.bigEndian, toByteOffset: start + 4 * number, as: UInt32.self)
        }
    }
}
