import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// What a crash leaves of a session, and what it does not.
@Suite struct RestoredSessionTests {
    private let broker = SimulatedBroker(shards: 2, store: SimulatedStore())

    private func connect(
        _ name: String, to broker: SimulatedBroker, expiry: UInt32 = 1_000, will: Will? = nil
    ) throws -> (client: SimulatedClient, packets: [Packet]) {
        let client = SimulatedClient(name, of: broker)
        client.open(at: 1)
        var connect = Connect(clientID: name, cleanStart: false, keepAlive: 0, version: .v5)
        connect.properties.sessionExpiryInterval = expiry
        connect.will = will
        return (client, try client.exchange(.connect(connect)))
    }

    private func isPresent(_ packets: [Packet]) -> Bool {
        if case .connack(let connack) = packets.first { connack.sessionPresent } else { false }
    }

    private func publish(_ client: SimulatedClient, _ payload: String, qos: QoS, _ packetID: UInt16, duplicate: Bool = false) throws
        -> [Packet]
    {
        var packet = Publish(topic: ByteBuffer(string: "a"), payload: ByteBuffer(string: payload), qos: qos, retain: false)
        packet.packetID = packetID
        packet.duplicate = duplicate
        return try client.exchange(.publish(packet))
    }

    private func payloads(_ packets: [Packet]) -> [String] {
        packets.compactMap { if case .publish(let publish) = $0 { String(buffer: publish.payload) } else { nil } }
    }

    private func subscribe(_ client: SimulatedClient) throws {
        _ = try client.exchange(.subscribe(Subscribe(packetID: 9, requests: [Subscribe.Request(filter: "a", qos: .exactlyOnce)])))
    }

    @Test func aQueueIsThereInItsOrder() throws {
        let subscriber = try connect("s", to: broker).client
        try subscribe(subscriber)
        subscriber.lose()
        let publisher = try connect("p", to: broker).client
        for number in 1...5 as ClosedRange<UInt16> { _ = try publish(publisher, "\(number)", qos: .atLeastOnce, number) }
        let next = broker.afterCrash(shards: 2)
        let (client, packets) = try connect("s", to: next)
        #expect(isPresent(packets) && payloads(packets) == ["1", "2", "3", "4", "5"])
        #expect(try payloads(publish(client, "6", qos: .atLeastOnce, 1)) == ["6"])
    }

    @Test func whatWasSentAtQoS2ComesAgainUnderItsIdentifier() throws {
        let subscriber = try connect("s", to: broker).client
        try subscribe(subscriber)
        let publisher = try connect("p", to: broker).client
        for number in 1...3 as ClosedRange<UInt16> { _ = try publish(publisher, "\(number)", qos: .exactlyOnce, number) }
        _ = try subscriber.exchange(.pubrec(packetID: 1))
        _ = try subscriber.exchange(.pubcomp(packetID: 1))
        _ = try subscriber.exchange(.pubrec(packetID: 3))
        let packets = try connect("s", to: broker.afterCrash(shards: 2)).packets.dropFirst()
        guard case .publish(let second) = packets.first, case .pubrel(let third) = packets.last else {
            Issue.record("\(packets)")
            return
        }
        #expect(packets.count == 2 && second.packetID == 2 && second.duplicate && third.packetID == 3)
    }

    @Test func aQoS2MessageThatComesAgainIsKnown() throws {
        let subscriber = try connect("s", to: broker).client
        try subscribe(subscriber)
        let publisher = try connect("p", to: broker).client
        _ = try publish(publisher, "once", qos: .exactlyOnce, 7)
        _ = try subscriber.exchange(.pubrec(packetID: 1))
        _ = try subscriber.exchange(.pubcomp(packetID: 1))
        let next = broker.afterCrash(shards: 2)
        let again = try connect("s", to: next).client
        let back = try connect("p", to: next).client
        #expect(try publish(back, "once", qos: .exactlyOnce, 7, duplicate: true).map(\.type) == [.pubrec])
        #expect(try payloads(again.read()).isEmpty)
    }

    @Test("A QoS 2 message that a crash found half done is refused at once while the disk takes nothing, and is known when it comes again")
    func refusedHalfDone() throws {
        let before = SimulatedBroker(shards: 2, store: SimulatedStore())
        let subscriber = try before.client5("s", at: 1) { $0.sessionExpiryInterval = 1_000 }
        _ = try subscriber.subscribe5("t", .exactlyOnce)
        subscriber.lose()
        let publisher = try before.client5("p") { $0.sessionExpiryInterval = 1_000 }
        before.settle()
        publisher.send(message5("t", "x", qos: .exactlyOnce, packetID: 1))
        before.settle(committing: false)
        before.commit(atMost: 1)
        let broker = before.afterCrash(shards: 2)
        let again = SimulatedClient("p", of: broker)
        _ = try again.connect5(cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        broker.settle()
        let session = try #require(broker.nodes.compactMap { $0.core.sessions[ExactText("p")] }.first)
        #expect(session.awaitingPubrel.partDone(1).done != ShardSet(), "what this is about")
        broker.setFailing(true)
        again.send(message5("t", "x", qos: .exactlyOnce, packetID: 1, duplicate: true))
        broker.settle(committing: false)
        #expect(try again.read() == [.pubrec(Acknowledgement(packetID: 1, reasonCode: .implementationSpecificError))])
    }

    @Test("The identifier of a QoS 2 message that was given up after it was sent is not given to the next one [MQTT5-2.2.1-4]")
    func anIdentifierThatItsClientMayKnowIsNotGivenAgain() throws {
        let subscriber = try connect("s", to: broker).client
        try subscribe(subscriber)
        let publisher = try connect("p", to: broker).client
        _ = try publish(publisher, String(repeating: "x", count: 300), qos: .exactlyOnce, 1)
        #expect(try payloads(subscriber.read()).count == 1)  // PUBREC is lost with the connection
        subscriber.lose()
        // It comes back, and takes no packet that large any more.
        let small = SimulatedClient("s", of: broker)
        small.open(at: 1)
        var again = Connect(clientID: "s", cleanStart: false, keepAlive: 0, version: .v5)
        again.properties.sessionExpiryInterval = 1_000
        again.properties.maximumPacketSize = 100
        #expect(try payloads(small.exchange(.connect(again))).isEmpty)
        small.lose()
        let next = broker.afterCrash(shards: 2)
        let (client, _) = try connect("s", to: next)
        let other = try connect("p", to: next).client
        _ = try publish(other, "y", qos: .exactlyOnce, 2)
        let identifiers = try client.read().compactMap { if case .publish(let publish) = $0 { publish.packetID } else { nil } }
        #expect(identifiers == [2])
    }

    @Test func anExpiryRunsOnWhileNobodyIsThere() throws {
        _ = try connect("short", to: broker, expiry: 10).client
        _ = try connect("long", to: broker, expiry: 1_000).client
        let next = broker.afterCrash(shards: 2)
        next.advance(seconds: 20)
        #expect(next.clientSummaries().map(\.clientID) == ["long"])
    }

    @Test func aWillOfAClientThatTheCrashCutOffIsPublishedAfterItsDelay() throws {
        let subscriber = try connect("s", to: broker).client
        try subscribe(subscriber)
        subscriber.lose()
        var will = Will(topic: ByteBuffer(string: "a"), payload: ByteBuffer(string: "will"), qos: .atLeastOnce, retain: false)
        will.properties.willDelayInterval = 5
        _ = try connect("w", to: broker, will: will)
        let next = broker.afterCrash(shards: 2)
        let (client, packets) = try connect("s", to: next)
        #expect(payloads(packets).isEmpty)
        next.advance(seconds: 6)
        next.settle()
        #expect(try payloads(client.read()) == ["will"])
    }

    @Test func whatIsNotOnDiskWasNotPromised() throws {
        let subscriber = try connect("s", to: broker).client
        try subscribe(subscriber)
        subscriber.lose()
        broker.settle()
        let publisher = try connect("p", to: broker).client
        var packet = Publish(topic: ByteBuffer(string: "a"), payload: ByteBuffer(string: "x"), qos: .atLeastOnce, retain: false)
        packet.packetID = 1
        publisher.send(.publish(packet))
        broker.settle(committing: false)
        #expect(try publisher.read().isEmpty)
        #expect(try payloads(connect("s", to: broker.afterCrash(shards: 2)).packets).isEmpty)
    }

    @Test func sessionsComeBackToOtherShardsIfThereAreFewer() throws {
        let subscriber = try connect("s", to: broker).client
        try subscribe(subscriber)
        subscriber.lose()
        broker.settle()
        let next = SimulatedBroker(shards: 1, store: broker.store?.afterCrash())
        #expect(next.clientSummaries().map(\.clientID) == ["s"])
    }
}
