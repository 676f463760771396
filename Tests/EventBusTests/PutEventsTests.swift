import EventBus
import Testing

@Suite struct PutEventsTests {
    private let bus = "Resources: {Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: orders}}}"

    private static func entry(
        source: String? = "s", type: String? = "t", detail: String? = "{}", bus: String? = nil
    ) -> PutEventsEntry {
        PutEventsEntry(source: source, detailType: type, detail: detail.map { Array($0.utf8) }, eventBusName: bus)
    }

    private static let malformed = PutEventsResult.failed(code: "MalformedDetail", message: "Detail is malformed.")

    private static func missing(_ name: String) -> PutEventsResult {
        .failed(code: "InvalidArgument", message: "Parameter \(name) is not valid. Reason: \(name) is a required argument.")
    }

    @Test(
        "Entries are answered in the service's words",
        arguments: [
            (entry(), .accepted(eventID: "id-1")),
            (entry(source: nil), missing("Source")),
            (entry(source: ""), missing("Source")),
            (entry(source: nil, type: nil, detail: nil), missing("Source")),
            (entry(type: nil), missing("DetailType")),
            (entry(type: "", detail: nil), missing("DetailType")),
            (entry(detail: nil), missing("Detail")),
            (entry(detail: "NotJSON"), malformed), (entry(detail: "[]"), malformed), (entry(detail: "{{}"), malformed),
            (entry(detail: "\"x\""), malformed), (entry(detail: ""), missing("Detail")), (entry(detail: " "), malformed),
            (entry(detail: "{}}"), malformed),
            (entry(detail: "{},\"source\":\"x\""), malformed),
            (
                entry(source: "aws.ec2"),
                .failed(code: "NotAuthorizedForSourceException", message: "Not authorized for the source.")
            ),
            (
                entry(source: "aws.\u{301}ec2"),
                .failed(code: "NotAuthorizedForSourceException", message: "Not authorized for the source.")
            ),
            (entry(bus: "orders"), .accepted(eventID: "id-1")),
            (entry(bus: "arn:aws:events:eu-west-1:123456789012:event-bus/orders"), .accepted(eventID: "id-1")),
            (entry(bus: "nobody"), .accepted(eventID: "id-1")),
        ] as [(PutEventsEntry, PutEventsResult)]
    )
    func wording(entry: PutEventsEntry, expected: PutEventsResult) throws {
        #expect(try EngineFixture(bus).engine.putEvents([entry]).results == [expected])
    }

    @Test func aDetailMayBeAThousandLevelsDeepAndNoMore() throws {
        func deep(_ levels: Int) -> String {
            String(repeating: "{\"a\":", count: levels - 1) + "{}" + String(repeating: "}", count: levels - 1)
        }
        let fixture = try EngineFixture(
            "Resources: {R: {Type: 'AWS::Events::Rule', Properties: {EventPattern: {source: [s]}, "
                + "Targets: [{Id: a, Arn: 'arn:aws:iot:r:a:topic/t', InputPath: $.source}]}}}")
        let outcome = try fixture.engine.putEvents([Self.entry(detail: deep(1_000)), Self.entry(detail: deep(1_001))])
        #expect(outcome.results == [.accepted(eventID: "id-1"), Self.malformed])
        #expect(outcome.output.messages.map { Published($0).payload } == ["\"s\""])
    }

    @Test func resultsKeepTheOrderOfTheEntries() throws {
        let fixture = try EngineFixture(bus)
        let outcome = try fixture.engine.putEvents([Self.entry(), Self.entry(detail: nil), Self.entry()])
        #expect(outcome.results == [.accepted(eventID: "id-1"), Self.missing("Detail"), .accepted(eventID: "id-2")])
        #expect(outcome.failedEntryCount == 1)
        #expect(fixture.engine.counters.entriesFailed == 1)
        #expect(fixture.engine.counters.eventsAccepted == 2)
    }

    @Test func oneToTenEntriesAreTaken() throws {
        let engine = try EngineFixture(bus).engine
        #expect(try engine.putEvents(Array(repeating: Self.entry(), count: 10)).results.count == 10)
        let many = #expect(throws: PutEventsError.self) { try engine.putEvents(Array(repeating: Self.entry(), count: 11)) }
        let one =
            "PutEventsRequestEntry(time=null, source=s, resources=null, detailType=t, detail={}, eventBusName=null, "
            + "traceHeader=null, kmsKeyIdentifier=null, internalMetadata=null)"
        let all = Array(repeating: one, count: 11).joined(separator: ", ")
        #expect(
            many?.message == "1 validation error detected: Value '[\(all)]' at 'entries' failed to satisfy constraint: "
                + "Member must have length less than or equal to 10")
        #expect(many?.code == "ValidationException")
        let none = #expect(throws: PutEventsError.self) { try engine.putEvents([]) }
        #expect(none?.message.hasSuffix("Member must have length greater than or equal to 1") == true)
        #expect(engine.counters.requestsRefused == 2)
    }

    @Test func theSizeOfARequestIsTheSumOfItsEntries() throws {
        var limits = EventBusLimits()
        limits.putEventsBytesMax = 100
        let engine = try EngineFixture(bus, limits: limits).engine
        // 1 for the source, 1 for the type, and the detail.
        func sized(_ bytes: Int) -> PutEventsEntry { Self.entry(detail: "{\"\(String(repeating: "a", count: bytes - 8))\":0}") }
        #expect(try engine.putEvents([sized(50), sized(50)]).failedEntryCount == 0)
        let error = #expect(throws: PutEventsError.self) { try engine.putEvents([sized(50), sized(51)]) }
        #expect(error?.message == "Total size of the entries in the request is over the limit.")
        var timed = sized(87)
        timed.timeMilliseconds = 0
        #expect(throws: PutEventsError.tooLarge) { try engine.putEvents([timed]) }
        var withResource = sized(90)
        withResource.resources = ["12345678901"]
        #expect(throws: PutEventsError.tooLarge) { try engine.putEvents([withResource]) }
    }

    @Test func theDefaultLimitIsOneMebibyte() throws {
        let engine = try EngineFixture(bus).engine
        func sized(_ bytes: Int) -> PutEventsEntry { Self.entry(detail: "{\"a\":\"\(String(repeating: "a", count: bytes - 10))\"}") }
        #expect(try engine.putEvents([sized(1_048_576)]).failedEntryCount == 0)
        #expect(throws: PutEventsError.tooLarge) { try engine.putEvents([sized(1_048_577)]) }
    }

    @Test func anEventForABusThatDoesNotExistIsDroppedCountedAndLoggedOnceAnInterval() throws {
        let fixture = try EngineFixture(bus)
        for name in ["nobody", "else"] { _ = try fixture.put("{}", bus: name) }
        #expect(fixture.engine.counters.eventsDroppedUnknownBus == 2)
        #expect(fixture.engine.counters.eventsAccepted == 0)
        #expect(fixture.log.all == ["event dropped: no such bus bus=nobody event_id=id-1"])
        fixture.world.advance(milliseconds: 10_000)
        _ = try fixture.put("{}", bus: "third")
        #expect(fixture.log.all.last == "event dropped: no such bus bus=third event_id=id-3 suppressed=1")
    }
}
