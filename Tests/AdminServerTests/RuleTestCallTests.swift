import AdminServer
import Documents
import EventBus
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

/// Why a rule wants an event or does not, asked of a running broker.
@Suite struct RuleTestCallTests {
    @Test("A rule in force is tried field by field")
    func rule() async throws {
        let fixture = try InspectionFixture()
        let missed = try await fixture.change("/api/v1/rules/test", #"{"rule":"UserStatus","event":"{\"source\":\"other\"}"}"#)
        let document = try InspectionCallTests.decode(RuleTrialDocument.self, missed)
        #expect(!document.matches && document.alternatives?.first?.fields.first?.path == "source")
        let met = try await fixture.change("/api/v1/rules/test", #"{"rule":"UserStatus","event":"{\"source\":\"shop.orders\"}"}"#)
        #expect(try InspectionCallTests.decode(RuleTrialDocument.self, met).matches)
        #expect(fixture.engine.ruleStatistics().first?.matched == 0, "nothing is delivered or counted")
    }

    @Test("A pattern that no rule has is tried, too")
    func pattern() async throws {
        let body = #"{"pattern":"{\"detail\":{\"price\":[{\"numeric\":[\">\",3]}]}}","event":"{\"detail\":{\"price\":4}}"}"#
        let response = try await InspectionFixture().change("/api/v1/rules/test", body)
        #expect(try InspectionCallTests.decode(RuleTrialDocument.self, response).matches)
    }

    @Test(
        "What cannot be tried says why",
        arguments: [
            (#"{"rule":"UserStatus","event":"["}"#, "the event is not JSON", 200),
            (#"{"pattern":"{\"a\":[{\"like\":1}]}","event":"{}"}"#, "cannot be read", 200),
            (#"{"rule":"none","event":"{}"}"#, "no rule called none", 404),
            (#"{"event":"{}"}"#, "either a 'rule' or a 'pattern'", 400), (#"{"rule":"UserStatus"}"#, "it has no 'event'", 400),
            (#"{"rule":"UserStatus","event":"{}","colour":1}"#, "the call knows no 'colour'", 400),
        ])
    func refused(body: String, reason: String, status: Int) async throws {
        let response = try await InspectionFixture().change("/api/v1/rules/test", body)
        #expect(response.status.code == status && response.text.contains(reason))
        if status == 200 { #expect(try !InspectionCallTests.decode(RuleTrialDocument.self, response).matches) }
    }

    @Test("An archive is replayed by a range of times, to rules of its bus")
    func replay() async throws {
        let fixture = try InspectionFixture()
        _ = try fixture.engine.createArchive(
            try ArchiveDeclaration(
                name: "kept", bus: "default", patternText: nil, retentionDays: 2, location: SourceLocation(file: "CreateArchive now")))
        let path = "/api/v1/archives/kept/replay"
        let times = #""from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z""#
        let started = try await fixture.change(path, "{\(times),\"name\":\"again\",\"rules\":[\"UserStatus\"]}")
        let replay = try InspectionCallTests.decode(ArchivesDocument.Replay.self, started)
        #expect(replay.name == "again" && replay.from == "2026-01-01T00:00:00Z" && replay.bus == "default")
        #expect(try await fixture.change(path, "{\(times),\"rules\":[\"none\"]}").status == .notFound)
        #expect(try await fixture.change("/api/v1/archives/none/replay", "{\(times)}").status == .notFound)
        #expect(try await fixture.change(path, #"{"from":"yesterday","to":"today"}"#).text.contains("2026-01-31T08:30:00Z"))
        #expect(try await fixture.change("/api/v1/replays/again", "{}", method: .delete).status == .ok)
    }
}
