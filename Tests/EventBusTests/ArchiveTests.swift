import BrokerCore
import Documents
import Testing

@testable import EventBus

/// A bus with a rule, an archive of everything and one of some events.
private let archiveRules = """
    Resources:
      Shop: { Type: AWS::Events::EventBus, Properties: { Name: shop } }
      All: { Type: AWS::Events::Archive, Properties: { ArchiveName: all, SourceArn: !GetAtt Shop.Arn } }
      Large:
        Type: AWS::Events::Archive
        Properties: { ArchiveName: large, SourceArn: !GetAtt Shop.Arn, EventPattern: { detail: { size: [L] } }, RetentionDays: 1 }
      One:
        Type: AWS::Events::Rule
        Properties:
          Name: one
          EventBusName: shop
          EventPattern: { source: [shop] }
          Targets: [{ Id: t, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/one', InputPath: $.detail.n }]
      Two:
        Type: AWS::Events::Rule
        Properties:
          Name: two
          EventBusName: shop
          EventPattern: { replay-name: [{ exists: true }] }
          Targets: [{ Id: t, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/two' }]
    """

@Suite struct ArchiveTests {
    private func site(_ limits: EventBusLimits = .init()) throws -> EngineFixture {
        let fixture = try EngineFixture(archiveRules, limits: limits)
        try fixture.engine.declareArchives(try resources(archiveRules), buses: ["default", "shop"], onlyTrying: false)
        return fixture
    }

    private func request(
        _ name: String, archive: String = "all", bus: String = "shop", rules: [String] = [], from start: Int64 = 0,
        to end: Int64 = 3_600_000
    ) throws(ControlError) -> ReplayRequest {
        try ReplayRequest(
            name: name, archive: archive, destination: bus, filterARNs: rules, start: TestWorld.start + start, end: TestWorld.start + end)
    }

    private func replay(_ fixture: EngineFixture, most: Int = 100) -> [Published] {
        var messages: [Published] = []
        while fixture.engine.hasRunningReplays { messages += fixture.engine.runReplays(eventsMax: most).messages.map(Published.init) }
        return messages
    }

    @Test func anArchiveKeepsWhatItsPatternWants() throws {
        let fixture = try site()
        for (number, size) in ["L", "S", "L"].enumerated() {
            _ = try fixture.put(#"{"n":\#(number),"size":"\#(size)"}"#, bus: "shop")
            _ = try fixture.put(#"{"n":\#(number),"size":"\#(size)"}"#)
        }
        #expect(fixture.engine.archives().map { "\($0.declaration.name) \($0.eventCount)" } == ["all 3", "large 2"])
        #expect(fixture.engine.counters.eventsArchived == 3)
        #expect(try fixture.engine.describeArchive("large").bytes == fixture.engine.counters.archivedBytes * 2 / 5)
    }

    @Test func aReplayPutsTheEventsOfATimeOnTheirBusAgain() throws {
        let fixture = try site()
        for number in 0..<5 {
            _ = try fixture.put("{\"n\":\(number)}", bus: "shop")
            fixture.world.advance(milliseconds: 60_000)
        }
        let started = try fixture.engine.startReplay(try request("again", from: 60_000, to: 240_000))
        #expect(started.state == .starting)
        let messages = replay(fixture, most: 2)
        #expect(messages.filter { $0.topic == "one" }.map(\.payload) == ["1", "2", "3"])
        let whole = try #require(messages.first { $0.topic == "two" })
        #expect(
            whole.payload == #"{"version":"0","id":"id-2","detail-type":"type","source":"shop","account":"000000000000","#
                + #""time":"2026-01-02T03:05:05Z","region":"us-east-1","replay-name":"again","resources":[],"detail":{"n":1}}"#)
        let replay = try fixture.engine.describeReplay("again")
        #expect(replay.state == .completed)
        #expect(replay.lastReplayedMilliseconds == TestWorld.start + 180_000)
        // What is replayed is archived already.
        #expect(try fixture.engine.describeArchive("all").eventCount == 5)
        #expect(fixture.engine.counters.eventsReplayed == 3)
    }

    @Test func aReplayMayBeForSomeRulesOnly() throws {
        let fixture = try site()
        _ = try fixture.put(#"{"n":1}"#, bus: "shop")
        let arn = "arn:aws:events:us-east-1:000000000000:rule/shop/one"
        _ = try fixture.engine.startReplay(try request("some", rules: [arn]))
        #expect(replay(fixture).map(\.topic) == ["one"])
    }

    @Test func aReplayThatIsCancelledEnds() throws {
        let fixture = try site()
        for number in 0..<3 { _ = try fixture.put("{\"n\":\(number)}", bus: "shop") }
        _ = try fixture.engine.startReplay(try request("again"))
        #expect(fixture.engine.runReplays(eventsMax: 1).messages.count == 2)
        #expect(try fixture.engine.cancelReplay("again").state == .cancelling)
        #expect(replay(fixture).isEmpty)
        #expect(try fixture.engine.describeReplay("again").state == .cancelled)
        #expect(throws: ControlError(.illegalStatus, "Replay again is not in a valid state for this operation.")) {
            try fixture.engine.cancelReplay("again")
        }
    }

    @Test func aReplayThatWaitsForTargetsCanBeCancelled() throws {
        let fixture = try site()
        for number in 0..<3 { _ = try fixture.put("{\"n\":\(number)}", bus: "shop") }
        _ = try fixture.engine.startReplay(try request("again"))
        #expect(fixture.engine.runReplays(eventsMax: 0).messages.isEmpty)
        #expect(try fixture.engine.describeReplay("again").state == .running)
        _ = try fixture.engine.cancelReplay("again")
        #expect(fixture.engine.runReplays(eventsMax: 0).messages.isEmpty)
        #expect(try fixture.engine.describeReplay("again").state == .cancelled)
    }

    @Test func replaysWaitForWhatTheyCauseAndForNothingElse() {
        var limits = EventBusLimits()
        limits.replayPendingMax = 10
        var pace = ReplayPace(limits)
        // A thousand for a dead target were there before.
        var answers = [1_000, 1_009, 1_010, 1_005].map { pace.admits(pending: $0) }
        #expect(answers == [true, true, false, true])
        answers = [3, 12, 13].map { pace.admits(pending: $0) }
        #expect(answers == [true, true, false])
        pace.end()
        answers = [13].map { pace.admits(pending: $0) }
        #expect(answers == [true])
    }

    /// By the minute of the events' own times, whatever the order in which they came.
    @Test func eventsAreReplayedByTheirOwnTime() throws {
        let fixture = try site()
        for (number, minutes) in [3, 1, 2, 1].enumerated() {
            let entry = PutEventsEntry(
                source: "shop", detailType: "type", detail: Array("{\"n\":\(number)}".utf8), eventBusName: "shop",
                timeMilliseconds: TestWorld.start + Int64(minutes) * 60_000)
            _ = try fixture.engine.putEvents([entry])
        }
        _ = try fixture.engine.startReplay(try request("again"))
        #expect(replay(fixture).filter { $0.topic == "one" }.map(\.payload) == ["1", "3", "2", "0"])
    }

    @Test func whatIsTooOldIsDropped() throws {
        let fixture = try site()
        _ = try fixture.put(#"{"n":1,"size":"L"}"#, bus: "shop")
        fixture.world.advance(milliseconds: 86_400_001)
        #expect(fixture.engine.archives().map(\.eventCount) == [1, 0])
    }

    @Test func theBytesOfAllArchivesAreBounded() throws {
        var limits = EventBusLimits()
        limits.archiveBytesMax = 2_000
        let fixture = try site(limits)
        for number in 0..<50 { _ = try fixture.put("{\"n\":\(number)}", bus: "shop") }
        let counters = fixture.engine.counters
        #expect(counters.archivedBytes <= 2_000)
        #expect(counters.archivedBytes > 1_500)
        #expect(UInt64(try fixture.engine.describeArchive("all").eventCount) + counters.archivedEventsDropped == 50)
        _ = try fixture.engine.startReplay(try request("rest"))
        #expect(replay(fixture).last { $0.topic == "one" }?.payload == "49")
    }

    /// An archive that is full does not keep others empty.
    @Test func theLargestArchiveMakesRoom() throws {
        var limits = EventBusLimits()
        limits.archiveBytesMax = 20_000
        let fixture = try site(limits)
        for number in 0..<200 { _ = try fixture.put("{\"n\":\(number)}", bus: "shop") }
        _ = try fixture.engine.createArchive(try ArchiveDeclaration(name: "new", bus: "shop", patternText: nil))
        for number in 0..<10 { _ = try fixture.put("{\"n\":\(number)}", bus: "shop") }
        #expect(try fixture.engine.describeArchive("new").eventCount == 10)
        #expect(fixture.engine.counters.archivedBytes <= 20_000)
    }

    @Test func theNumbersOfArchivesAndReplaysAreBounded() throws {
        var limits = EventBusLimits()
        limits.archivesMax = 3
        limits.replaysRunningMax = 2
        limits.replaysKeptMax = 2
        let fixture = try site(limits)
        _ = try fixture.engine.createArchive(try ArchiveDeclaration(name: "third", bus: "shop", patternText: nil))
        #expect(throws: ControlError.self) {
            try fixture.engine.createArchive(try ArchiveDeclaration(name: "fourth", bus: "shop", patternText: nil))
        }
        _ = try fixture.put(#"{"n":1}"#, bus: "shop")
        for name in ["a", "b"] { _ = try fixture.engine.startReplay(try request(name)) }
        #expect(throws: ControlError(.limitExceeded, "The requested resource exceeds the maximum number allowed.")) {
            try fixture.engine.startReplay(try request("c"))
        }
        _ = replay(fixture)
        _ = try fixture.engine.startReplay(try request("c"))
        #expect(fixture.engine.replays().map(\.name) == ["c", "b"])
    }

    @Test func mistakesHaveTheServicesWords() throws {
        let fixture = try site()
        func message(_ call: () throws -> Void) -> String? {
            do { try call() } catch { return "\(error)" }
            return nil
        }
        let archive = try ArchiveDeclaration(name: "all", bus: "shop", patternText: nil)
        #expect(message { _ = try fixture.engine.createArchive(archive) } == "Archive all already exists.")
        let elsewhere = try ArchiveDeclaration(name: "x", bus: "nowhere", patternText: nil)
        #expect(message { _ = try fixture.engine.createArchive(elsewhere) } == "Event bus nowhere does not exist.")
        #expect(message { try fixture.engine.deleteArchive("x") } == "Archive x does not exist.")
        #expect(
            message { _ = try fixture.engine.updateArchive("x", patternText: nil, retentionDays: nil, description: nil) }
                == "At least one of EventPattern, RetentionDays or Description must be provided.")
        #expect(message { _ = try fixture.engine.describeReplay("x") } == "Replay x does not exist.")
        #expect(
            message { _ = try fixture.engine.startReplay(try self.request("r", archive: "x")) }
                == "Parameter EventSourceArn is not valid. Reason: Archive x does not exist.")
        #expect(
            message { _ = try fixture.engine.startReplay(try self.request("r", bus: "nowhere")) }
                == "Event bus nowhere does not exist.")
        #expect(
            message { _ = try fixture.engine.startReplay(try self.request("r", bus: "default")) }
                == "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
        #expect(
            message { _ = try self.request("r", from: 5, to: 5) }
                == "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
        _ = try fixture.engine.startReplay(try request("r"))
        #expect(message { _ = try fixture.engine.startReplay(try self.request("r")) } == "Replay r already exists.")
        let bad = message { _ = try ArchiveDeclaration(name: "x", bus: "shop", patternText: "{}") }
        #expect(bad?.hasPrefix("Event pattern is not valid. Reason: ") == true)
    }

    @Test func anArchiveThatChangesKeepsWhatItHas() throws {
        let fixture = try site()
        _ = try fixture.engine.createArchive(try ArchiveDeclaration(name: "mine", bus: "shop", patternText: nil))
        _ = try fixture.put(#"{"n":1}"#, bus: "shop")
        _ = try fixture.engine.updateArchive("mine", patternText: #"{"detail":{"n":[2]}}"#, retentionDays: nil, description: "twos")
        _ = try fixture.put(#"{"n":1}"#, bus: "shop")
        _ = try fixture.put(#"{"n":2}"#, bus: "shop")
        #expect(try fixture.engine.describeArchive("mine").eventCount == 2)
        try fixture.engine.deleteArchive("mine")
        #expect(fixture.engine.counters.archivedBytes == (try fixture.engine.describeArchive("all").bytes))
        _ = try fixture.put(#"{"n":2}"#, bus: "shop")
        #expect(fixture.engine.archives().map(\.declaration.name) == ["all", "large"])
    }
}
