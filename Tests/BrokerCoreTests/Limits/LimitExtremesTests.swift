import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Refuses who does not say its name as its user name, of some after a while.
private struct NameAuthorizer: Authorizer {
    private struct Check: CredentialCheck {
        func run() -> CheckedCredential { .refuted(.badUserNameOrPassword, "late") }
    }

    var isUnrestricted: Bool { false }
    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        connect.userName == "late"
            ? .toBeChecked(Check()) : connect.userName == "bad" ? .refused(.badUserNameOrPassword, "bad") : .accepted(principal: nil)
    }
    func refusal(ofPublish topic: String, retain: Bool, by publisher: Publisher) -> String? { topic == "denied" ? topic : nil }
    func refusal(ofSubscribe filter: String, by subscriber: Publisher) -> String? { filter == "denied" ? filter : nil }
    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
}

/// Threat 34: whatever number a limit is set to, nothing traps and nothing goes on for ever.
@Suite struct LimitExtremesTests {
    private static let values = [1, 2, 3, 255, 65_535, 65_536, Int(Int32.max), Int(UInt32.max) + 1, Int.max / 2, .max - 1, .max]

    @Test("Every limit alone, at the ends of its range and at those of smaller integers", arguments: BrokerLimits.names.map(\.name))
    func alone(name: String) throws {
        let path = try #require(BrokerLimits.names.first { $0.name == name }?.path)
        for value in [1, 2, 65_536, .max - 1, .max] {
            var limits = BrokerLimits()
            limits[keyPath: path] = value
            try play(limits, .standard)
        }
    }

    @Test("All limits at once", arguments: values)
    func together(value: Int) throws {
        var limits = BrokerLimits()
        for (_, path) in BrokerLimits.names { limits[keyPath: path] = value }
        for dialect in Dialect.allCases { try play(limits, dialect) }
    }

    /// A bit of everything that a limit bounds, with clients that come, stall, fail and go.
    private func play(_ limits: BrokerLimits, _ dialect: Dialect) throws {
        let broker = SimulatedBroker(shards: 2, limits: limits, authorizer: NameAuthorizer())
        for round in 0..<3 {
            for version in [ProtocolVersion.v311, .v5] {
                for shard in 0...1 { try visit(broker, "\(version)\(shard)", version, at: shard, dialect) }
            }
            broker.advance(seconds: [0.05, 10, 1_000_000][round])
            broker.settle()
        }
        for node in broker.nodes {
            let statistics = node.core.statistics()
            #expect(statistics.messagesQueued >= 0 && statistics.retainedBytes >= 0)
            node.core.closeAll(reference: "other:1", now: broker.now)
        }
        broker.settle()
        #expect(broker.nodes.allSatisfy { $0.core.statistics().clientsConnected == 0 })
    }

    private func visit(
        _ broker: SimulatedBroker, _ name: String, _ version: ProtocolVersion, at shard: Int, _ dialect: Dialect
    ) throws {
        let network = try #require(PeerNetwork("192.0.2.1"))
        let client = SimulatedClient(name, of: broker)
        let terms = ListenerTerms(slowConsumer: shard == 0 ? .dropOldest : .disconnect, dialect: dialect)
        for userName in ["bad", "late", "good"] where broker.admission.connected(network, now: broker.now) == nil {
            client.open(at: shard, terms: terms, network: network)
            let connect = Connect(
                clientID: name, cleanStart: false, keepAlive: 30, version: version,
                properties: properties {
                    guard version == .v5 else { return }
                    $0.sessionExpiryInterval = .max
                    $0.topicAliasMaximum = .max
                },
                will: will("will/\(name)", "gone", qos: .atLeastOnce, retain: true), userName: userName)
            client.send(.connect(connect))
            broker.settle()
        }
        let filters = ["t", "#", "$share/g/t", "denied", "+/+"]
        client.send(.subscribe(Subscribe(packetID: 1, requests: filters.map { Subscribe.Request(filter: $0, qos: .exactlyOnce) })))
        broker.settle()
        for (number, qos) in [QoS.atMostOnce, .atLeastOnce, .exactlyOnce].enumerated() {
            for topic in ["t", "a/b", "denied"] {
                let packetID: UInt16 = qos == .atMostOnce ? 0 : UInt16(number + 1)
                let more = properties {
                    guard version == .v5 else { return }
                    $0.messageExpiryInterval = 5
                    if topic == "t" { $0.topicAlias = 1 }
                }
                client.send(
                    .publish(
                        Publish(
                            topic: ByteBuffer(string: topic), payload: ByteBuffer(string: "payload"), qos: qos, retain: true,
                            duplicate: false, packetID: packetID, properties: more)))
            }
            broker.settle()
            // Stalls for the second half, so that something waits.
            if number == 1, let socket = client.socket { broker.setWritable(socket, false) }
        }
        broker.advance(seconds: 0.03)
        broker.settle()
        if shard == 0 { client.lose() }
    }
}
