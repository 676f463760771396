import MQTTCodec
import Measurement
import NIOCore

/// Decoding and encoding of every packet type; see ``BenchmarkCommand`` for the options.
@main enum CodecBench {
    /// Packets per batch, as one read of a busy connection brings them.
    private static let batch = 64

    static func main() {
        var cases: [BenchmarkCase] = []
        for (version, samples) in [(ProtocolVersion.v311, samples), (.v5, samplesOfVersion5)] {
            for (name, packet) in samples {
                cases.append(decoding(name, packet, version))
                if case .publish = packet { cases.append(layingOut(name, packet, version)) }
                cases.append(encoding(name, packet, version))
            }
        }
        BenchmarkCommand.run(cases)
    }

    private static let samples: [(name: String, packet: Packet)] = [
        ("connect", .connect(Connect(clientID: "sensor-0042", keepAlive: 60))),
        (
            "connect-full",
            .connect(
                Connect(
                    clientID: "sensor-0042", cleanStart: false, keepAlive: 60,
                    will: Will(
                        topic: ByteBuffer(string: "shop/1/status"), payload: ByteBuffer(string: "gone"), qos: .atLeastOnce, retain: true),
                    userName: "sensor", password: ByteBuffer(string: "correct horse")))
        ),
        ("connack", .connack(Connack(sessionPresent: true, reasonCode: .success))),
        ("publish-qos0-16B", publish(.atMostOnce, payloadBytes: 16)),
        ("publish-qos1-256B", publish(.atLeastOnce, payloadBytes: 256)),
        ("publish-qos2-4096B", publish(.exactlyOnce, payloadBytes: 4_096)),
        ("puback", .puback(packetID: 4_711)),
        ("pubrec", .pubrec(packetID: 4_711)),
        ("pubrel", .pubrel(packetID: 4_711)),
        ("pubcomp", .pubcomp(packetID: 4_711)),
        ("subscribe", .subscribe(Subscribe(packetID: 1, requests: [.init(filter: "shop/1/orders/+/status", qos: .atLeastOnce)]))),
        (
            "subscribe-8",
            .subscribe(Subscribe(packetID: 1, requests: (0..<8).map { .init(filter: "shop/\($0)/orders/+/status/#", qos: .atLeastOnce) }))
        ),
        ("suback", .suback(Suback(packetID: 1, reasonCodes: [.granted(.atLeastOnce)]))),
        ("unsubscribe", .unsubscribe(Unsubscribe(packetID: 2, filters: ["shop/1/orders/+/status"]))),
        ("unsuback", .unsuback(Unsuback(packetID: 2))),
        ("pingreq", .pingreq),
        ("pingresp", .pingresp),
        ("disconnect", .disconnect(Disconnect())),
    ]

    private static let samplesOfVersion5: [(name: String, packet: Packet)] = [
        (
            "v5-connect",
            .connect(
                Connect(
                    clientID: "sensor-0042", keepAlive: 60, version: .v5,
                    properties: Properties([
                        Property(.sessionExpiryInterval, .fourByteInteger(3_600)), Property(.receiveMaximum, .twoByteInteger(20)),
                    ])))
        ),
        ("v5-publish-qos0-16B", publish(.atMostOnce, payloadBytes: 16)),
        ("v5-publish-qos1-256B", publish(.atLeastOnce, payloadBytes: 256)),
        (
            "v5-publish-alias",
            publish(.atMostOnce, payloadBytes: 16, properties: Properties([Property(.topicAlias, .twoByteInteger(7))]))
        ),
        ("v5-publish-request", publish(.atLeastOnce, payloadBytes: 256, properties: request)),
        ("v5-publish-user-64", publish(.atMostOnce, payloadBytes: 16, properties: userProperties(64))),
        ("v5-puback", .puback(Acknowledgement(packetID: 4_711))),
        ("v5-puback-reason", .puback(Acknowledgement(packetID: 4_711, reasonCode: .quotaExceeded))),
        ("v5-subscribe", .subscribe(Subscribe(packetID: 1, requests: [.init(filter: "shop/1/orders/+/status", qos: .atLeastOnce)]))),
        ("v5-suback", .suback(Suback(packetID: 1, reasonCodes: [.granted(.atLeastOnce)]))),
        ("v5-disconnect", .disconnect(Disconnect(reasonCode: .disconnectWithWillMessage))),
    ]

    /// What a client that expects an answer sends.
    private static let request = Properties([
        Property(.payloadFormatIndicator, .byte(1)), Property(.contentType, .text("application/json")),
        Property(.responseTopic, .text("shop/1/answers")), Property(.correlationData, .binary(ByteBuffer(string: "4711-0042"))),
        Property(.userProperty, .textPair("trace", "00-4bf92f3577b34da6-01")),
    ])

    private static func userProperties(_ count: Int) -> Properties {
        Properties((0..<count).map { Property(.userProperty, .textPair("name-\($0)", "value-\($0)")) })
    }

    private static func publish(_ qos: QoS, payloadBytes: Int, properties: Properties = Properties()) -> Packet {
        .publish(
            Publish(
                topic: ByteBuffer(string: "shop/1/orders/4711/status"), payload: ByteBuffer(repeating: 0x78, count: payloadBytes), qos: qos,
                packetID: qos == .atMostOnce ? 0 : 4_711, properties: properties))
    }

    private static func stream(of packet: Packet, _ version: ProtocolVersion) -> ByteBuffer {
        var buffer = ByteBuffer()
        for _ in 0..<batch { packet.encode(into: &buffer, version: version) }
        return buffer
    }

    private static func decoding(_ name: String, _ packet: Packet, _ version: ProtocolVersion) -> BenchmarkCase {
        let stream = stream(of: packet, version)
        let sender: Sender = packet.isSentByClients ? .client : .server
        return BenchmarkCase(name: "\(name).decode", bytes: stream.readableBytes / batch, operations: batch) {
            var buffer = stream
            var decoded = 0
            while let read = try? Packet.read(from: &buffer, version: version, sender: sender) { decoded &+= check(read) }
            precondition(decoded == batch, "\(name) does not decode")
            return decoded
        }
    }

    /// What the broker does with a PUBLISH instead of decoding it, the check of the topic included.
    private static func layingOut(_ name: String, _ packet: Packet, _ version: ProtocolVersion) -> BenchmarkCase {
        let stream = stream(of: packet, version)
        return BenchmarkCase(name: "\(name).layout", bytes: stream.readableBytes / batch, operations: batch) {
            let bytes = stream.readableBytesUInt8Span
            var offset = 0
            var topicBytes = 0
            while let header = try? FixedHeader(reading: bytes, at: offset, packetBytesMax: 1_048_576, version: version) {
                guard let layout = try? PublishLayout(reading: bytes, at: offset, header: header, version: version) else { break }
                let topic = bytes.extracting(layout.topicStart..<layout.topicStart + layout.topicLength)
                guard (try? Topics.validate(name: topic, in: .publish)) != nil else { break }
                topicBytes &+= layout.topicLength
                offset += header.packetLength
            }
            precondition(offset == stream.readableBytes, "\(name) does not decode")
            return topicBytes
        }
    }

    private static func encoding(_ name: String, _ packet: Packet, _ version: ProtocolVersion) -> BenchmarkCase {
        let bytes = stream(of: packet, version).readableBytes
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes)
        return BenchmarkCase(name: "\(name).encode", bytes: bytes / batch, operations: batch) {
            buffer.clear()
            for _ in 0..<batch { packet.encode(into: &buffer, version: version) }
            precondition(buffer.readableBytes == bytes, "\(name) is not written whole")
            return bytes
        }
    }

    /// Looks at the packet, so that making it cannot be left out.
    @inline(never) private static func check(_ packet: Packet) -> Int {
        if case .publish(let publish) = packet { return publish.topic.readableBytes > 0 ? 1 : 0 }
        return 1
    }
}

extension Packet {
    fileprivate var isSentByClients: Bool {
        switch self {
        case .connack, .suback, .unsuback, .pingresp: false
        default: true
        }
    }
}
