import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What a trace shows of a client, and what it never does.
@Suite struct TracingTests {
    private func trace(_ broker: SimulatedBroker, _ clientID: String, lines: Int = 1_000, seconds: Double = 60, id: UInt64 = 1) {
        for node in broker.nodes {
            node.core.addTrace(
                id: id, of: clientID, endsAt: broker.now.advanced(bySeconds: seconds), linesPerSecond: lines, now: broker.now)
        }
    }

    private func steps(_ broker: SimulatedBroker, id: UInt64 = 1) -> [TracedStep] {
        broker.nodes.flatMap(\.traced).filter { $0.trace == id }.map(\.step)
    }

    private func names(_ broker: SimulatedBroker) -> [String] { steps(broker).map { "\($0.direction.rawValue) \($0.name)" } }

    private func detail(_ step: TracedStep, _ name: String) -> TracedStep.Detail.Value? {
        step.detail.first { $0.name == name }?.value
    }

    @Test("Threat 53: packets of a client that connects later are shown in order, with what they say and without what they carry")
    func packets() throws {
        let broker = SimulatedBroker(shards: 1)
        trace(broker, "a")
        let client = SimulatedClient("a", of: broker)
        client.open(at: 0, principal: nil)
        _ = try client.exchange(
            .connect(
                Connect(
                    clientID: "a", keepAlive: 30, version: .v5, will: will("gone", "secret will"), userName: "ann",
                    password: ByteBuffer(string: "secret password"))))
        _ = try client.subscribe5(Subscribe.Request(filter: "t", qos: .atLeastOnce))
        _ = try client.exchange(
            message5("t", "secret payload", qos: .atLeastOnce, packetID: 5) {
                $0.append(Property(.userProperty, .textPair("secret name", "secret value")))
            })
        _ = try client.exchange(.pingreq)
        client.send(.disconnect(Disconnect()))
        #expect(
            names(broker) == [
                "in CONNECT", "decision session begun", "out CONNACK", "in SUBSCRIBE", "decision subscription allowed", "out SUBACK",
                "in PUBLISH", "out PUBLISH", "out PUBACK", "in PINGREQ", "out PINGRESP", "in DISCONNECT", "decision connection closed",
                "decision session ended",
            ])
        let all = steps(broker)
        #expect(detail(all[0], "userName") == .text("ann") && detail(all[0], "password") == .flag(true))
        #expect(detail(all[0], "willBytes") == .number(11) && detail(all[0], "keepAlive") == .number(30))
        let publish = all[6]
        #expect(detail(publish, "topic") == .text("t") && detail(publish, "packetID") == .number(5))
        #expect(detail(publish, "payloadBytes") == .number(14) && detail(publish, "properties") == .list(["user property"]))
        #expect(detail(all[8], "reasonCode") == .text("0x00 success"))
        #expect(detail(all[12], "reason") == .text("disconnected"))
        #expect(!"\(all)".contains("secret"))
    }

    @Test("Decisions are shown with their reasons: a refused CONNECT, drops, what waits, a takeover")
    func decisions() throws {
        var limits = BrokerLimits()
        limits.queueMessagesMax = 1
        let broker = SimulatedBroker(shards: 2, limits: limits)
        trace(broker, "a")
        let client = try broker.client("a", cleanSession: false, principal: "ann")
        _ = try client.subscribe("t", .atLeastOnce)
        client.lose()
        let publisher = try broker.client("p")
        for number in 1...2 { _ = try publisher.exchange(message("t", "x", qos: .atLeastOnce, packetID: UInt16(number))) }
        #expect(names(broker).suffix(3) == ["decision connection closed", "decision message queued", "decision message dropped"])
        #expect(detail(try #require(steps(broker).last), "reason") == .text("queue_full"))
        _ = try SimulatedClient("a", of: broker).connect(principal: "bob")
        let refused = try #require(steps(broker).last)
        #expect(refused.name == "connect refused" && detail(refused, "reason") == .text("the session belongs to another principal"))
        let again = try broker.client("a", cleanSession: false, principal: "ann")
        #expect(names(broker).contains("decision session resumed"))
        _ = try broker.client("a", cleanSession: false, principal: "ann")
        #expect(!again.isConnected)
        #expect(steps(broker).contains { detail($0, "reason") == .text("session_taken_over") })
    }

    @Test("What is more than a second's lines is counted and not made, and a trace that is over shows nothing")
    func bounds() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        trace(broker, "a", lines: 3, seconds: 10)
        for number in 0..<10 { client.send(message("t", "\(number)")) }
        #expect(steps(broker).count == 3)
        broker.advance(seconds: 1)
        client.send(message("t", "x"))
        #expect(steps(broker).map(\.skipped) == [0, 0, 0, 7])
        broker.advance(seconds: 10)
        client.send(message("t", "x"))
        #expect(steps(broker).count == 4)
        #expect(broker.nodes[0].core.traceCount == 0)
    }

    @Test("Others are not shown, and neither is the client when its trace is taken away")
    func others() throws {
        let broker = SimulatedBroker(shards: 1)
        let (a, b) = (try broker.client("a"), try broker.client("b"))
        trace(broker, "a")
        trace(broker, "a", id: 2)
        b.send(message("t", "x"))
        #expect(steps(broker).isEmpty)
        broker.nodes[0].core.removeTrace(id: 2)
        a.send(message("t", "x"))
        #expect(steps(broker).count == 1 && steps(broker, id: 2).isEmpty)
        broker.nodes[0].core.removeTrace(id: 1)
        a.send(message("t", "x"))
        #expect(steps(broker).count == 1)
    }

    @Test("A text that a client chose is cut, and a list of many says how many more there are")
    func cuts() throws {
        var limits = BrokerLimits()
        limits.topicBytesMax = 10_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        trace(broker, "a")
        client.send(message(String(repeating: "é", count: 1_000), "x"))
        guard case .text(let topic)? = detail(try #require(steps(broker).first), "topic") else {
            Issue.record("there is no topic")
            return
        }
        #expect(topic.utf8.count <= TracedStep.textBytesMax + 3 && topic.hasSuffix("é…"))
        let requests = (0..<20).map { Subscribe.Request(filter: "t/\($0)", qos: .atMostOnce) }
        _ = try client.exchange(.subscribe(Subscribe(packetID: 1, requests: requests)))
        let subscribe = try #require(steps(broker).first { $0.name == "SUBSCRIBE" })
        guard case .list(let filters)? = detail(subscribe, "filters") else {
            Issue.record("there are no filters")
            return
        }
        #expect(filters.count == 17 && filters.last == "and 4 more")
    }
}
