import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct PublishAndSubscribeTests {
    @Test("A message reaches a subscriber on every shard", arguments: [0, 1])
    func messageReachesSubscriber(subscriberShard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let subscriber = SimulatedClient("sub", of: broker)
        subscriber.open(at: subscriberShard)
        #expect(try subscriber.exchange(.connect(Connect(clientID: "sub"))) == [accepted()])
        let request = Subscribe(packetID: 7, requests: [Subscribe.Request(filter: "orders/+/status", qos: .atLeastOnce)])
        #expect(try subscriber.exchange(.subscribe(request)) == [.suback(Suback(packetID: 7, reasonCodes: [.granted(.atLeastOnce)]))])
        let publisher = SimulatedClient("pub", of: broker)
        publisher.open(at: 0)
        _ = try publisher.exchange(.connect(Connect(clientID: "pub")))
        var publish = Publish(
            topic: ByteBuffer(string: "orders/7/status"), payload: ByteBuffer(string: "ready"), qos: .atLeastOnce, packetID: 1)
        #expect(try publisher.exchange(.publish(publish)) == [.puback(packetID: 1)])
        #expect(try subscriber.read() == [.publish(publish)])
        publish.qos = .atMostOnce
        publish.packetID = 0
        #expect(try publisher.exchange(.publish(publish)) == [])
        #expect(try subscriber.read() == [.publish(publish)])
    }

    @Test func sessionIsResumedFromAnotherShard() throws {
        let broker = SimulatedBroker(shards: 2)
        let subscriber = SimulatedClient("sub", of: broker)
        subscriber.open(at: 0)
        _ = try subscriber.exchange(.connect(Connect(clientID: "sub", cleanStart: false)))
        _ = try subscriber.exchange(
            .subscribe(Subscribe(packetID: 1, requests: [Subscribe.Request(filter: "a/#", qos: .exactlyOnce)])))
        subscriber.lose()
        let publisher = SimulatedClient("pub", of: broker)
        publisher.open(at: 1)
        _ = try publisher.exchange(.connect(Connect(clientID: "pub")))
        for number in 1...3 {
            let publish = Publish(
                topic: ByteBuffer(string: "a"), payload: ByteBuffer(string: "\(number)"), qos: .exactlyOnce, packetID: UInt16(number))
            #expect(try publisher.exchange(.publish(publish)) == [.pubrec(packetID: UInt16(number))])
            #expect(try publisher.exchange(.pubrel(packetID: UInt16(number))) == [.pubcomp(packetID: UInt16(number))])
        }
        subscriber.open(at: 1)
        let packets = try subscriber.exchange(.connect(Connect(clientID: "sub", cleanStart: false)))
        #expect(packets.first == .connack(Connack(sessionPresent: true, reasonCode: .success)))
        #expect(packets.count == 4)
        #expect(try subscriber.exchange(.pubrec(packetID: 1)) == [.pubrel(packetID: 1)])
        #expect(try subscriber.exchange(.pubcomp(packetID: 1)) == [])
        subscriber.send(.disconnect(Disconnect()))
        broker.settle()
        #expect(!subscriber.isConnected)
    }
}
