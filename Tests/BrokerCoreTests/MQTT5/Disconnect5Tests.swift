import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// How connections end, by either side (MQTT 5 sections 3.14 and 4.13).
@Suite struct Disconnect5Tests {
    @Test("After its DISCONNECT the broker sends nothing more, and closes [MQTT5-3.14.4-1] [MQTT5-3.14.4-2]")
    func byTheBroker() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        _ = try client.subscribe5("#")
        let publisher = try broker.client5("p")
        client.send(.pingreq)
        var bytes = ByteBuffer()
        Packet.connect(Connect(clientID: "a", version: .v5)).encode(into: &bytes, version: .v5)
        Packet.pingreq.encode(into: &bytes, version: .v5)
        message5("t", "own").encode(into: &bytes, version: .v5)
        client.send(bytes)
        publisher.send(message5("t", "other"))
        broker.settle()
        let answer = try client.read()
        #expect(answer.withoutReasonStrings == [.pingresp] + disconnected(.protocolError))
        #expect(!client.isConnected)
    }

    // [MQTT5-3.14.4-2] [MQTT5-4.13.2-1]
    @Test(
        "After the client's DISCONNECT nothing that follows counts, and the connection closes, whatever its code",
        arguments: [ReasonCode.normalDisconnection, .disconnectWithWillMessage, .unspecifiedError, .packetTooLarge])
    func byTheClient(code: ReasonCode) throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client5("w")
        _ = try watcher.subscribe5("#")
        let client = try broker.client5("a")
        var bytes = ByteBuffer()
        Packet.disconnect(Disconnect(reasonCode: code)).encode(into: &bytes, version: .v5)
        message5("t", "x", qos: .atLeastOnce, packetID: 1).encode(into: &bytes, version: .v5)
        client.send(bytes)
        broker.settle()
        #expect(client.takeBytes() == [])
        #expect(!client.isConnected)
        #expect(try watcher.read() == [])
    }

    @Test("A packet above the broker's maximum packet size ends the connection at its header [MQTT5-3.2.2-15]")
    func tooLarge() throws {
        var limits = BrokerLimits()
        limits.packetBytesMax = 100
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = SimulatedClient("a", of: broker)
        #expect(try client.connect5().connack?.properties.maximumPacketSize == 100)
        #expect(try client.exchange(message5("t", String(repeating: "x", count: 94))) == [])
        client.send(ByteBuffer(bytes: [0x30, 99]))
        broker.settle()
        #expect(try client.read().withoutReasonStrings == disconnected(.packetTooLarge))
        #expect(!client.isConnected)
    }

    @Test("A reason string that makes DISCONNECT too large is left out, and only then [MQTT5-3.14.2-3]")
    func reasonString() throws {
        let broker = SimulatedBroker(shards: 1)
        let text = "a second CONNECT"
        let whole = UInt32(2 + 1 + 1 + 3 + text.utf8.count)
        for (size, expected) in [(whole, text), (whole - 1, nil)] as [(UInt32, String?)] {
            let client = try broker.client5("a") { $0.maximumPacketSize = size }
            client.send(.connect(Connect(clientID: "a", version: .v5)))
            broker.settle()
            let goodbye = Disconnect(reasonCode: .protocolError, properties: properties { $0.reasonString = expected })
            #expect(try client.read() == [.disconnect(goodbye)])
        }
    }
}
