import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Text is compared by its bytes: nothing is normalised on the way [MQTT-4.7.3-4].
@Suite struct ExactTextTests {
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"

    @Test("Threat 47: a session is found by its whole identifier, so those that Unicode takes for equal are two clients")
    func canonicallyEquivalentClientIdentifiersAreTwoClients() throws {
        let broker = SimulatedBroker(shards: 2)
        let first = SimulatedClient("first", of: broker)
        first.open(at: 0)
        _ = try first.exchange(.connect(Connect(clientID: Self.composed)))
        let second = SimulatedClient("second", of: broker)
        second.open(at: 0)
        _ = try second.exchange(.connect(Connect(clientID: Self.decomposed)))
        #expect(first.isConnected && second.isConnected)
    }

    @Test func canonicallyEquivalentFiltersAreTwoSubscriptions() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("client", of: broker)
        client.open()
        _ = try client.exchange(.connect(Connect(clientID: "client")))
        for (packetID, filter) in [(1, Self.composed), (2, Self.decomposed)] {
            let request = Subscribe.Request(filter: filter, qos: .atMostOnce)
            _ = try client.exchange(.subscribe(Subscribe(packetID: UInt16(packetID), requests: [request])))
        }
        _ = try client.exchange(.unsubscribe(Unsubscribe(packetID: 3, filters: [Self.composed])))
        let publish = Publish(topic: ByteBuffer(string: Self.decomposed), payload: ByteBuffer(), qos: .atMostOnce)
        #expect(try client.exchange(.publish(publish)) == [.publish(publish)])
    }
}
