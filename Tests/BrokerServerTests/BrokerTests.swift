import BrokerCore
import CremaTesting
import Dispatch
import Logging
import MQTTCodec
import NIOCore
import Synchronization
import Testing

@testable import BrokerServer

@Suite(.timeLimit(.minutes(2))) struct BrokerTests {
    /// Over TCP, which keeps bytes and their order [MQTT-7.1.1-1].
    @Test func messagesReachASubscriberOnTheOtherLoopInOrder() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            // Connections are dealt to the loops in turn: these two are on different ones.
            try await RawClient.run(port: port) { subscriber in
                try await subscriber.send(Packets.connect("s") + Packets.subscribe("t/#"))
                #expect(try await subscriber.receive(Packets.suback))
                let expected = (0..<500).flatMap { Packets.publish("t/\($0 % 3)", "\($0)") }
                try await RawClient.run(port: port) { publisher in
                    try await publisher.send(Packets.connect("p"))
                    #expect(try await publisher.receive(Packets.connack))
                    try await publisher.send(expected)
                    #expect(try await subscriber.receive(Packets.publish("t/1", "499")))
                }
                #expect(subscriber.received == Packets.connack + Packets.suback + expected)
            }
        }
    }

    @Test func publishedMessagesAreSeenBySubscriberTailAndFigures() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            let tail = site.broker.tail("orders/+")
            try await RawClient.run(port: port) { client in
                try await client.send(Packets.connect("s") + Packets.subscribe("orders/#"))
                #expect(try await client.receive(Packets.suback))
                await site.broker.publish([Message(topic: "orders/1", payload: "ready".utf8, qos: .atMostOnce)])
                #expect(try await client.receive(Packets.publish("orders/1", "ready")))
                let seen = await tail.first { _ in true }
                #expect(seen?.message.topicName == "orders/1")
                #expect(seen?.skipped == 0)
                let clients = await site.broker.clients()
                #expect(clients.map(\.clientID) == ["s"])
                #expect(clients.first?.listener == "mqtt")
                let topics = await site.broker.topics(matching: "orders/#", limit: 10)
                #expect(topics.map(\.topic) == ["orders/1"])
                #expect(topics.first?.messages == 1)
                let statistics = await site.broker.statistics()
                #expect(statistics.clientsConnected == 1)
                #expect(statistics.connectionsAccepted == 1)
                #expect(statistics.bytesReceived == UInt64(Packets.connect("s").count + Packets.subscribe("orders/#").count))
            }
        }
    }

    @Test("Where nobody waits for the disk, what was published is handed to the store all the same before whoever published it goes on")
    func handedOver() async throws {
        let store = SimulatedStore()
        let state = RestoredState()
        let kept = KeptState(
            store: store, durability: .relaxed(milliseconds: 1_000), retained: RetainedStore(isKept: true), state: state, close: {})
        let broker = Broker(
            limits: BrokerLimits(), authorizer: ListenerAuthorizer(), rules: nil, loopCount: 2, logger: LogRecorder().logger,
            version: "test", kept: kept)
        let topic = try #require(
            (0..<100).map { "t/\($0)" }.first { Shard.home(of: ByteBuffer(string: $0), shardCount: 2) == ShardID(0) })
        let loops = broker.eventLoopGroup.makeIterator().map { $0 }
        let gate = DispatchSemaphore(value: 0)
        loops[1].execute { gate.wait() }
        let isOver = Atomic(false)
        async let outcome = {
            let outcome = await broker.publish([Message(topic: topic, payload: [1], qos: .atLeastOnce)])
            isOver.store(true, ordering: .relaxed)
            return outcome
        }()
        try await Task.sleep(for: .milliseconds(200))
        let wasOver = isOver.load(ordering: .relaxed)
        #expect(!wasOver, "the other loop has not handed over what it may have of it")
        gate.signal()
        #expect(await outcome == .kept)
        await broker.drain(within: .seconds(1))
    }

    @Test("The store is closed whoever stops the broker, also in a task that is cancelled")
    func closedAllTheSame() async throws {
        let isClosed = Mutex(false)
        let kept = KeptState(
            store: SimulatedStore(), durability: .strict, retained: RetainedStore(isKept: true), state: RestoredState(),
            close: { isClosed.withLock { $0 = true } })
        let broker = Broker(
            limits: BrokerLimits(), authorizer: ListenerAuthorizer(), rules: nil, loopCount: 1, logger: LogRecorder().logger,
            version: "test", kept: kept)
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await broker.drain(within: .seconds(1))
        }.value
        #expect(isClosed.withLock { $0 })
    }

    @Test func aRefusedClientReadsItsConnackBeforeTheEnd() async throws {
        try await TestSite.run { site in
            var listener = TestSite.plain
            listener.anonymous = false
            let port = try await site.start(listener)
            try await RawClient.run(port: port) { client in
                try await client.send(Packets.connect("a") + Packets.subscribe("t"))
                #expect(try await client.receiveAll() == [0x20, 2, 0, 5])
            }
            let line = await site.log.next("client refused")
            #expect(line?.metadata["client_id"] == "a")
            #expect(line?.level == .warning)
        }
    }

    /// Clients of MQTT 5 come back by the name that they were given, also after a restart that forgot it: nobody else is to have it then.
    @Test("Names that one broker chooses are not those of the next [MQTT5-3.2.2-16]")
    func chosenNamesAreNeverChosenAgain() async throws {
        var names: [String] = []
        for _ in 0..<2 {
            try await TestSite.run { site in
                let port = try await site.start(TestSite.plain)
                try await RawClient.run(port: port) { client in
                    try await client.send(Packets.connect(""))
                    #expect(try await client.receive(Packets.connack))
                    names += await site.broker.clients().map(\.clientID)
                }
            }
        }
        #expect(names.count == 2)
        #expect(Set(names).count == 2)
        #expect(names.allSatisfy { $0.hasPrefix("auto-") && $0.utf8.count <= 23 })  // all that brokers have to take [MQTT-3.1.3-5]
    }

    @Test func systemTopicsAreThereFromTheStart() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            try await RawClient.run(port: port) { client in
                try await client.send(Packets.connect("a") + Packets.subscribe("$SYS/broker/version"))
                #expect(try await client.receive(Array("$SYS/broker/versioncrema version test".utf8)))
            }
        }
    }

    @Test func systemTopicsCarryTheFigures() {
        var statistics = BrokerStatistics()
        statistics.uptimeSeconds = 61
        statistics.clientsConnected = 2
        statistics.clientsOffline = 3
        statistics.retainedMessages = 4
        statistics.publishReceived = [5, 6, 7]
        let topics = SystemTopics(version: "1").topics(statistics, SystemLoads(), UsedMemory())
        let values = Dictionary(topics.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        #expect(values.count == topics.count)
        #expect(values["uptime"] == "61 seconds")
        #expect(values["clients/total"] == "5")
        #expect(values["clients/disconnected"] == "3")
        #expect(values["retained messages/count"] == "4")
        #expect(values["publish/messages/received"] == "18")
    }

    @Test func drainClosesClientsAndListeners() async throws {
        try await TestSite.run { site in
            // An address of its own: on the common one, another test may get the port that this one gives back.
            var listener = TestSite.plain
            listener.host = "127.0.0.9"
            let port = try await site.start(listener)
            try await RawClient.run(host: "127.0.0.9", port: port) { client in
                try await client.send(Packets.connect("a"))
                #expect(try await client.receive(Packets.connack))
                async let drained: Void = site.broker.drain(within: .seconds(10))
                #expect(try await client.receiveAll() == Packets.connack)
                await drained
            }
            // A program that another test starts has a copy of the socket until it runs: on a busy machine, for a while.
            var isRefused = false
            while !isRefused {
                do { try await RawClient.run(host: "127.0.0.9", port: port) { _ in } } catch { isRefused = true }
            }
            #expect(await site.broker.clients().isEmpty)
        }
    }

    @Test func aPortInUseIsNamedAndNothingStaysOpen() async throws {
        try await TestSite.run { site in
            let taken = try await site.start(TestSite.plain)
            try await TestSite.run { other in
                var second = TestSite.plain
                second.name = "second"
                second.port = taken
                let error = await #expect(throws: ListenerError.self) { try await other.broker.start([TestSite.plain, second]) }
                #expect(error?.listener == "second")
                #expect(error?.reason.contains("in use") == true)
                #expect(await other.broker.statistics().connectionsAccepted == 0)
            }
        }
    }

    @Test("Who connects before everything is open waits, and is served from the start on")
    func nobodyIsServedBeforeTheStart() async throws {
        try await TestSite.run { site in
            let bindings = try await site.broker.start([TestSite.plain, site.mutualTLS()])
            try await RawClient.run(port: try #require(bindings.first?.port)) { client in
                try await client.send(Packets.connect("a"))
                // Each question goes through every event loop, which would have accepted by then.
                for _ in 0..<20 {
                    #expect(await site.broker.statistics().connectionsAccepted == 0)
                    try await Task.sleep(for: .milliseconds(5))
                }
                await site.broker.beginAccepting()
                #expect(try await client.receive(Packets.connack))
            }
        }
    }

    @Test func unusableTLSFilesAreNamed() async throws {
        try await TestSite.run { site in
            let tls = TLSListener(
                certificate: site.path("missing.crt"), key: site.path("server.key"), clientCA: nil, requireClientCertificate: false)
            let listener = Listener(name: "mqtts", host: "127.0.0.1", port: 0, transport: .tls(tls), anonymous: true)
            let error = await #expect(throws: ListenerError.self) { try await site.broker.start([listener]) }
            #expect(error?.description.contains("missing.crt: there is no such file") == true)
        }
    }

    @Test("Threat 42: what a listener takes is its own, whatever the others say, and told when it opens")
    func theStartUpLineTellsAddressTransportAndAuthentication() async throws {
        try await TestSite.run { site in
            let bindings = try await site.broker.start([
                TestSite.plain, site.mutualTLS(), TestSite.webSocket(), site.secureWebSocket(),
            ])
            #expect(
                bindings.map(\.description) == [
                    "127.0.0.1:\(bindings[0].port) MQTT over TCP, anonymous clients",
                    "127.0.0.1:\(bindings[1].port) MQTT over TLS 1.2 to 1.3, client certificate required",
                    "127.0.0.1:\(bindings[2].port) MQTT over WebSocket at /mqtt, anonymous clients",
                    "127.0.0.1:\(bindings[3].port) MQTT over WebSocket at /mqtt, TLS 1.2 to 1.3, client certificate required",
                ])
        }
    }

    @Test func aSubscriberThatReadsNothingLosesMessagesAndHoldsUpNobody() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            try await RawClient.run(port: port) { slow in
                try await slow.send(Packets.connect("slow") + Packets.subscribe("t"))
                #expect(try await slow.receive(Packets.suback))
                let payload = [UInt8](repeating: 7, count: 50_000)
                let messages = (0..<100).map { _ in Message(topic: "t", payload: payload, qos: .atMostOnce) }
                while await site.broker.statistics().messagesDropped["outbound_full", default: 0] == 0 {
                    await site.broker.publish(messages)
                }
                await site.broker.publish([Message(topic: "t", payload: "lost or not".utf8, qos: .atMostOnce)])
                // It reads again, and what is published from then on arrives.
                var drained = false
                while !drained {
                    await site.broker.publish([Message(topic: "t", payload: "awake".utf8, qos: .atMostOnce)])
                    let before = slow.received.count
                    drained = try await slow.receiveMore().holds(Array("awake".utf8)) && before < slow.received.count
                }
                #expect(await site.broker.clients().first?.dropped ?? 0 > 0)
            }
        }
    }

    @Test func aClientInALoopGetsOneLinePerSecond() async throws {
        try await TestSite.run { site in
            var listener = TestSite.plain
            listener.anonymous = false
            let port = try await site.start(listener)
            // However few of them a busy machine manages in a second: there is a second with two.
            async let _: Void = {
                while !Task.isCancelled {
                    try await RawClient.run(port: port) { client in
                        try await client.send(Packets.connect("a"))
                        _ = try await client.receive([0x20, 2, 0, 5])
                    }
                }
            }()
            #expect(await site.log.next("client refused")?.metadata["client_id"] == "a")
            #expect(await site.log.next("lines left out")?.metadata["subject"] == "a")
        }
    }
}
