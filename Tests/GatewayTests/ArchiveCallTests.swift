import EventBus
import HummingbirdTesting
import Rules
import Testing

@testable import Gateway

/// EventBridge's operations on archives, replays and schedules, in the shapes of the service's model.
@Suite struct ArchiveCallTests {
    private static let bus = "arn:aws:events:us-east-1:000000000000:event-bus/shop"

    @Test func anArchiveIsMadeDescribedChangedAndDeleted() async throws {
        let fixture = try GatewayFixture()
        let made = try await fixture.events(
            "CreateArchive",
            #"{"ArchiveName":"kept","EventSourceArn":"\#(Self.bus)","EventPattern":"{\"source\":[\"shop.made\"]}","RetentionDays":2}"#)
        #expect(made["ArchiveArn"]?.stringValue == "arn:aws:events:us-east-1:000000000000:archive/kept")
        #expect(made["State"]?.stringValue == "ENABLED")
        for source in ["shop.made", "shop.other"] {
            _ = try await fixture.events("PutEvents", #"{"Entries":[\#(GatewayFixture.entry(source: source))]}"#)
        }
        let archive = try await fixture.events("DescribeArchive", #"{"ArchiveName":"kept"}"#)
        #expect(archive["EventCount"]?.numberText == "1")
        #expect(archive["RetentionDays"]?.numberText == "2")
        #expect(archive["EventSourceArn"]?.stringValue == Self.bus)
        #expect(archive["EventPattern"]?.stringValue == #"{"source":["shop.made"]}"#)
        #expect(archive["CreationTime"]?.numberText.flatMap(Double.init) ?? 0 > 1.7e9)
        _ = try await fixture.events("UpdateArchive", #"{"ArchiveName":"kept","Description":"d"}"#)
        _ = try await fixture.events("CreateArchive", #"{"ArchiveName":"more","EventSourceArn":"\#(Self.bus)"}"#)
        let first = try await fixture.events("ListArchives", #"{"EventSourceArn":"\#(Self.bus)","Limit":1}"#)
        #expect(first["Archives"]?.elements.map { $0["ArchiveName"]?.stringValue } == ["kept"])
        let token = try #require(first["NextToken"]?.stringValue)
        let second = try await fixture.events("ListArchives", #"{"Limit":1,"NextToken":"\#(token)"}"#)
        #expect(second["Archives"]?.elements.map { $0["ArchiveName"]?.stringValue } == ["more"])
        #expect(second["NextToken"] == nil)
        #expect(try await fixture.eventsText("DeleteArchive", #"{"ArchiveName":"kept"}"#) == "{}")
        #expect(try await fixture.events("ListArchives", #"{"NamePrefix":"k"}"#)["Archives"]?.elements.map(\.kind) == [])
    }

    @Test func aReplayIsStartedDescribedAndListed() async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.events("CreateArchive", #"{"ArchiveName":"kept","EventSourceArn":"\#(Self.bus)"}"#)
        _ = try await fixture.events("PutEvents", #"{"Entries":[\#(GatewayFixture.entry(source: "shop.orders"))]}"#)
        let archive = "arn:aws:events:us-east-1:000000000000:archive/kept"
        let started = try await fixture.events(
            "StartReplay",
            #"{"ReplayName":"again","EventSourceArn":"\#(archive)","EventStartTime":0,"EventEndTime":"2100-01-01T00:00:00Z","#
                + #""Destination":{"Arn":"\#(Self.bus)","FilterArns":["arn:x"]}}"#)
        #expect(started["ReplayArn"]?.stringValue == "arn:aws:events:us-east-1:000000000000:replay/again")
        #expect(started["State"]?.stringValue == "STARTING")
        #expect(fixture.engine.runReplays(eventsMax: 10).messages.isEmpty)
        let replay = try await fixture.events("DescribeReplay", #"{"ReplayName":"again"}"#)
        #expect(replay["State"]?.stringValue == "COMPLETED")
        #expect(replay["EventSourceArn"]?.stringValue == archive)
        #expect(replay["Destination"]?["FilterArns"]?.elements.map(\.stringValue) == ["arn:x"])
        #expect(replay["EventEndTime"]?.numberText == "4102444800.000")
        let list = try await fixture.events("ListReplays", #"{"State":"COMPLETED","EventSourceArn":"\#(archive)"}"#)
        #expect(list["Replays"]?.elements.map { $0["ReplayName"]?.stringValue } == ["again"])
        #expect(try await fixture.events("ListReplays", #"{"State":"RUNNING"}"#)["Replays"]?.elements.map(\.kind) == [])
    }

    @Test(
        "Mistakes have the service's codes and words",
        arguments: [
            ("CreateArchive", #"{"ArchiveName":"a"}"#, "ValidationException", "at 'eventSourceArn' failed to satisfy constraint"),
            ("CreateArchive", #"{"ArchiveName":"a b","EventSourceArn":"x"}"#, "ValidationException", "at 'archiveName' failed to satisfy"),
            (
                "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"nowhere"}"#, "ResourceNotFoundException",
                "Event bus nowhere does not exist."
            ),
            (
                "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"shop","EventPattern":"{}"}"#, "InvalidEventPatternException",
                "Event pattern is not valid. Reason:"
            ),
            (
                "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"shop","KmsKeyIdentifier":"k"}"#, "ValidationException",
                "KmsKeyIdentifier is not supported by Crema"
            ),
            ("DescribeReplay", #"{"ReplayName":"a"}"#, "ResourceNotFoundException", "Replay a does not exist."),
            (
                "StartReplay", #"{"ReplayName":"a","EventSourceArn":"x","EventStartTime":1,"EventEndTime":2}"#, "ValidationException",
                "at 'destination' failed to satisfy constraint"
            ),
            (
                "StartReplay", #"{"ReplayName":"a","EventSourceArn":"x","EventStartTime":1,"EventEndTime":2,"Destination":{"Arn":"y"}}"#,
                "ValidationException", "Parameter EventSourceArn is not valid. Reason: Archive x does not exist."
            ),
            (
                "StartReplay",
                #"{"ReplayName":"a","EventSourceArn":"x","EventStartTime":1e300,"EventEndTime":2,"Destination":{"Arn":"y"}}"#,
                "SerializationException", "EventStartTime in StartReplay is not a number of seconds"
            ),
            ("UpdateArchive", #"{"ArchiveName":"a"}"#, "ValidationException", "At least one of EventPattern, RetentionDays or Description"),
        ])
    func mistakes(operation: String, body: String, code: String, message: String) async throws {
        let response = try await GatewayFixture().call(operation, body: body)
        let answer = try JSONDocument(parsing: Array(response.text.utf8)).root
        #expect(answer["__type"]?.stringValue == code)
        #expect(answer["message"]?.stringValue?.contains(message) == true, "\(response.text)")
    }

    @Test func aRuleMayRunByTheClock() async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.events("PutRule", #"{"Name":"tick","ScheduleExpression":"rate(1 minute)"}"#)
        #expect(fixture.engine.nextScheduled != nil)
        #expect(
            try await fixture.eventsText("DescribeRule", #"{"Name":"tick"}"#).contains(#""ScheduleExpression":"rate(1 minute)","State":"#))
        _ = try await fixture.events("DisableRule", #"{"Name":"tick"}"#)
        #expect(fixture.engine.nextScheduled == nil)
    }
}
