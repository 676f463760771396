import Documents
import Queues
import Testing

@testable import EventBus

/// Who may change an archive, and what a reload makes of those that there are.
@Suite struct ArchiveOwnershipTests {
    private static let bus = "  Shop: { Type: AWS::Events::EventBus, Properties: { Name: shop } }"

    private static func archive(_ name: String, bus: String = "shop") -> String {
        let source = "arn:aws:events:us-east-1:000000000000:event-bus/\(bus)"
        return "  A\(name): { Type: AWS::Events::Archive, Properties: { ArchiveName: \(name), SourceArn: '\(source)' } }"
    }

    private static func template(_ lines: String...) -> String { "Resources:\n" + ([bus] + lines).joined(separator: "\n") }

    private static func fixture(_ template: String, limits: EventBusLimits = EventBusLimits()) throws -> ControlFixture {
        let fixture = try ControlFixture(template, limits: limits)
        try fixture.control.delivery.declare(try resources(template))
        return fixture
    }

    private func refused(_ text: String, as code: ControlError.Code = .validation, _ call: () throws -> Void) {
        let error = #expect(throws: ControlError.self, performing: call)
        #expect(error?.code == code)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    }

    private func names(_ fixture: ControlFixture) -> [String] { fixture.events.engine.archives().map(\.declaration.name) }

    @Test func whatATemplateDeclaresIsChangedOnlyThere() throws {
        let fixture = try Self.fixture(Self.template(Self.archive("kept")))
        refused("Archive kept is declared at t.yaml:3") { try fixture.control.deleteArchive("kept") }
        refused("Archive kept is declared at t.yaml:3") {
            _ = try fixture.control.updateArchive("kept", patternText: nil, retentionDays: 1, description: nil)
        }
        // One that no template declares any more is somebody's still, who may delete it.
        try fixture.control.replace(templates: try resources(Self.template()))
        #expect(fixture.events.engine.archives().map(\.isLeft) == [true])
        _ = try fixture.events.put("{}", bus: "shop")
        try fixture.control.replace(templates: try resources(Self.template(Self.archive("kept"))))
        #expect(try fixture.events.engine.describeArchive("kept").eventCount == 1)
        refused("is declared at") { try fixture.control.deleteArchive("kept") }
        try fixture.control.replace(templates: try resources(Self.template()))
        try fixture.control.deleteArchive("kept")
        #expect(names(fixture) == [])
    }

    @Test func aReloadTakesOverNoArchiveAndMovesNone() throws {
        let fixture = try Self.fixture(Self.template(Self.archive("kept")))
        _ = try fixture.control.createBus("made", ResourceDetails())
        _ = try fixture.control.createArchive("mine", bus: "made", patternText: nil, retentionDays: 0, description: nil)
        for (template, problem) in [
            (Self.template(Self.archive("kept"), Self.archive("mine")), "the archive `mine` exists already, by CreateArchive 2026-"),
            (Self.template(Self.archive("kept", bus: "default")), "the archive `kept` keeps events of the bus `shop`"),
        ] {
            let error = #expect(throws: DocumentError.self) { try fixture.control.replace(templates: try resources(template)) }
            #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
            #expect(error?.location.file == "t.yaml")
        }
        #expect(try fixture.events.engine.describeArchive("mine").declaration.bus == "made")
        #expect(try fixture.events.engine.describeArchive("kept").declaration.bus == "shop")
    }

    @Test func aBusWithAnArchiveIsNotDeleted() throws {
        let fixture = try Self.fixture(Self.template())
        _ = try fixture.control.createBus("made", ResourceDetails())
        _ = try fixture.control.createArchive("mine", bus: "made", patternText: nil, retentionDays: 0, description: nil)
        refused("Event bus can't be deleted since it has archives: mine.") { try fixture.control.deleteBus("made") }
        try fixture.control.deleteArchive("mine")
        try fixture.control.deleteBus("made")
        _ = try fixture.control.createArchive("mine", bus: "shop", patternText: nil, retentionDays: 0, description: nil)
        let error = #expect(throws: DocumentError.self) { try fixture.control.replace(templates: try resources("Resources: {}")) }
        #expect(error?.description.contains("no template declares the bus `shop` of the archive `mine` any more") == true)
    }

    /// A reload whose queues are too many had made its archives by then.
    @Test func aReloadThatFailsChangesNothing() throws {
        let fixture = try Self.fixture(Self.template(Self.archive("kept")))
        let many = (0...QueueLimits().queuesMax).map { "  Q\($0): { Type: AWS::SQS::Queue }" }.joined(separator: "\n")
        #expect(throws: DocumentError.self) {
            try fixture.control.replace(templates: try resources(Self.template(Self.archive("new"), many)))
        }
        #expect(names(fixture) == ["kept"])
        refused("is declared at") { try fixture.control.deleteArchive("kept") }
        #expect(fixture.control.delivery.queueNames == [])
        var limits = EventBusLimits()
        limits.archivesMax = 1
        let small = try Self.fixture(Self.template(Self.archive("kept")), limits: limits)
        let two = Self.template(Self.archive("kept"), Self.archive("new"), "  Q: { Type: AWS::SQS::Queue }")
        #expect(throws: DocumentError.self) { try small.control.replace(templates: try resources(two)) }
        #expect(names(small) == ["kept"])
        #expect(small.control.delivery.queueNames == [])
    }

    @Test func aReplayForABusThatIsGoneIsRefused() throws {
        let fixture = try Self.fixture(Self.template(Self.archive("kept")))
        _ = try fixture.events.put("{}", bus: "shop")
        try fixture.control.replace(templates: try resources("Resources: {}"))
        let request = try ReplayRequest(name: "r", archive: "kept", destination: "shop", start: 0, end: .max)
        refused("Event bus shop does not exist.", as: .resourceNotFound) { _ = try fixture.events.engine.startReplay(request) }
    }
}
