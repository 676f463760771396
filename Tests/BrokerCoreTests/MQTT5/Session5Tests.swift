import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Which session a client gets, how long it lasts, and what comes first on a connection (MQTT 5 sections 3.1, 3.2 and 4.1).
@Suite struct Session5Tests {
    private func kept(_ properties: inout Properties) { properties.sessionExpiryInterval = 10 }

    @Test("A session belongs to its client identifier, letter by letter [MQTT5-3.1.3-2]")
    func identifierNamesTheSession() throws {
        let broker = SimulatedBroker(shards: 1)
        try broker.client5("a", cleanStart: false, kept).lose()
        for other in ["A", "a ", " a", "aa", "\u{FEFF}a"] {
            #expect(try SimulatedClient(other, of: broker).connect5(cleanStart: false).connack?.sessionPresent == false)
        }
        #expect(try SimulatedClient("a", of: broker).connect5(cleanStart: false).connack?.sessionPresent == true)
    }

    @Test("A session is not discarded while its connection is open, however long that is [MQTT5-4.1.0-1]", arguments: [0, 10])
    func lastsAsLongAsTheConnection(expiry: UInt32) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        for _ in 0..<2 {  // the deadline of the first connection's end is still waiting in the second
            client.lose()
            _ = try client.connect5(cleanStart: false, keepAlive: 1_200) { $0.sessionExpiryInterval = expiry }
        }
        _ = try client.subscribe5("t", .atLeastOnce)
        broker.advance(seconds: 1_000)
        _ = try broker.client5("p").exchange(message5("t", "x", qos: .atLeastOnce, packetID: 9))
        #expect(try client.read() == [message5("t", "x", qos: .atLeastOnce, packetID: 1)])
    }

    @Test("CONNACK comes before everything else, and only once, whatever waits [MQTT5-3.2.0-1] [MQTT5-3.2.0-2]", arguments: [0, 1])
    func connackComesFirst(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client5("a", cleanStart: false, kept)
        _ = try client.subscribe5("t", .exactlyOnce)
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...2 { _ = try publisher.exchange(message5("t", "\(number)", qos: .exactlyOnce, packetID: number)) }
        _ = try client.exchange(.pubrec(packetID: 1))
        client.lose()
        _ = try publisher.exchange(message5("t", "3", qos: .exactlyOnce, packetID: 3))
        client.open(at: shard)
        let connect = Connect(clientID: "a", cleanStart: false, keepAlive: 60, version: .v5)
        client.send(.connect(connect))
        broker.settle()
        let answer = try client.read()
        #expect(answer.connack?.sessionPresent == true)
        #expect(answer.dropFirst().first == .pubrel(packetID: 1) && answer.messages == ["t=2", "t=3"])
        let second = try client.exchange(.connect(connect))
        #expect(second.withoutReasonStrings == disconnected(.protocolError))
    }

    @Test("A valid CONNECT is answered with 0x00, whatever it carries [MQTT5-3.1.4-5]")
    func everythingIsAccepted() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        var will = BrokerCoreTests.will("w", "", qos: .exactlyOnce, retain: true)
        will.properties.willDelayInterval = .max
        let connect = Connect(
            clientID: "a", cleanStart: false, keepAlive: 65_535, version: .v5,
            properties: properties {
                $0.sessionExpiryInterval = .max
                $0.receiveMaximum = .max
                $0.maximumPacketSize = .max
                $0.topicAliasMaximum = .max
                $0.requestResponseInformation = true
                $0.requestProblemInformation = false
                $0.userProperties = [UserProperty("", "")]
            }, will: will, userName: "", password: ByteBuffer())
        #expect(try client.exchange(.connect(connect)).connack?.reasonCode == .success)
        #expect(client.isConnected)
    }

    @Test("Clean start discards the session at whatever shard it is [MQTT5-3.1.4-4] [MQTT5-3.1.2-4]", arguments: [0, 1])
    func cleanStart(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client5("a", cleanStart: false, kept)
        _ = try client.subscribe5("t", .atLeastOnce)
        client.lose()
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("t", "1", qos: .atLeastOnce, packetID: 1))
        let answer = try client.connect5(at: shard, cleanStart: true, kept)
        #expect(answer.count == 1 && answer.connack?.sessionPresent == false)
        broker.settle()
        let nobody = Acknowledgement(packetID: 2, reasonCode: .noMatchingSubscribers)
        #expect(try publisher.exchange(message5("t", "2", qos: .atLeastOnce, packetID: 2)) == [.puback(nobody)])
        #expect(try client.read() == [])
    }
}
