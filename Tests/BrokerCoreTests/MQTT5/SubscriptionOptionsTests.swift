import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct SubscriptionOptionsTests {
    @Test("No local: a client does not get what it publishes itself [MQTT5-3.8.3-3]")
    func noLocal() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        let other = try broker.client5("b")
        _ = try client.subscribe5(Subscribe.Request(filter: "t/+", qos: .atMostOnce, noLocal: true), identifier: 1)
        _ = try client.exchange(message5("t/1", "own"))
        _ = try other.exchange(message5("t/1", "other"))
        #expect(try client.read() == [message5("t/1", "other") { $0.subscriptionIdentifiers = [1] }])
        // Another subscription that matches still wants it.
        _ = try client.subscribe5(Subscribe.Request(filter: "t/#", qos: .atMostOnce), identifier: 2)
        #expect(try client.exchange(message5("t/1", "own")) == [message5("t/1", "own") { $0.subscriptionIdentifiers = [2] }])
        _ = try other.exchange(message5("t/1", "other"))
        let received = try #require(try client.read().publishes.first)
        #expect(Set(received.properties.subscriptionIdentifiers) == [1, 2])
    }

    @Test("No local: nor does it get its own retained messages, but those of others that had its identifier before [MQTT5-3.8.3-3]")
    func noLocalRetained() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        let other = try broker.client5("b")
        _ = try client.exchange(message5("t/1", "own", retain: true))
        _ = try other.exchange(message5("t/2", "other", retain: true))
        let request = Subscribe.Request(filter: "t/+", qos: .atMostOnce, noLocal: true)
        #expect(try client.subscribe5(request).messages == ["t/2=other"])
        #expect(try Set(other.subscribe5(request).messages) == ["t/1=own"])
        #expect(try Set(client.subscribe5("t/#").messages) == ["t/1=own", "t/2=other"])
        client.lose()
        let namesake = SimulatedClient("a", of: broker)
        _ = try namesake.connect5(principal: "somebody else")
        #expect(try Set(namesake.subscribe5(request).messages) == ["t/1=own", "t/2=other"])
    }

    @Test("RETAIN is 0 on what is live, unless asked for as published [MQTT5-3.3.1-12] [MQTT5-3.3.1-13]", arguments: QoS.allCases, [0, 1])
    func retainAsPublished(qos: QoS, shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let plain = try broker.client5("a", at: shard)
        let asPublished = try broker.client5("b", at: shard)
        _ = try plain.subscribe5("t", qos)
        _ = try asPublished.subscribe5(Subscribe.Request(filter: "t", qos: qos, retainAsPublished: true))
        let publisher = try broker.client5("p")
        for retain in [true, false] { _ = try publisher.exchange(message5("t", "x", qos: qos, packetID: retain ? 1 : 2, retain: retain)) }
        #expect(try plain.read().publishes.map(\.retain) == [false, false])
        #expect(try asPublished.read().publishes.map(\.retain) == [true, false])
    }

    @Test("Retain handling says when retained messages come [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11] [MQTT5-3.8.4-4]")
    func retainHandling() throws {
        let broker = SimulatedBroker(shards: 1)
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("t", "x", retain: true))
        for (handling, first, second) in [(.sendAtSubscribe, 1, 1), (.sendIfNew, 1, 0), (.doNotSend, 0, 0)] as [(RetainHandling, Int, Int)]
        {
            let client = try broker.client5("a")
            let request = Subscribe.Request(filter: "t", qos: .atMostOnce, retainHandling: handling)
            let answer = try client.subscribe5(request)
            #expect(answer.publishes.count == first)
            #expect(answer.publishes.map(\.retain) == Array(repeating: true, count: first))
            #expect(try client.subscribe5(request).publishes.count == second)
        }
    }

    @Test("A message carries the identifiers of all subscriptions that it matched [MQTT5-3.3.4-3] [MQTT5-3.3.4-4]")
    func subscriptionIdentifiers() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("t/1", "kept", retain: true))
        let answer = try client.subscribe5("t/1", .atLeastOnce, identifier: 268_435_455)
        #expect(answer.publishes.map(\.properties.subscriptionIdentifiers) == [[268_435_455]])
        _ = try client.subscribe5(Subscribe.Request(filter: "t/#", qos: .atMostOnce, retainHandling: .doNotSend), identifier: 7)
        _ = try client.subscribe5(Subscribe.Request(filter: "+/1", qos: .atMostOnce, retainHandling: .doNotSend))
        _ = try publisher.exchange(message5("t/1", "x", qos: .atLeastOnce, packetID: 1))
        let received = try #require(try client.read().publishes.first)
        #expect(Set(received.properties.subscriptionIdentifiers) == [7, 268_435_455])
        #expect(received.qos == .atLeastOnce)  // the highest [MQTT5-3.3.4-2]
        // Subscribing again replaces the identifier.
        _ = try client.subscribe5(Subscribe.Request(filter: "t/1", qos: .atLeastOnce, retainHandling: .doNotSend))
        _ = try publisher.exchange(message5("t/1", "x"))
        #expect(try client.read().publishes.map(\.properties.subscriptionIdentifiers) == [[7]])
    }

    @Test("UNSUBACK has a code for each filter, in order [MQTT5-3.11.3-1] [MQTT5-3.11.3-2] [MQTT5-3.10.4-1]")
    func unsubscribe() throws {
        let client = try SimulatedBroker(shards: 2).client5("a")
        _ = try client.subscribe5("t")
        let packet = Unsubscribe(packetID: 3, filters: ["u", "t", "t"])
        let codes: [ReasonCode] = [.noSubscriptionExisted, .success, .noSubscriptionExisted]
        #expect(try client.exchange(.unsubscribe(packet)) == [.unsuback(Unsuback(packetID: 3, reasonCodes: codes))])
    }

    @Test("SUBACK says what is wrong with each filter [MQTT5-3.8.4-6] [MQTT5-3.8.4-7] [MQTT5-3.9.3-1]")
    func refusedFilters() throws {
        var limits = BrokerLimits()
        limits.topicLevelsMax = 3
        limits.subscriptionsPerClientMax = 2
        let client = try SimulatedBroker(shards: 1, limits: limits).client5("a")
        let requests = ["a", "1/2/3/4", "b", "c"].map { Subscribe.Request(filter: $0, qos: .exactlyOnce) }
        let codes: [ReasonCode] = [.grantedQoS2, .topicFilterInvalid, .grantedQoS2, .quotaExceeded]
        let answer = try client.exchange(.subscribe(Subscribe(packetID: 1, requests: requests)))
        #expect(answer == [.suback(Suback(packetID: 1, reasonCodes: codes))])
    }
}
