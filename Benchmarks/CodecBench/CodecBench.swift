import MQTTCodec
import Measurement
import NIOCore

/// Decoding and encoding of every packet type; see ``BenchmarkCommand`` for the options.
@main enum CodecBench {
    /// Packets per batch, as one read of a busy connection brings them.
    private static let batch = 64

    static func main() {
        var cases: [BenchmarkCase] = []
        for (name, packet) in samples {
            cases.append(decoding(name, packet))
            if case .publish = packet { cases.append(layingOut(name, packet)) }
            cases.append(encoding(name, packet))
        }
        BenchmarkCommand.run(cases)
    }

    private static let samples: [(name: String, packet: Packet)] = [
        ("connect", .connect(Connect(clientID: "sensor-0042", keepAlive: 60))),
        (
            "connect-full",
            .connect(
                Connect(
                    clientID: "sensor-0042", cleanSession: false, keepAlive: 60,
                    will: Will(
                        topic: ByteBuffer(string: "shop/1/status"), payload: ByteBuffer(string: "gone"), qos: .atLeastOnce, retain: true),
                    userName: "sensor", password: ByteBuffer(string: "correct horse")))
        ),
        ("connack", .connack(Connack(sessionPresent: true, returnCode: .accepted))),
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
        ("suback", .suback(Suback(packetID: 1, returnCodes: [.granted(.atLeastOnce)]))),
        ("unsubscribe", .unsubscribe(Unsubscribe(packetID: 2, filters: ["shop/1/orders/+/status"]))),
        ("unsuback", .unsuback(packetID: 2)),
        ("pingreq", .pingreq),
        ("pingresp", .pingresp),
        ("disconnect", .disconnect),
    ]

    private static func publish(_ qos: QoS, payloadBytes: Int) -> Packet {
        .publish(
            Publish(
                topic: ByteBuffer(string: "shop/1/orders/4711/status"), payload: ByteBuffer(repeating: 0x78, count: payloadBytes), qos: qos,
                packetID: qos == .atMostOnce ? 0 : 4_711))
    }

    private static func stream(of packet: Packet) -> ByteBuffer {
        var buffer = ByteBuffer()
        for _ in 0..<batch { packet.encode(into: &buffer) }
        return buffer
    }

    private static func decoding(_ name: String, _ packet: Packet) -> BenchmarkCase {
        let stream = stream(of: packet)
        return BenchmarkCase(name: "\(name).decode", bytes: stream.readableBytes / batch, operations: batch) {
            var buffer = stream
            var decoded = 0
            while let read = try? Packet.read(from: &buffer) { decoded &+= check(read) }
            precondition(decoded == batch, "\(name) does not decode")
            return decoded
        }
    }

    /// What the broker does with a PUBLISH instead of decoding it, the check of the topic included.
    private static func layingOut(_ name: String, _ packet: Packet) -> BenchmarkCase {
        let stream = stream(of: packet)
        return BenchmarkCase(name: "\(name).layout", bytes: stream.readableBytes / batch, operations: batch) {
            let bytes = stream.readableBytesUInt8Span
            var offset = 0
            var topicBytes = 0
            while let header = try? FixedHeader(reading: bytes, at: offset, packetBytesMax: 1_048_576) {
                guard let layout = try? PublishLayout(reading: bytes, at: offset, header: header) else { break }
                let topic = bytes.extracting(layout.topicStart..<layout.topicStart + layout.topicLength)
                guard (try? Topics.validate(name: topic, in: .publish)) != nil else { break }
                topicBytes &+= layout.topicLength
                offset += header.packetLength
            }
            precondition(offset == stream.readableBytes, "\(name) does not decode")
            return topicBytes
        }
    }

    private static func encoding(_ name: String, _ packet: Packet) -> BenchmarkCase {
        let bytes = stream(of: packet).readableBytes
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes)
        return BenchmarkCase(name: "\(name).encode", bytes: bytes / batch, operations: batch) {
            buffer.clear()
            for _ in 0..<batch { packet.encode(into: &buffer) }
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
