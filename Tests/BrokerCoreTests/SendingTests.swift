import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What the broker sends on its own: flags, identifiers, order (MQTT 3.1.1 sections 3.3, 4.3 and 4.6).
@Suite struct SendingTests {
    @Test("QoS 0 goes out with QoS 0 and no flag, whatever the publisher's packet said [MQTT-4.3.1-1] [MQTT-3.3.1-2]")
    func atMostOnce() throws {
        let broker = SimulatedBroker(shards: 2)
        for shard in [0, 1] {
            let client = try broker.client("s\(shard)", at: shard)
            _ = try client.subscribe("t")
            let publisher = try broker.client("p", at: 0)
            let published = [
                message("t", "x"), message("t", "x", retain: true), message("t", "x", qos: .atLeastOnce, packetID: 1, duplicate: true),
                message("t", "x", qos: .exactlyOnce, packetID: 2, retain: true, duplicate: true),
            ]
            for packet in published {
                publisher.send(packet)
                broker.settle()
                #expect(client.takeBytes() == [0x30, 4, 0, 1, 0x74, 0x78])
            }
        }
    }

    @Test("QoS 1 keeps its identifier until PUBACK, and no other message gets it meanwhile [MQTT-4.3.2-1] [MQTT-2.3.1-4]")
    func atLeastOnce() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 2
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        for number: UInt16 in 1...3 { _ = try publisher.exchange(message("t", "\(number)", qos: .atLeastOnce, packetID: number)) }
        #expect(
            try client.read() == [
                message("t", "1", qos: .atLeastOnce, packetID: 1), message("t", "2", qos: .atLeastOnce, packetID: 2),
            ])
        #expect(try client.exchange(.puback(packetID: 3)) == [])
        #expect(try client.exchange(.puback(packetID: 2)) == [message("t", "3", qos: .atLeastOnce, packetID: 3)])
        client.lose()
        #expect(
            try client.connect(cleanSession: false) == [
                accepted(sessionPresent: true), message("t", "1", qos: .atLeastOnce, packetID: 1, duplicate: true),
                message("t", "3", qos: .atLeastOnce, packetID: 3, duplicate: true),
            ])
        #expect(try client.exchange(.puback(packetID: 1)) == [])
        client.lose()
        #expect(try client.connect(cleanSession: false).count == 2)
    }

    @Test("QoS 2: PUBLISH until PUBREC, then PUBREL until PUBCOMP, never PUBLISH again [MQTT-4.3.3-1]")
    func exactlyOnce() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .exactlyOnce)
        _ = try broker.client("p").exchange(message("t", "x", qos: .exactlyOnce, packetID: 300))
        #expect(try client.read() == [message("t", "x", qos: .exactlyOnce, packetID: 1)])
        func again() throws -> [Packet] {
            client.lose()
            return try Array(client.connect(cleanSession: false).dropFirst())
        }
        #expect(try again() == [message("t", "x", qos: .exactlyOnce, packetID: 1, duplicate: true)])
        #expect(try client.exchange(.pubrec(packetID: 1)) == [.pubrel(packetID: 1)])
        #expect(try again() == [.pubrel(packetID: 1)])
        #expect(try again() == [.pubrel(packetID: 1)])
        #expect(try client.exchange(.pubcomp(packetID: 1)) == [])
        #expect(try again() == [])
    }

    @Test("Only topics that a filter matches are sent, as they were published [MQTT-3.3.2-3]")
    func topicsMatch() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        for filter in ["+/x", "y/#"] { _ = try client.subscribe(filter) }
        let publisher = try broker.client("p")
        for topic in ["a/x", "a/x/b", "y", "y/1/2", "Y/1", "x", "/x", "a/ x"] { _ = try publisher.exchange(message(topic, "1")) }
        #expect(try client.read() == ["a/x", "y", "y/1/2", "/x"].map { message($0, "1") })
    }

    @Test("Every topic is ordered: what one client publishes arrives in its order, whatever waits [MQTT-4.6.0-5] [MQTT-4.6.0-6]")
    func topicsAreOrdered() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 3
        let broker = SimulatedBroker(shards: 2, limits: limits)
        let clients = try [0, 1].map { shard in
            let client = try broker.client("s\(shard)", at: shard, cleanSession: false)
            _ = try client.subscribe("t/#", .exactlyOnce)
            return client
        }
        clients[1].lose()
        let publisher = try broker.client("p")
        for number: UInt16 in 1...20 {
            let qos: QoS = number % 2 == 0 ? .exactlyOnce : .atLeastOnce
            _ = try publisher.exchange(message("t/\(number % 3)", "\(number)", qos: qos, packetID: number))
        }
        _ = try clients[1].connect(at: 1, cleanSession: false)
        for client in clients {
            var payloads: [String] = []
            if client === clients[1] { client.lose() }
            var packets = client === clients[1] ? try client.connect(at: 1, cleanSession: false) : try client.read()
            while !packets.isEmpty {
                var next: [Packet] = []
                for case .publish(let publish) in packets {
                    payloads.append(String(buffer: publish.payload))
                    if publish.qos == .atLeastOnce {
                        next += try client.exchange(.puback(packetID: publish.packetID))
                    } else {
                        _ = try client.exchange(.pubrec(packetID: publish.packetID))
                        next += try client.exchange(.pubcomp(packetID: publish.packetID))
                    }
                }
                packets = next
            }
            #expect(payloads == (1...20).map(String.init))
        }
    }
}
