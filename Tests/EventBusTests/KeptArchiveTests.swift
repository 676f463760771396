import BrokerCore
import CremaTesting
import Documents
import Queues
import Records
import Testing

@testable import EventBus

/// Archives with their events, and replays, are there after a restart.
@Suite struct KeptArchiveTests {
    private static let rules = """
        Resources:
          Shop: { Type: AWS::Events::EventBus, Properties: { Name: shop } }
          One:
            Type: AWS::Events::Rule
            Properties:
              Name: one
              EventBusName: shop
              EventPattern: { source: [shop] }
              Targets: [{ Id: t, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/one', InputPath: $.detail.n }]
          Again:
            Type: AWS::Events::Rule
            Properties:
              Name: again
              EventBusName: shop
              EventPattern: { replay-name: [again] }
              Targets: [{ Id: t, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/again', InputPath: $.id }]

        """
    private static let all = "  All: { Type: AWS::Events::Archive, Properties: { ArchiveName: all, SourceArn: !GetAtt Shop.Arn } }\n"

    private let store = RecordsInMemory()

    private func start(_ template: String = KeptArchiveTests.rules, limits: EventBusLimits = .init(), later: Int64 = 0) throws -> KeptSite {
        let site = try KeptSite(store, template, limits: limits, later: later)
        try site.control.delivery.declare(try resources(template), buses: site.control.busNames)
        return site
    }

    private func counts(_ site: KeptSite) -> [String] { site.events.engine.archives().map { "\($0.declaration.name) \($0.eventCount)" } }

    private func startReplay(_ site: KeptSite) throws {
        _ = try site.events.engine.startReplay(
            try ReplayRequest(
                name: "again", archive: "all", destination: "shop", description: "d", start: TestWorld.start,
                end: TestWorld.start + 3_600_000))
    }

    private func replayed(_ site: KeptSite, most: Int = 100) -> [Published] {
        site.events.engine.runReplays(eventsMax: most).messages.map(Published.init)
    }

    @Test func archivesByAPIHaveTheirEventsAgain() throws {
        let site = try start()
        let pattern = #"{"detail":{"n":[{"numeric":[">",1]}]}}"#
        _ = try site.control.createArchive("some", bus: "shop", patternText: pattern, retentionDays: 1, description: "d")
        for number in 0..<4 { _ = try site.events.put(#"{"n":\#(number)}"#, bus: "shop") }
        let next = try start()
        #expect(next.leftOut == [] && counts(next) == ["some 2"])
        let (before, after) = (try site.events.engine.describeArchive("some"), try next.events.engine.describeArchive("some"))
        #expect(after.declaration.patternText == pattern && after.declaration.description == "d" && after.bytes == before.bytes)
        #expect(after.createdMilliseconds == before.createdMilliseconds)
        // It goes on, by the same pattern.
        for number in 0..<4 { _ = try next.events.put(#"{"n":\#(number)}"#, bus: "shop") }
        #expect(try counts(start()) == ["some 4"])
        #expect(try counts(start(later: 86_400_001)) == ["some 0"])
        #expect(store.records(of: .archivedEvent).isEmpty)
        try start().control.deleteArchive("some")
        #expect(try counts(start()) == [] && store.records.isEmpty)
    }

    @Test func anArchiveOfATemplateIsClaimedByIt() throws {
        let site = try start(Self.rules + Self.all)
        _ = try site.events.put(#"{"n":1}"#, bus: "shop")
        let next = try start(Self.rules + Self.all)
        #expect(counts(next) == ["all 1"])
        #expect(throws: ControlError.self) { try next.control.deleteArchive("all") }
        // Without the template its events are somebody's still.
        let without = try start()
        #expect(counts(without) == ["all 1"] && without.events.engine.archives().first?.isLeft == true)
        try without.control.deleteArchive("all")
        #expect(store.records.isEmpty)
    }

    @Test func whatDoesNotGoWithTheTemplatesIsLeftOut() throws {
        let site = try start()
        _ = try site.control.createBus("made", ResourceDetails())
        _ = try site.control.createArchive("all", bus: "made", patternText: nil, retentionDays: 0, description: nil)
        _ = try site.events.put(#"{"n":1}"#, bus: "made")
        let next = try start(Self.rules + Self.all)
        #expect(next.leftOut.count == 1 && counts(next) == ["all 0"])
        #expect(store.records(of: .archivedEvent).count == 1)
    }

    @Test func ofTwoArchivesOfOneNameTheLaterOneIsThere() throws {
        let site = try start()
        _ = try site.control.createArchive("all", bus: "shop", patternText: nil, retentionDays: 0, description: nil)
        _ = try site.events.put(#"{"n":1}"#, bus: "shop")
        // A template has one of this name for a while.
        let next = try start(Self.rules + Self.all)
        for number in 0..<2 { _ = try next.events.put(#"{"n":\#(number)}"#, bus: "shop") }
        #expect(counts(next) == ["all 2"])
        let last = try start()
        #expect(last.leftOut.count == 1 && counts(last) == ["all 2"])
        _ = try last.events.put(#"{"n":3}"#, bus: "shop")
        #expect(counts(last) == ["all 3"])
        try last.control.deleteArchive("all")
        #expect(store.records.isEmpty)
    }

    @Test func anArchiveThatIsLeftOutKeepsItsNameUntilItIsDeleted() throws {
        let site = try start()
        _ = try site.control.createBus("made", ResourceDetails())
        _ = try site.control.createArchive("mine", bus: "made", patternText: nil, retentionDays: 0, description: nil)
        _ = try site.events.put(#"{"n":1}"#, bus: "made")
        store.append([.remove(RecordKey(.bus, "made"))])
        let next = try start()
        #expect(next.leftOut.count == 1 && counts(next) == [])
        #expect(throws: ControlError.self) {
            _ = try next.control.createArchive("mine", bus: "shop", patternText: nil, retentionDays: 0, description: nil)
        }
        try next.control.deleteArchive("mine")
        #expect(store.records.isEmpty)
        _ = try next.control.createArchive("mine", bus: "shop", patternText: nil, retentionDays: 0, description: nil)
        #expect(try counts(start()) == ["mine 0"])
    }

    @Test func aReplayGoesOnWhereItWas() throws {
        let site = try start(Self.rules + Self.all)
        for number in 0..<5 {
            _ = try site.events.put(#"{"n":\#(number)}"#, bus: "shop")
            site.events.world.advance(milliseconds: 60_000)
        }
        try startReplay(site)
        _ = try site.events.put(#"{"n":9}"#, bus: "shop")
        #expect(replayed(site, most: 2).filter { $0.topic == "one" }.map(\.payload) == ["0", "1"])
        // Nobody knows yet whether what came of them was carried out.
        let early = try start(Self.rules + Self.all)
        #expect(replayed(early).filter { $0.topic == "one" }.map(\.payload) == ["0", "1", "2", "3", "4"])
        #expect(replayed(site, most: 2).filter { $0.topic == "one" }.map(\.payload) == ["2", "3"])
        let next = try start(Self.rules + Self.all)
        let rest = replayed(next)
        #expect(rest.filter { $0.topic == "one" }.map(\.payload) == ["2", "3", "4"])
        #expect(rest.filter { $0.topic == "again" }.count == 3)
        #expect(next.events.engine.hasRunningReplays)
        #expect(replayed(next).isEmpty && !next.events.engine.hasRunningReplays)
        let last = try start(Self.rules + Self.all)
        let found = try last.events.engine.describeReplay("again")
        #expect(found.state == .completed && found.description == "d" && found.endedMilliseconds != nil)
        #expect(!last.events.engine.hasRunningReplays)
    }

    @Test func aReplayWithoutItsArchiveIsOver() throws {
        let site = try start()
        _ = try site.control.createArchive("all", bus: "shop", patternText: nil, retentionDays: 0, description: nil)
        _ = try site.events.put(#"{"n":1}"#, bus: "shop")
        try startReplay(site)
        try site.control.deleteArchive("all")
        let next = try start()
        #expect(replayed(next).isEmpty)
        #expect(try next.events.engine.describeReplay("again").state == .completed)
    }

    @Test func whatTheLimitDropsIsGoneFromTheStore() throws {
        var limits = EventBusLimits()
        limits.archiveBytesMax = 2_000
        let site = try start(Self.rules + Self.all, limits: limits)
        for number in 0..<20 { _ = try site.events.put(#"{"n":\#(number)}"#, bus: "shop") }
        let kept = try site.events.engine.describeArchive("all").eventCount
        #expect(kept < 20 && store.records(of: .archivedEvent).count == kept)
        #expect(try counts(start(Self.rules + Self.all, limits: limits)) == ["all \(kept)"])
    }

    @Test func aReplayWaitsForTheStore() throws {
        let site = try start(Self.rules + Self.all)
        for number in 0..<3 { _ = try site.events.put(#"{"n":\#(number)}"#, bus: "shop") }
        try startReplay(site)
        #expect(replayed(site, most: 1).filter { $0.topic == "one" }.map(\.payload) == ["0"])
        store.isFailing = true
        #expect(replayed(site, most: 1).isEmpty && site.events.engine.hasRunningReplays)
        #expect(replayed(try start(Self.rules + Self.all)).isEmpty)
        store.isFailing = false
        #expect(replayed(site).filter { $0.topic == "one" }.map(\.payload) == ["1", "2"])
    }

    @Test func whatCameWhileTheStoreFailedIsThereWhenItWritesAgain() throws {
        let site = try start(Self.rules + Self.all)
        store.isFailing = true
        _ = try site.events.put(#"{"n":1}"#, bus: "shop")
        store.isFailing = false
        #expect(try counts(start(Self.rules + Self.all)) == ["all 1"])
    }

    @Test("What the limit drops while the store is full does not fill it further")
    func droppedWhileFull() throws {
        var limits = EventBusLimits()
        limits.archiveBytesMax = 2_000
        let site = try start(Self.rules + Self.all, limits: limits)
        for number in 0..<5 { _ = try site.events.put(#"{"n":\#(number)}"#, bus: "shop") }
        let before = store.number
        (store.isFailing, store.isFull) = (true, true)
        for number in 5..<200 { _ = try site.events.put(#"{"n":\#(number)}"#, bus: "shop") }
        #expect(store.number - before <= 5, "no more than what the store had can go from it")
        (store.isFailing, store.isFull) = (false, false)
        for number in 200..<230 { _ = try site.events.put(#"{"n":\#(number)}"#, bus: "shop") }
        let kept = try site.events.engine.describeArchive("all").eventCount
        #expect(store.records(of: .archivedEvent).count == kept)
    }

    @Test func nothingIsPromisedWhileTheStoreFails() throws {
        let site = try start(Self.rules + Self.all)
        let before = store.records
        (store.isFailing, store.isFull) = (true, true)
        _ = try site.events.put(#"{"n":1}"#, bus: "shop")
        #expect(throws: ControlError.notKept) {
            _ = try site.control.createArchive("more", bus: "shop", patternText: nil, retentionDays: 0, description: nil)
        }
        #expect(throws: ControlError.notKept) { try self.startReplay(site) }
        #expect(store.records == before && counts(site) == ["all 1"])
    }
}
