import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerServer

/// What operators ask of the running broker, over several event loops.
@Suite(.timeLimit(.minutes(2))) struct OperatorCallsTests {
    @Test("Clients of all loops come in one order, and each is found with its subscriptions")
    func clients() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            try await RawClient.run(port: port) { first in
                try await first.send(Packets.connect("a") + Packets.subscribe("t/#"))
                #expect(try await first.receive(Packets.suback))
                try await RawClient.run(port: port) { second in
                    try await second.send(Packets.connect("b") + Packets.subscribe("t/1"))
                    #expect(try await second.receive(Packets.suback))
                    let broker = site.broker
                    #expect(await broker.clients(ClientQuery()).map(\.clientID) == ["a", "b"])
                    #expect(await broker.clients(ClientQuery(limit: 1)).map(\.clientID) == ["a"])
                    #expect(await broker.clients(ClientQuery(search: "B", state: .connected)).map(\.clientID) == ["b"])
                    #expect(await broker.client("b")?.subscriptions.map(\.filter) == ["t/1"])
                    #expect(await broker.client("nobody") == nil)
                    #expect(await broker.subscriptions(SubscriptionQuery(topic: "t/1")).map(\.clientID) == ["a", "b"])
                    #expect(await broker.subscriptions(SubscriptionQuery(clientID: "a", topic: "t/1")).map(\.filter) == ["t/#"])
                    #expect(await broker.subscriptions(SubscriptionQuery(filter: "t/#", topic: "x")).isEmpty)
                    #expect(await broker.subscriptions(SubscriptionQuery()).map(\.filter) == ["t/#", "t/1"])
                    #expect(await broker.subscriptions(SubscriptionQuery(limit: 1)).count == 1)
                    #expect(await broker.subscriptions(SubscriptionQuery(filter: "t/#")).map(\.clientID) == ["a"])
                    #expect(await broker.subscriptions(SubscriptionQuery(clientID: "a", filter: "t/1")).isEmpty)
                    #expect(await broker.kick("b", endingSession: false) == KickOutcome(wasConnected: true, sessionRemoved: true))
                    _ = try await second.receiveAll()
                }
                let line = await site.log.next("connection closed")
                #expect(line?.metadata["client_id"] == "b" && line?.metadata["reason"] == "kicked")
            }
        }
    }

    @Test("More sessions than one round looks at are all looked at, and clients are served in between")
    func rounds() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            // Without clean session: they stay.
            let count = SessionWalk.sessionsAtOnce * 2 + 200
            try await RawClient.run(port: port) { watcher in
                try await watcher.send(Packets.connect("w"))
                #expect(try await watcher.receive(Packets.connack))
                let (broker, loop) = (site.broker, site.broker.shards[0])
                try await loop.eventLoop.submit { for number in 0..<count { loop.value.addSession(named: "s\(number)") } }.get()
                let first = await broker.clients(ClientQuery(search: "s", limit: 5)).map(\.clientID)
                #expect(first == ["s0", "s1", "s10", "s100", "s1000"])
                #expect(await broker.clients(ClientQuery(search: "s")).count == count)
                #expect(await broker.statistics().clientsOffline == count)
                // No turn of an event loop looks at more than its part.
                var parts: [Int] = []
                await broker.lookAtSessions(beginning: { _ in 0 }, each: { _, _, seen in seen += 1 }) { part in
                    parts.append(part)
                    return true
                }
                #expect(parts.reduce(0, +) == count + 1 && parts.allSatisfy { $0 <= SessionWalk.sessionsAtOnce })
                await broker.lookAtSessions(beginning: { _ in 0 }, each: { _, _, seen in seen += 1 }) { _ in
                    parts = []
                    return false
                }
                #expect(parts.isEmpty, "who has enough asks for no more")
            }
        }
    }

    @Test("More topics than one turn looks at are all looked at, and clients are served in between")
    func topicParts() async throws {
        try await TestSite.run { site in
            let broker = site.broker
            _ = try await site.start(TestSite.plain)
            let count = TopicWalk.topicsAtOnce * 2 + 200
            await broker.publish((0..<count).map { Message(topic: "t/\($0)", payload: "on".utf8, qos: .atMostOnce) })
            #expect(await broker.topics(TopicQuery(filter: "t/#", limit: count + 1)).count == count)
            #expect(await broker.topicLevel(under: nil, search: nil, limit: 9).first { $0.name == "t" }?.topics == count)
            var parts: [Int] = []
            await broker.lookAtTopics { _, topics in parts.append(topics.count) }
            #expect(parts.reduce(0, +) == count && parts.count > 2 && parts.allSatisfy { $0 <= TopicWalk.topicsAtOnce })
        }
    }

    @Test("Retained messages are removed as a client's empty ones would be, and younger ones than asked for stay")
    func retained() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            let broker = site.broker
            await broker.publish((0..<600).map { Message(topic: "r/\($0)", payload: "on".utf8, qos: .atMostOnce, retain: true) })
            await broker.publish([Message(topic: "other", payload: "on".utf8, qos: .atMostOnce, retain: true)])
            let (rows, matched) = await broker.retainedMessages(RetainedQuery(filter: "r/#"), limit: 10)
            #expect(rows.count == 10 && matched == 600)
            #expect(await broker.retainedMessages(RetainedQuery(filter: "#", olderThanSeconds: 60), limit: 10).matched == 0)
            try await Self.wait { await broker.retainedMessages(RetainedQuery(filter: "$SYS/broker/version"), limit: 1).matched == 1 }
            #expect(await broker.retainedMessages(RetainedQuery(filter: "$SYS/#"), limit: 1_000).matched > 1)
            #expect(await broker.removeRetained(RetainedQuery(filter: "$SYS/#")).matched == 0)
            #expect(await broker.retainedMessages(RetainedQuery(filter: "#"), limit: 1_000).matched == 601)
            let page = await broker.retainedMessages(from: "r/", limit: 2) { $0 != "r/1" }
            #expect(page.rows.map(\.message.topicName) == ["r/0", "r/10"] && page.next == "r/100")
            let end = await broker.retainedMessages(from: "r/98", limit: 9) { _ in true }
            #expect(end.rows.map(\.message.topicName) == ["r/98", "r/99"] && end.next == nil)
            try await RawClient.run(port: port) { client in
                try await client.send(Packets.connect("a") + Packets.subscribe("r/1"))
                #expect(try await client.receive(Packets.suback))
                let none = await broker.removeRetained(RetainedQuery(filter: "r/#", olderThanSeconds: 60))
                #expect(none == RetainedRemoval(matched: 0, removed: 0, topics: []))
                let removal = await broker.removeRetained(RetainedQuery(filter: "r/#"))
                #expect(removal.matched == 600 && removal.removed == 600 && removal.topics.count == 100)
                #expect(removal.topics.first == "r/0")
                #expect(try await client.receive(Packets.publish("r/1", "")))
            }
            #expect(await broker.retainedMessages(RetainedQuery(filter: "#"), limit: 10).rows.map(\.message.topicName) == ["other"])
        }
    }

    @Test("The tree has what was published and what is retained")
    func tree() async throws {
        try await TestSite.run { site in
            _ = try await site.start(TestSite.plain)
            let broker = site.broker
            await broker.publish([
                Message(topic: "shop/1", payload: "a".utf8, qos: .atMostOnce, retain: true),
                Message(topic: "shop/1/x", payload: "bb".utf8, qos: .atMostOnce),
                Message(topic: "lab", payload: "c".utf8, qos: .atMostOnce),
            ])
            let first = await broker.topicLevel(under: nil, search: nil, limit: 10)
            #expect(first.map(\.name) == ["lab", "shop"] && first[1].messages == 2 && first[1].topics == 2)
            let below = try #require(await broker.topicLevel(under: "shop", search: nil, limit: 10).first)
            #expect(below.isTopic && below.retained && below.children == 1)
            #expect(String(buffer: try #require(below.sample).bytes) == "a")
            #expect(await broker.topicLevel(under: nil, search: "LAB", limit: 10).map(\.name) == ["lab"])
            #expect(await broker.topics(TopicQuery(search: "shop", order: .messages, limit: 1)).map(\.topic) == ["shop/1"])
            #expect(await broker.topics(matching: "shop/#", limit: 10).map(\.retained) == [true, false])
        }
    }

    /// Reads a trace to its client's end; afterwards nobody reads it.
    private static func names(of trace: consuming AsyncStream<TracedStep>) async -> [String] {
        var names: [String] = []
        for await step in trace {
            names.append(step.name)
            if step.name == "session ended" { break }
        }
        return names
    }

    /// Looks again and again, and ends with its test's time.
    private static func wait(until isSo: () async -> Bool) async throws {
        while await !isSo() { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("A trace begins before its client, and ends by itself and when its reader goes", .timeLimit(.minutes(1)))
    func traces() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            let trace = site.broker.trace("a", seconds: 600, linesPerSecond: 100)
            try await RawClient.run(port: port) { client in
                try await client.send(Packets.connect("a") + Packets.publish("t", "x"))
                #expect(try await client.receive(Packets.connack))
            }
            let names = await Self.names(of: consume trace)
            for name in ["CONNECT", "session begun", "CONNACK", "PUBLISH", "connection closed"] {
                #expect(names.contains(name), "\(names)")
            }
            for await _ in site.broker.trace("nobody", seconds: 1, linesPerSecond: 100) {}  // ends
            try await Self.wait { await site.traces() == 0 }
            let other = Task { for await _ in site.broker.trace("b", seconds: 3_600, linesPerSecond: 1) {} }
            try await Self.wait { await site.traces() == 1 }
            other.cancel()
            try await Self.wait { await site.traces() == 0 }
        }
    }

    @Test("A sampled tail shows one of so many, and does not call the others skipped")
    func sampledTail() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.plain)
            let tail = site.broker.tail("t", every: 3)
            try await RawClient.run(port: port) { client in
                try await client.send(Packets.connect("p") + (0..<7).flatMap { Packets.publish("t", "\($0)") })
                var seen: [String] = []
                for await message in tail {
                    seen.append("\(String(buffer: message.message.payload)) \(message.skipped)")
                    if seen.count == 3 { break }
                }
                #expect(seen == ["0 0", "3 0", "6 0"])
            }
        }
    }
}

extension TestSite {
    /// Traces that the first event loop knows.
    fileprivate func traces() async -> Int {
        let loop = broker.shards[0]
        return (try? await loop.eventLoop.submit { loop.value.shard.traceCount }.get()) ?? 0
    }
}

extension ShardDriver {
    /// A client that connects, and whose session stays when it goes at once.
    fileprivate func addSession(named name: String) {
        let connection = shard.accepted(ConnectionInfo(peer: "test", listener: "test", allowsAnonymous: true), now: .now)
        var packet = ByteBuffer(bytes: Packets.connect(name))
        packet.setInteger(UInt8(0), at: 9)  // no clean session
        shard.received(packet, on: connection, now: .now)
        shard.transportClosed(connection, reason: .closedByPeer, now: .now)
    }
}

/// The cipher suite that a ServerHello names.
@Suite struct ServerHelloTests {
    private func hello(_ suite: UInt16, session: Int) -> ByteBuffer {
        var bytes = ByteBuffer(bytes: [22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3])
        bytes.writeRepeatingByte(7, count: 32)
        bytes.writeInteger(UInt8(session))
        bytes.writeRepeatingByte(8, count: session)
        bytes.writeInteger(suite)
        return bytes
    }

    @Test(
        "By IANA's name, or by its number",
        arguments: [
            (UInt16(0x1301), 32, "TLS_AES_128_GCM_SHA256"), (0xC02B, 0, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), (0x00FF, 32, "0x00FF"),
        ])
    func suites(number: UInt16, session: Int, name: String) {
        #expect(ServerHelloHandler.cipherSuite(in: hello(number, session: session)) == name)
    }

    @Test("What is no ServerHello names none, however short it is")
    func others() {
        let whole = hello(0x1301, session: 32)
        for length in 0..<whole.readableBytes {
            #expect(ServerHelloHandler.cipherSuite(in: whole.getSlice(at: 0, length: length) ?? ByteBuffer()) == nil)
        }
        for (place, byte) in [(0, UInt8(21)), (5, 11)] {  // no handshake, and a handshake's other message
            var other = whole
            other.setInteger(byte, at: place)
            #expect(ServerHelloHandler.cipherSuite(in: other) == nil)
        }
    }
}
