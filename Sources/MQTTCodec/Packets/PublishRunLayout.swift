/// How many PUBLISH packets of one topic lie one behind the other, with nothing in them that is for the publisher only.
///
/// Such packets are at QoS 0, without RETAIN, without properties and with the shortest form of their length, so that they are what a
/// subscriber of the same version gets, byte by byte. A device that sends more than one message at a time sends such a run.
package struct PublishRunLayout: Equatable, Sendable {
    /// Bytes of all packets together.
    package private(set) var length = 0
    package private(set) var messages = 0
    package private(set) var payloadBytes = 0
    /// Bytes of the largest packet.
    package private(set) var largestPacket = 0

    /// PUBLISH at QoS 0, without flags.
    private static let firstByte = PacketType.publish.rawValue << 4

    /// Reads whole packets from the start of `bytes` until one is something else, is larger than `packetBytesMax`, or ends beyond
    /// `bytesMax`, which the first may do.
    ///
    /// `nil` when the first is something else: it is to be looked at by itself, and may be wrong.
    package init?(
        reading bytes: Span<UInt8>, topic: Span<UInt8>, version: ProtocolVersion, packetBytesMax: Int, bytesMax: Int = .max
    ) {
        guard let first = Head(reading: bytes, at: 0, topic: topic, version: version), first.packetLength <= packetBytesMax else { return nil }
        var head = first
        append(head)
        while length < bytesMax, length < bytes.count {
            // Mostly they are as long as each other: then their heads are the same bytes, and there is nothing else to read.
            if !bytes.hasSameBytes(from: length, as: bytes, from: length - head.packetLength, count: head.headLength) {
                guard let next = Head(reading: bytes, at: length, topic: topic, version: version), next.packetLength <= packetBytesMax else {
                    return
                }
                head = next
            }
            guard head.packetLength <= bytes.count - length, head.packetLength <= bytesMax - length else { return }
            append(head)
        }
    }

    private mutating func append(_ head: Head) {
        length += head.packetLength
        messages += 1
        payloadBytes += head.packetLength - head.headLength
        largestPacket = max(largestPacket, head.packetLength)
    }

    /// All of a packet in front of its payload.
    private struct Head {
        var headLength: Int
        var packetLength: Int

        /// `nil` when the packet is none for a run, or is not here whole.
        init?(reading bytes: Span<UInt8>, at start: Int, topic: Span<UInt8>, version: ProtocolVersion) {
            guard start < bytes.count, bytes[start] == PublishRunLayout.firstByte else { return nil }
            var position = start + 1
            guard let remainingLength = try? readVariableByteInteger(bytes, at: &position, end: bytes.count, in: .publish),
                remainingLength <= bytes.count - position
            else { return nil }
            packetLength = position - start + remainingLength
            headLength = position - start + 2 + topic.count + (version == .v5 ? 1 : 0)
            guard headLength <= packetLength, Int(bytes[position]) << 8 | Int(bytes[position + 1]) == topic.count,
                bytes.hasSameBytes(from: position + 2, as: topic, from: 0, count: topic.count)
            else { return nil }
            if version == .v5, bytes[start + headLength - 1] != 0 { return nil }  // it has properties
        }
    }
}
