import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct TraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let text = "00-\(trace)-00f067aa0ba902b7-01"

    @Test("W3C Trace Context: what is a traceparent is read, whatever a later version adds")
    func reading() throws {
        let parent = try #require(TraceParent(Self.text.utf8))
        #expect(parent.traceID == Self.trace && parent.spanID == "00f067aa0ba902b7" && parent.isSampled && parent.text == Self.text)
        let later = try #require(TraceParent("cc-\(Self.trace)-00f067aa0ba902b7-ff-what-else".utf8))
        #expect(later.text == Self.text)
        #expect(try #require(TraceParent("00-\(Self.trace)-00f067aa0ba902b7-00".utf8)).isSampled == false)
    }

    @Test(
        "W3C Trace Context: what is none is dropped",
        arguments: [
            "", "00", text + "-x", String(text.dropLast()), "ff" + text.dropFirst(2), "0x" + text.dropFirst(2),
            "cc" + text.dropFirst(2) + "x",
            "00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01", text.uppercased(),
            text.replacing("-", with: "_"), "00-\(trace)-00f067aa0ba902b7-0g", "00-\(trace)-00f067aa0ba902b7-é",
        ])
    func dropping(text: String) {
        #expect(TraceParent(text.utf8) == nil)
    }

    private func properties(_ pairs: [(String, String)]) -> Properties {
        Properties(pairs.map { Property(.userProperty, .textPair($0.0, $0.1)) })
    }

    /// What a subscriber of MQTT 5 gets of a message with these user properties.
    private func delivered(_ pairs: [(String, String)], _ recorder: StagedRecorder?, qos: QoS = .atMostOnce) throws -> [[String]] {
        let broker = SimulatedBroker(shards: 2)
        for node in broker.nodes { node.core.spans = recorder }
        let reader = SimulatedClient("r", of: broker)
        let publisher = SimulatedClient("p", of: broker)
        for (client, shard) in [(reader, 1), (publisher, 0)] {
            client.open(at: shard)
            _ = try client.exchange(.connect(Connect(clientID: client.name, version: .v5)))
        }
        _ = try reader.subscribe("t", qos)
        var publish = Publish(
            topic: ByteBuffer(string: "t"), payload: ByteBuffer(string: "x"), qos: qos, packetID: qos == .atMostOnce ? 0 : 1)
        publish.properties = properties(pairs)
        _ = try publisher.exchange(.publish(publish))
        return try reader.read().compactMap { packet in
            guard case .publish(let publish) = packet else { return nil }
            return publish.properties.userProperties.map { "\($0.name)=\($0.value)" }
        }
    }

    @Test("A message of a trace goes on as Crema's step in it, at every QoS", arguments: [QoS.atMostOnce, .atLeastOnce])
    func forwarding(qos: QoS) throws {
        let recorder = StagedRecorder()
        let found = try delivered([("a", "1"), ("traceparent", Self.text), ("tracestate", "x=1")], recorder, qos: qos)
        #expect(found == [["a=1", "tracestate=x=1", "traceparent=00-\(Self.trace)-aaaaaaaaaaaaaa01-01"]])
        let span = try #require(recorder.spans.first)
        #expect((span.name, span.parentID, span.spanID) == ("receive", "00f067aa0ba902b7", "aaaaaaaaaaaaaa01"))
    }

    @Test("[MQTT5-3.3.2-17] Where traces are not looked at, and where there is none, user properties stay as they are")
    func unaltered() throws {
        let pairs = [("traceparent", Self.text), ("traceparent", "wrong"), ("a", "1")]
        #expect(try delivered(pairs, nil) == [pairs.map { "\($0.0)=\($0.1)" }])
        let recorder = StagedRecorder()
        #expect(try delivered([("a", "1"), ("tracestate", "x=1")], recorder) == [["a=1", "tracestate=x=1"]])
        #expect(try delivered([("a", "1"), ("traceparent", "wrong"), ("tracestate", "x=1")], recorder) == [["a=1"]])
        #expect(try delivered(pairs, recorder) == [["a=1"]])
        #expect(recorder.spans.isEmpty)
    }

    @Test("AWS X-Ray: the same place in a trace is written and read")
    func xRay() throws {
        let parent = try #require(TraceParent(Self.text.utf8))
        #expect(parent.xRayText == "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1")
        #expect(TraceParent(xRay: parent.xRayText) == parent)
        let unsampled = "Self=1-1-1; Parent=00f067aa0ba902b7;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Lineage=a:b=c"
        #expect(TraceParent(xRay: unsampled)?.text == "00-\(Self.trace)-00f067aa0ba902b7-00")
        #expect(TraceParent(xRay: unsampled)?.xRayText.hasSuffix(";Sampled=0") == true)
    }

    @Test(
        "AWS X-Ray: what names no place in a trace is none",
        arguments: [
            "", ";", "Root", "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=",
            "Root=2-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7",
            "Root=1-4bf92f3577b3-4da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7",
            "Root=1-4bf92f35-77b34da6a3ce929d0e0e473;Parent=00f067aa0ba902b7",
            "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736-1;Parent=00f067aa0ba902b7",
            "Root=1-00000000-000000000000000000000000;Parent=00f067aa0ba902b7",
            "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=0000000000000000",
            "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Parent=00f067aa0ba902b7",
            "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;x=" + String(repeating: "x", count: 1_000),
        ])
    func noXRay(text: String) {
        #expect(TraceParent(xRay: text) == nil)
    }

    @Test("A will goes on as Crema's step in its trace")
    func will() throws {
        let recorder = StagedRecorder()
        let broker = SimulatedBroker(shards: 2)
        for node in broker.nodes { node.core.spans = recorder }
        let reader = try broker.client5("r")
        _ = try reader.subscribe("gone", .atMostOnce)
        var will = BrokerCoreTests.will("gone", "x")
        will.properties = properties([("traceparent", Self.text), ("a", "1")])
        try broker.client5("p", will: will).lose()
        broker.settle()
        let found = try reader.read().compactMap { packet -> [String]? in
            guard case .publish(let publish) = packet else { return nil }
            return publish.properties.userProperties.map { "\($0.name)=\($0.value)" }
        }
        #expect(found == [["a=1", "traceparent=00-\(Self.trace)-aaaaaaaaaaaaaa01-01"]])
        #expect(recorder.spans.map(\.parentID) == ["00f067aa0ba902b7"])
    }
}
