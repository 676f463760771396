import BrokerCore
import CremaTesting
import MQTTCodec
import Testing

/// What a client proved itself by counts no more, as when its certificate is revoked.
@Suite struct LostProofTests {
    private static let reason = "the client's certificate is refused: it is revoked"

    private func lose(_ client: SimulatedClient, of broker: SimulatedBroker) throws {
        let socket = try #require(client.socket)
        socket.node.core.proofLost(socket.connection, refusal: Self.reason, now: broker.now)
        broker.settle()
    }

    private func closings(_ broker: SimulatedBroker) -> [String?] {
        broker.events.compactMap { event in
            if case .closed(let clientID, _, .notPermitted(Self.reason)) = event { clientID } else { nil }
        }
    }

    @Test("The client is told and closed wherever its session is, and everybody else stays", arguments: [0, 1], [0, 1])
    func wherever(session: Int, socket: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let other = try broker.client5("other", at: socket)
        let client = try broker.client5("a", at: session) { $0.sessionExpiryInterval = 60 }
        client.lose()
        broker.settle()
        _ = try client.connect5(at: socket, cleanStart: false) { $0.sessionExpiryInterval = 60 }
        #expect(client.isConnected)
        try lose(client, of: broker)
        #expect(try client.read() == [.disconnect(Disconnect(reasonCode: .notAuthorized))])
        #expect(!client.isConnected)
        #expect(other.isConnected)
        #expect(closings(broker) == ["a"])
        #expect(broker.closed["not_permitted"] == 1)
    }

    @Test("So is one whose CONNECT is on its way to the session's shard")
    func onTheWay() throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client5("a", at: 1) { $0.sessionExpiryInterval = 60 }
        client.lose()
        broker.settle()
        client.open(at: 0)
        client.send(.connect(Connect(clientID: "a", cleanStart: false, keepAlive: 0)))
        try lose(client, of: broker)
        #expect(!client.isConnected)
        #expect(closings(broker) == ["a"])
    }

    @Test("One that has sent no CONNECT yet is closed without a word")
    func beforeConnect() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        try lose(client, of: broker)
        #expect(!client.isConnected)
        #expect(try client.read() == [])
        #expect(closings(broker) == [nil])
        // One that has gone already is not closed again.
        try lose(client, of: broker)
        #expect(closings(broker) == [nil])
    }
}
