import AdminServer
import BrokerCore
import CremaTesting
import Foundation
import Hummingbird
import HummingbirdTesting
import MQTTCodec
import NIOCore
import Synchronization
import Testing

/// What operators do by the admin API: clients, subscriptions, topics, retained messages, a message by hand, a trace.
@Suite struct OperatorCallTests {
    private static func client(_ id: String, queuedBytes: Int = 0, dropped: UInt64 = 0, slow: Bool = false) -> ClientSummary {
        var client = InspectionCallTests.client(id)
        client.queuedBytes = queuedBytes
        client.isSlow = slow
        client.drops = dropped == 0 ? [:] : ["queue_full": dropped]
        client.connectedMilliseconds = 5_000
        client.tls = TLSSummary(version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", certificate: "till")
        return client
    }

    private static func rows<Row: Codable & Sendable>(_ type: Row.Type, _ response: TestResponse) throws -> [Row] {
        try InspectionCallTests.decode(ListDocument<Row>.self, response).rows
    }

    private func asked(_ fixture: InspectionFixture) -> [String] { fixture.broker.operators.withLock { $0.asked } }

    // MARK: Clients

    @Test("Clients say how they are connected, and come in the order that is asked for")
    func clients() async throws {
        let fixture = try InspectionFixture(
            broker: StagedBroker(clients: [Self.client("a"), Self.client("b", queuedBytes: 9), Self.client("c", dropped: 2, slow: true)]))
        for (sort, ids) in [("id", "abc"), ("queued", "bac"), ("dropped", "cab"), ("slow", "cba")] {
            let rows = try Self.rows(ClientDocument.self, try await fixture.get("/api/v1/clients?sort=\(sort)"))
            #expect(rows.map(\.clientID).joined() == ids, "\(sort)")
        }
        let rows = try Self.rows(ClientDocument.self, try await fixture.get("/api/v1/clients?search=x&state=offline&limit=2"))
        #expect(rows.count == 2)
        #expect(asked(fixture).last == "x offline id 3")
        #expect(rows[1].queuedBytes == 9 && rows[1].tls?.version == "TLSv1.3" && rows[1].tls?.certificate == "till")
        #expect(rows[1].tls?.cipher == "TLS_AES_128_GCM_SHA256")
        let connectedAt = try #require(rows[0].connectedAt)
        #expect(connectedAt.hasSuffix("Z") && connectedAt.utf8.count == 20 && connectedAt > "2026")
    }

    @Test("One client is answered with its subscriptions, and one that is not there by its name")
    func oneClient() async throws {
        let fixture = try InspectionFixture(broker: StagedBroker(clients: [Self.client("a/b c")]))
        fixture.broker.operators.withLock {
            $0.subscriptions = [SubscriptionSummary(clientID: "a/b c", connected: true, filter: "$share/g/t", qos: 1, retainHandling: 0)]
        }
        let client = try InspectionCallTests.decode(ClientDocument.self, try await fixture.get("/api/v1/clients/a%2Fb%20c"))
        #expect(client.subscriptionList?.first?.share == "g" && client.subscriptionList?.first?.retainHandling == 0)
        let missing = try await fixture.get("/api/v1/clients/nobody")
        #expect(missing.status == .notFound && missing.text.contains("'nobody'"))
    }

    @Test("A kick is a change: it says who did it, and what came of it")
    func kick() async throws {
        let log = LogRecorder()
        let fixture = try InspectionFixture(broker: StagedBroker(clients: [Self.client("a")]), log: log.logger)
        #expect(try await fixture.get("/api/v1/clients/a", method: .delete, headers: [.origin: "https://x.example"]).status == .forbidden)
        #expect(asked(fixture) == [])
        let kept = try await fixture.change("/api/v1/clients/a", method: .delete)
        #expect(kept.text == #"{"closed":true,"sessionRemoved":false}"#)
        let removed = try await fixture.change("/api/v1/clients/a?session=remove", method: .delete)
        #expect(removed.text == #"{"closed":true,"sessionRemoved":true}"#)
        #expect(asked(fixture) == ["kick a false", "kick a true"])
        let line = try #require(await log.next("client kicked"))
        #expect(line.metadata["client_id"] == "a" && line.metadata["by"] != nil)
        #expect(try await fixture.change("/api/v1/clients/b", method: .delete).status == .notFound)
        // A name that every browser takes for a step of the path.
        #expect(try await fixture.get("/api/v1/clients/-?id=a").status == .ok)
        #expect(try await fixture.get("/api/v1/clients/a?id=..").text.contains("client '..'"))
        #expect(try await fixture.change("/api/v1/clients/a?session=x", method: .delete).status == .badRequest)
    }

    // MARK: Subscriptions

    @Test("Who gets a topic is asked by its name; lists by client and filter")
    func subscriptions() async throws {
        let fixture = try InspectionFixture()
        fixture.broker.operators.withLock {
            $0.subscriptions = [SubscriptionSummary(clientID: "a", connected: true, filter: "t/#", qos: 1, subscriptionIdentifier: 7)]
        }
        let rows = try Self.rows(SubscriptionDocument.self, try await fixture.get("/api/v1/subscriptions?topic=t/1"))
        #expect(rows.first?.filter == "t/#" && rows.first?.subscriptionIdentifier == 7 && rows.first?.share == nil)
        _ = try await fixture.get("/api/v1/subscriptions?client=a&filter=t/%23&limit=5")
        _ = try await fixture.get("/api/v1/subscriptions?topic=t/1&client=b")
        _ = try await fixture.get("/api/v1/subscriptions?filter=$share/g/t/%23")
        #expect(
            asked(fixture) == [
                "client  filter  topic t/1 1001", "client a filter t/# topic  6", "client b filter  topic t/1 1001",
                "client  filter $share/g/t/# topic  1001",
            ])
        for wrong in ["topic=t/%23", "topic=", "filter=a%23"] {
            #expect(try await fixture.get("/api/v1/subscriptions?\(wrong)").status == .badRequest, "\(wrong)")
        }
    }

    // MARK: Topics

    @Test("A level of the tree says what is below each name, and a topic's last payload")
    func tree() async throws {
        var topic = TopicBranch(name: "1", topic: "orders/1")
        topic.isTopic = true
        topic.children = 2
        topic.topics = 3
        topic.messagesPerSecond = 1.23456
        topic.lastSeen = Instant(nanoseconds: 0)
        topic.sample = PayloadSample(bytes: ByteBuffer(bytes: Array("abé".utf8.dropLast())), payloadBytes: 400, messagesSince: 5)
        var binary = TopicBranch(name: "2", topic: "orders/2")
        binary.sample = PayloadSample(bytes: ByteBuffer(bytes: [0xFF]), payloadBytes: 1)
        let fixture = try InspectionFixture()
        fixture.broker.operators.withLock { [topic, binary] in $0.branches = [topic, binary, TopicBranch(name: "x", topic: "orders/x")] }
        let rows = try Self.rows(
            TopicBranchDocument.self, try await fixture.get("/api/v1/topics/tree?under=orders&search=o&limit=3"))
        #expect(rows.map(\.name) == ["1", "2", "x"])
        #expect(rows[0].lastPayload == "ab" && rows[0].truncated == true && rows[0].payloadBytes == 400 && rows[0].messagesSince == 5)
        #expect(rows[0].messagesPerSecond == 1.23 && rows[0].lastSeenSeconds == 0 && rows[0].children == 2 && rows[0].topics == 3)
        #expect(rows[1].lastPayload == "/w==" && rows[1].encoding == .base64)
        #expect(rows[2].lastPayload == nil && rows[2].lastSeenSeconds == nil)
        #expect(asked(fixture) == ["under orders o 4"])
        _ = try await fixture.get("/api/v1/topics?search=o&sort=messages")
        #expect(asked(fixture).last == "topics # o messages")
        #expect(try await fixture.get("/api/v1/topics?sort=bytes").status == .badRequest)
    }

    // MARK: Retained messages

    @Test("Retained messages are listed with whose they are, and removed by a filter only")
    func retained() async throws {
        let log = LogRecorder()
        let fixture = try InspectionFixture(log: log.logger)
        let message = Message(
            topic: ByteBuffer(string: "a"), payload: ByteBuffer(string: "on"), qos: .atLeastOnce, retain: true,
            properties: MessageProperties(forwarded: nil, expiresAt: Instant(nanoseconds: 9_000_000_000)))
        let summary = RetainedSummary(
            message: message, ageMilliseconds: 61_500, retainedMilliseconds: 1, publisher: Publisher(clientID: "till", principal: nil))
        fixture.broker.operators.withLock { $0.retained = [summary] }
        let row = try #require(
            try Self.rows(RetainedDocument.self, try await fixture.get("/api/v1/retained?filter=a&olderThanSeconds=60")).first)
        #expect((row.topic, row.payload, row.bytes, row.qos) == ("a", "on", 2, 1))
        #expect((row.ageSeconds, row.expiresSeconds, row.publisher) == (61, 9, "till"))
        #expect(try await fixture.change("/api/v1/retained", method: .delete).status == .badRequest, "no filter")
        for call in ["retained", "topics", "tail"] {
            let refused = try await fixture.get("/api/v1/\(call)?filter=$share/g/a/%23")
            #expect(refused.status == .badRequest && refused.text.contains("shared subscription"), "\(call)")
            #expect(refused.text.contains("write 'a/#'"))
        }
        #expect(try await fixture.get("/api/v1/retained?filter=$SYS/%23").status == .ok)
        for filter in ["$SYS/%23", "$%CC%81/%23"] {
            let own = try await fixture.change("/api/v1/retained?filter=\(filter)", method: .delete)
            #expect(own.status == .badRequest && own.text.contains("broker's own"), "\(filter)")
        }
        let foreign: HTTPFields = [.origin: "https://x.example"]
        #expect(try await fixture.get("/api/v1/retained?filter=a", method: .delete, headers: foreign).status == .forbidden)
        let preview = try await fixture.change("/api/v1/retained?filter=a/%23&preview=true", method: .delete)
        #expect(preview.text == #"{"matched":1,"removed":0,"topics":["a"]}"#)
        #expect(!asked(fixture).contains { $0.hasPrefix("remove") })
        let removed = try await fixture.change("/api/v1/retained?filter=a/%23&olderThanSeconds=3600", method: .delete)
        #expect(removed.text == #"{"matched":2,"removed":2,"topics":["a","b"]}"#)
        #expect(asked(fixture).last == "remove a/# 3600")
        let line = try #require(await log.next("retained messages removed"))
        #expect(line.metadata["filter"] == "a/#" && line.metadata["removed"] == "2" && line.metadata["by"] != nil)
        fixture.broker.operators.withLock { $0.hasRoom = false }
        #expect(try await fixture.change("/api/v1/retained?filter=a", method: .delete).status == .serviceUnavailable)
    }

    // MARK: A message by hand

    @Test("A message by hand is published as it is given, and logged without its payload")
    func publish() async throws {
        let log = LogRecorder()
        let fixture = try InspectionFixture(log: log.logger)
        let answer = try await fixture.change("/api/v1/publish", #"{"topic":"a/b","payload":"hällo","qos":2,"retain":true}"#)
        #expect(answer.text == #"{"published":true}"#)
        _ = try await fixture.change("/api/v1/publish", #"{"topic":"a","payload":"/wA=","encoding":"base64"}"#)
        let published = fixture.broker.operators.withLock { $0.published }
        #expect(published.map(\.topicName) == ["a/b", "a"])
        #expect(String(buffer: published[0].payload) == "hällo" && published[0].qos == .exactlyOnce && published[0].retain)
        #expect(Array(published[1].payload.readableBytesView) == [0xFF, 0] && published[1].qos == .atMostOnce && !published[1].retain)
        let line = try #require(await log.next("message published by an operator"))
        #expect(line.metadata["topic"] == "a/b" && line.metadata["bytes"] == "6")
        #expect(!line.metadata.values.contains { "\($0)".contains("hällo") })
    }

    @Test(
        "Threat 43: what is no message for clients is refused by name",
        arguments: [
            (#"{"topic":"a/#","payload":""}"#, "topic"), (#"{"topic":"a/+","payload":""}"#, "topic"),
            (#"{"topic":"","payload":""}"#, "topic"),
            (#"{"topic":"$SYS/x","payload":""}"#, "$"), (#"{"topic":"a","payload":"","qos":3}"#, "qos"),
            (#"{"topic":"a","payload":"","qos":-1}"#, "qos"), (#"{"topic":"a"}"#, "payload"), (#"{"payload":"a"}"#, "topic"),
            (#"{"topic":"a","payload":"%","encoding":"base64"}"#, "base64"), (#"{"topic":"a","payload":"","encoding":"x"}"#, "encoding"),
            (#"{"topic":"a","payload":"","retained":true}"#, "retained"), ("", "JSON"), ("[]", "type"),
            (#"{"topic":"\#(String(repeating: "t", count: 101))","payload":""}"#, "topicBytesMax"),
        ])
    func refusedPublish(body: String, word: String) async throws {
        let fixture = try InspectionFixture()
        let answer = try await fixture.change("/api/v1/publish", body)
        #expect(answer.status == .badRequest && answer.text.contains(word), "\(answer.text)")
        #expect(fixture.broker.operators.withLock { $0.published }.isEmpty)
    }

    @Test("Without room a message is refused, and a page elsewhere publishes nothing")
    func guardedPublish() async throws {
        let fixture = try InspectionFixture()
        let body = #"{"topic":"a","payload":""}"#
        let foreign = try await fixture.server.application.test(.router) { client in
            try await client.execute(
                uri: "/api/v1/publish", method: .post, headers: [.contentType: "application/json", .origin: "https://evil.example"],
                body: ByteBuffer(string: body))
        }
        #expect(foreign.status == .forbidden)
        #expect(try await fixture.get("/api/v1/publish", method: .post).status == .unsupportedMediaType)
        fixture.broker.operators.withLock { $0.hasRoom = false }
        #expect(try await fixture.change("/api/v1/publish", body).status == .serviceUnavailable)
        #expect(fixture.broker.operators.withLock { $0.published }.isEmpty)
    }
}
