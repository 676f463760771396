import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What a packet identifier of a client means when it comes again (MQTT 5 section 4.3).
@Suite struct Receiving5Tests {
    @Test("After PUBACK the same identifier is a new message, whatever its DUP flag says [MQTT5-4.3.2-5]", arguments: [true, false])
    func identifierIsFreeAfterPuback(duplicate: Bool) throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("t")
        let client = try broker.client5("a")
        for number in 1...3 {
            let publish = message5("t", "\(number)", qos: .atLeastOnce, packetID: 7, duplicate: duplicate)
            #expect(try client.exchange(publish) == [.puback(packetID: 7)])
        }
        #expect(try reader.read().messages == ["t=1", "t=2", "t=3"])
    }

    // [MQTT5-4.3.3-10] [MQTT5-4.3.3-12]
    @Test(
        "A QoS 2 message that comes again before PUBREL is the same one, also over another connection; after PUBCOMP it is a new one"
    )
    func exactlyOnce() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("t")
        let client = try broker.client5("a", cleanStart: false) { $0.sessionExpiryInterval = 100 }
        for _ in 0..<3 {
            #expect(try client.exchange(message5("t", "x", qos: .exactlyOnce, packetID: 7)) == [.pubrec(packetID: 7)])
            client.lose()
            #expect(try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 100 }.connack?.sessionPresent == true)
            let again = message5("t", "x", qos: .exactlyOnce, packetID: 7, duplicate: true)
            #expect(try client.exchange(again) == [.pubrec(packetID: 7)])
        }
        #expect(try reader.read().messages == ["t=x"])
        #expect(try client.exchange(.pubrel(packetID: 7)) == [.pubcomp(packetID: 7)])
        #expect(try client.exchange(message5("t", "y", qos: .exactlyOnce, packetID: 7, duplicate: true)) == [.pubrec(packetID: 7)])
        #expect(try reader.read().messages == ["t=y"])
    }

    @Test("After PUBREC with an error the same identifier is a new message [MQTT5-4.3.3-9]")
    func refused() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("#")
        let client = try broker.client5("a")
        let refusal = Acknowledgement(packetID: 7, reasonCode: .notAuthorized)
        #expect(try client.exchange(message5("$SYS/x", "x", qos: .exactlyOnce, packetID: 7)) == [.pubrec(refusal)])
        #expect(try client.exchange(message5("t", "y", qos: .exactlyOnce, packetID: 7)) == [.pubrec(packetID: 7)])
        #expect(try reader.read().messages == ["t=y"])
    }
}
