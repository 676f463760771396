/// How many PUBLISH packets of one topic lie one behind the other, with nothing in them that is for the publisher only.
///
/// Such packets are all at one QoS, without RETAIN and DUP, without properties and with the shortest form of their length: but for the
/// packet identifier they are what a subscriber of the same version gets, byte by byte. A device that sends more than one message at a
/// time sends such a run.
package struct PublishRunLayout: Equatable, Sendable {
    package let qos: QoS
    /// Bytes of all packets together.
    package private(set) var length = 0
    package private(set) var messages = 0
    package private(set) var payloadBytes = 0
    /// Bytes of the largest packet.
    package private(set) var largestPacket = 0
    /// At QoS 1 and 2: where each packet's identifier lies, and where the packet ends.
    package private(set) var places: [Place] = []

    package struct Place: Equatable, Sendable {
        package var identifier: Int
        package var end: Int
    }

    /// Whether a packet that begins with this byte may be one of a run.
    package static func mayBegin(with firstByte: UInt8) -> Bool { qos(of: firstByte) != nil }

    private static func qos(of firstByte: UInt8) -> QoS? {
        firstByte & 0b1111_1001 == PacketType.publish.rawValue << 4 ? QoS(rawValue: firstByte >> 1 & 0b11) : nil
    }

    /// The first packet of a run.
    package struct First {
        package let qos: QoS
        /// 0 at QoS 0.
        package let packetID: UInt16

        /// `nil` when the packet in front is none for a run, or not here whole: it is to be looked at by itself, and may be wrong.
        package init?(reading bytes: Span<UInt8>, topic: Span<UInt8>, version: ProtocolVersion, packetBytesMax: Int) {
            guard let firstByte = bytes.isEmpty ? nil : bytes[0], let qos = PublishRunLayout.qos(of: firstByte),
                let head = Head(reading: bytes, at: 0, qos: qos, topic: topic, version: version), head.packetLength <= packetBytesMax,
                head.isPlain(in: bytes, at: 0, version)
            else { return nil }
            self.qos = qos
            packetID = qos == .atMostOnce ? 0 : UInt16(bytes[head.identifier]) << 8 | UInt16(bytes[head.identifier + 1])
        }
    }

    /// Reads at most `messagesMax` whole packets from the start of `bytes` until one is something else, is larger than `packetBytesMax`, or
    /// ends beyond `bytesMax`, which the first may do.
    ///
    /// `nil` where ``First`` is.
    package init?(
        reading bytes: Span<UInt8>, topic: Span<UInt8>, version: ProtocolVersion, packetBytesMax: Int, bytesMax: Int = .max,
        messagesMax: Int = .max
    ) {
        guard let firstByte = bytes.isEmpty ? nil : bytes[0], let qos = Self.qos(of: firstByte) else { return nil }
        self.qos = qos
        guard let first = Head(reading: bytes, at: 0, qos: qos, topic: topic, version: version), first.packetLength <= packetBytesMax,
            first.isPlain(in: bytes, at: 0, version)
        else { return nil }
        var head = first
        append(head)
        while messages < messagesMax, length < bytesMax, length < bytes.count {
            // Mostly they are as long as each other: then what comes before their identifiers is the same, and there is little else to read.
            if !bytes.hasSameBytes(from: length, as: bytes, from: length - head.packetLength, count: head.identifier) {
                guard let next = Head(reading: bytes, at: length, qos: qos, topic: topic, version: version),
                    next.packetLength <= packetBytesMax
                else { return }
                head = next
            }
            guard head.packetLength <= bytes.count - length, head.packetLength <= bytesMax - length,
                head.isPlain(in: bytes, at: length, version)
            else { return }
            append(head)
        }
    }

    /// The packet identifier of one of the packets at QoS 1 or 2 in `packets`, which the layout was read from.
    package func packetID(of number: Int, in packets: Span<UInt8>) -> UInt16 {
        let place = places[number].identifier
        return UInt16(packets[place]) << 8 | UInt16(packets[place + 1])
    }

    /// Only the first `count` packets, at QoS 1 or 2.
    package mutating func keepFirst(_ count: Int, _ version: ProtocolVersion) {
        guard count < places.count else { return }
        places.removeLast(places.count - count)
        messages = count
        length = places.last?.end ?? 0
        let behindIdentifier = version == .v5 ? 3 : 2
        payloadBytes = places.reduce(0) { $0 + $1.end - $1.identifier - behindIdentifier }
    }

    private mutating func append(_ head: Head) {
        if qos != .atMostOnce { places.append(Place(identifier: length + head.identifier, end: length + head.packetLength)) }
        length += head.packetLength
        messages += 1
        payloadBytes += head.packetLength - head.length
        largestPacket = max(largestPacket, head.packetLength)
    }

    /// All of a packet in front of its payload.
    private struct Head {
        /// Where the packet identifier is, or would be.
        var identifier: Int
        var length: Int
        var packetLength: Int
        private let hasIdentifier: Bool

        /// `nil` when the packet is none for a run, or is not here whole.
        init?(reading bytes: Span<UInt8>, at start: Int, qos: QoS, topic: Span<UInt8>, version: ProtocolVersion) {
            guard start < bytes.count, PublishRunLayout.qos(of: bytes[start]) == qos else { return nil }
            var position = start + 1
            guard let remainingLength = try? readVariableByteInteger(bytes, at: &position, end: bytes.count, in: .publish),
                remainingLength <= bytes.count - position
            else { return nil }
            hasIdentifier = qos != .atMostOnce
            packetLength = position - start + remainingLength
            identifier = position - start + 2 + topic.count
            length = identifier + (hasIdentifier ? 2 : 0) + (version == .v5 ? 1 : 0)
            guard length <= packetLength, Int(bytes[position]) << 8 | Int(bytes[position + 1]) == topic.count,
                bytes.hasSameBytes(from: position + 2, as: topic, from: 0, count: topic.count)
            else { return nil }
        }

        /// Whether a packet that begins like this at `start` has a valid identifier [MQTT-2.3.1-1] [MQTT5-2.2.1-3] and no properties.
        func isPlain(in bytes: Span<UInt8>, at start: Int, _ version: ProtocolVersion) -> Bool {
            if hasIdentifier, bytes[start + identifier] | bytes[start + identifier + 1] == 0 { return false }
            return version != .v5 || bytes[start + length - 1] == 0
        }
    }
}
