import AdminServer
import BrokerCore
import Documents
import EventBus
import FoundationEssentials
import Hummingbird
import HummingbirdTesting
import Testing

@Suite struct InspectionCallTests {
    static func client(_ id: String) -> ClientSummary {
        ClientSummary(
            clientID: id, connected: true, principal: "till", userName: nil, peer: "10.0.0.1:5000", listener: "mqtts 0.0.0.0:8883",
            protocolVersion: "3.1.1", cleanSession: false, keepAliveSeconds: 60, connectedSeconds: 5, subscriptions: 2, queued: 3,
            inFlight: 1, drops: [:])
    }

    static func decode<Document: Decodable>(_ type: Document.Type, _ response: TestResponse) throws -> Document {
        try JSONDecoder().decode(type, from: Data(response.body.readableBytesView))
    }

    @Test func clientsAreListed() async throws {
        let fixture = try InspectionFixture(broker: StagedBroker(clients: [Self.client("a"), Self.client("b\u{1B}[31m")]))
        let response = try await fixture.get("/api/v1/clients")
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "application/json")
        let list = try Self.decode(ListDocument<ClientDocument>.self, response)
        #expect(list.rows.map(\.clientID) == ["a", "b\u{1B}[31m"])
        #expect(list.rows[0].principal == "till" && list.rows[0].queued == 3 && !list.more)
        #expect(!response.body.readableBytesView.contains(0x1B))
    }

    @Test func aLimitCutsAListAndSaysSo() async throws {
        let topics = (0..<5).map { TopicSummary(topic: "t/\($0)", messages: 1, bytes: 2, lastSeenSeconds: 3, retained: false) }
        let fixture = try InspectionFixture(broker: StagedBroker(clients: [Self.client("a"), Self.client("b")], topics: topics))
        let some = try Self.decode(ListDocument<TopicDocument>.self, try await fixture.get("/api/v1/topics?limit=4"))
        #expect(some.rows.count == 4 && some.more)
        let all = try Self.decode(ListDocument<TopicDocument>.self, try await fixture.get("/api/v1/topics?limit=5"))
        #expect(all.rows.count == 5 && !all.more)
        let clients = try Self.decode(ListDocument<ClientDocument>.self, try await fixture.get("/api/v1/clients?limit=1"))
        #expect(clients.rows.count == 1 && clients.more)
    }

    @Test func aFilterIsDecoded() async throws {
        let topics = ["a b/é", "other"].map { TopicSummary(topic: $0, messages: 1, bytes: 2, lastSeenSeconds: 3, retained: true) }
        let fixture = try InspectionFixture(broker: StagedBroker(topics: topics))
        let list = try Self.decode(ListDocument<TopicDocument>.self, try await fixture.get("/api/v1/topics?filter=a+b%2F%C3%A9"))
        #expect(list.rows.map(\.topic) == ["a b/é"])
    }

    @Test(arguments: [
        "topics?limit=0", "topics?limit=-1", "topics?limit=10001", "topics?limit=99999999999999999999", "topics?limit=x", "topics?limit",
        "topics?filter=", "topics?filter=a%23", "topics?filter=%23/a", "topics?filter=a%00", "topics?filter=%ff", "topics?filter=%2",
        "topics?colour=red", "topics?limit=1&limit=2", "clients?filter=a", "rules?limit=1", "deadletters?limit=0", "tail?filter=a+b%2B",
        "version?x=1", "statistics?x",
    ])
    func aWrongQueryIsRefusedWithTheReason(call: String) async throws {
        let response = try await InspectionFixture().get("/api/v1/\(call)")
        #expect(response.status == .badRequest)
        let document = try Self.decode(ErrorDocument.self, response)
        #expect(!document.error.isEmpty)
    }

    @Test func archivesAndReplaysAreListedWithWhereTheyCameFrom() async throws {
        let fixture = try InspectionFixture()
        _ = try fixture.engine.createArchive(
            try ArchiveDeclaration(
                name: "kept", bus: "default", patternText: nil, retentionDays: 2, location: SourceLocation(file: "CreateArchive now")))
        try fixture.putEvents()
        _ = try fixture.engine.startReplay(try ReplayRequest(name: "again", archive: "kept", destination: "default", start: 0, end: 1_000))
        let document = try Self.decode(ArchivesDocument.self, try await fixture.get("/api/v1/archives"))
        let archive = try #require(document.archives.first)
        #expect((archive.name, archive.bus, archive.events, archive.retentionDays) == ("kept", "default", 2, 2))
        #expect(archive.bytes > 256 && archive.location == "CreateArchive now" && !archive.left)
        let replay = try #require(document.replays.first)
        #expect((replay.name, replay.archive, replay.state, replay.to) == ("again", "kept", "STARTING", "1970-01-01T00:00:01Z"))
        let destinations = try Self.decode(DestinationsDocument.self, try await fixture.get("/api/v1/destinations"))
        #expect(destinations.connections.isEmpty && destinations.destinations.isEmpty)
    }

    @Test func rulesSayWhatTheyDid() async throws {
        let fixture = try InspectionFixture()
        try fixture.putEvents()
        let rules = try Self.decode(ListDocument<RuleDocument>.self, try await fixture.get("/api/v1/rules")).rows
        let rule = try #require(rules.first)
        #expect(rule.kind == "event" && rule.bus == "default" && rule.enabled)
        #expect(rule.matched == 2 && rule.delivered == 1 && rule.failed == 1)
        #expect(rule.location.hasPrefix("shop.yaml:"))
        #expect(rule.lastError?.isEmpty == false)
    }

    @Test func deadLettersAreListedWithTheirEvent() async throws {
        let fixture = try InspectionFixture()
        try fixture.putEvents()
        let letters = try Self.decode(ListDocument<DeadLetterDocument>.self, try await fixture.get("/api/v1/deadletters")).rows
        let letter = try #require(letters.first)
        #expect(letters.count == 1 && letter.target == "user" && letter.bus == "default")
        #expect(letter.event.contains(#""detail":{}"#))
        #expect(letter.time.hasSuffix("Z") && letter.time.utf8.count == 20)
    }

    @Test func statisticsAndVersionAreAnswered() async throws {
        var statistics = BrokerStatistics()
        statistics.messagesDropped = ["queue_full": 7]
        let fixture = try InspectionFixture(broker: StagedBroker(statistics: statistics))
        try fixture.putEvents()
        let answer = try Self.decode(StatisticsDocument.self, try await fixture.get("/api/v1/statistics"))
        #expect(answer.broker.messagesDropped == ["queue_full": 7])
        #expect(answer.events.accepted == 2)
        #expect(try await fixture.get("/api/v1/version").text == #"{"name":"crema","version":"1.2.3"}"#)
    }
}
