import EventBus
import HummingbirdTesting
import Rules
import Testing

@testable import Gateway

/// EventBridge's operations on archives, replays and schedules, in the shapes of the service's model.
@Suite struct ArchiveCallTests {
    private static let bus = "arn:aws:events:us-east-1:000000000000:event-bus/shop"
    private static let archive = "arn:aws:events:us-east-1:000000000000:archive/kept"
    /// Of the fixture's template; it wants other events.
    private static let rule = "arn:aws:events:us-east-1:000000000000:rule/shop/IntoQueue"

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
        let elsewhere = Self.bus.replacing("us-east-1:000000000000", with: "eu-west-1:111122223333")
        let there = try await fixture.events("ListArchives", #"{"EventSourceArn":"\#(elsewhere)"}"#)
        #expect(there["Archives"]?.elements.map { $0["ArchiveName"]?.stringValue } == ["kept", "more"])
        let second = try await fixture.events(
            "ListArchives", #"{"EventSourceArn":"\#(Self.bus)","Limit":1,"NextToken":"\#(token)"}"#)
        #expect(second["Archives"]?.elements.map { $0["ArchiveName"]?.stringValue } == ["more"])
        #expect(second["NextToken"] == nil)
        #expect(try await fixture.eventsText("DeleteArchive", #"{"ArchiveName":"kept"}"#) == "{}")
        #expect(try await fixture.events("ListArchives", #"{"NamePrefix":"k"}"#)["Archives"]?.elements.map(\.kind) == [])
    }

    @Test func aReplayIsStartedDescribedAndListed() async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.events("CreateArchive", #"{"ArchiveName":"kept","EventSourceArn":"\#(Self.bus)"}"#)
        _ = try await fixture.events("PutEvents", #"{"Entries":[\#(GatewayFixture.entry(source: "shop.orders"))]}"#)
        let started = try await fixture.events(
            "StartReplay",
            #"{"ReplayName":"again","EventSourceArn":"\#(Self.archive)","EventStartTime":0,"EventEndTime":"2100-01-01T00:00:00Z","#
                + #""Destination":{"Arn":"\#(Self.bus)","FilterArns":["\#(Self.rule)"]}}"#)
        #expect(started["ReplayArn"]?.stringValue == "arn:aws:events:us-east-1:000000000000:replay/again")
        #expect(started["State"]?.stringValue == "STARTING")
        #expect(fixture.engine.runReplays(eventsMax: 10).messages.isEmpty)
        let replay = try await fixture.events("DescribeReplay", #"{"ReplayName":"again"}"#)
        #expect(replay["State"]?.stringValue == "COMPLETED")
        #expect(replay["EventSourceArn"]?.stringValue == Self.archive)
        #expect(replay["Destination"]?["FilterArns"]?.elements.map(\.stringValue) == [Self.rule])
        #expect(replay["EventEndTime"]?.numberText == "4102444800.000")
        // Of ARNs only the names are looked at.
        let archive = Self.archive.replacing("us-east-1:000000000000", with: "eu-west-1:111122223333")
        let list = try await fixture.events("ListReplays", #"{"EventSourceArn":"\#(archive)"}"#)
        #expect(list["Replays"]?.elements.map { $0["ReplayName"]?.stringValue } == ["again"])
        #expect(try await fixture.events("ListReplays", #"{"State":"RUNNING"}"#)["Replays"]?.elements.map(\.kind) == [])
    }

    @Test(
        "A replay names only rules of its bus",
        arguments: [
            (
                "arn:aws:events:us-east-1:000000000000:rule/shop/gone", "ResourceNotFoundException",
                "Rule gone does not exist on EventBus shop."
            ),
            (
                "arn:aws:events:eu-west-1:000000000000:rule/shop/UserStatus", "ResourceNotFoundException",
                "Rule UserStatus does not exist on EventBus shop."
            ),
            (
                "arn:aws:events:us-east-1:000000000000:rule/UserStatus", "ValidationException",
                "Parameter Destination.FilterArns is not valid. Reason: `arn:aws:events:us-east-1:000000000000:rule/UserStatus` is not the "
                    + "ARN of a rule of the event bus shop."
            ),
            (
                "UserStatus", "ValidationException",
                "Parameter Destination.FilterArns is not valid. Reason: `UserStatus` is not the ARN of a rule of the event bus shop."
            ),
            (
                "", "ValidationException",
                "1 validation error detected: Value '' at 'destination.filterArns.2.member' failed to satisfy constraint: Member must have "
                    + "length greater than or equal to 1"
            ),
        ])
    func rulesOfAReplay(arn: String, code: String, message: String) async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.events("CreateArchive", #"{"ArchiveName":"kept","EventSourceArn":"\#(Self.bus)"}"#)
        let response = try await fixture.call(
            "StartReplay",
            body: #"{"ReplayName":"again","EventSourceArn":"\#(Self.archive)","EventStartTime":1,"EventEndTime":2,"#
                + #""Destination":{"Arn":"\#(Self.bus)","FilterArns":["\#(Self.rule)","\#(arn)"]}}"#)
        let answer = try JSONDocument(parsing: Array(response.text.utf8)).root
        #expect(answer["__type"]?.stringValue == code)
        #expect(answer["message"]?.stringValue == message)
        #expect(try await fixture.eventsText("ListReplays", "{}") == #"{"Replays":[]}"#)
    }

    @Test(
        "Mistakes have the service's codes and words",
        arguments: [
            ("CreateArchive", #"{"ArchiveName":"a"}"#, "ValidationException", "at 'eventSourceArn' failed to satisfy constraint"),
            ("CreateArchive", #"{"ArchiveName":"a b","EventSourceArn":"x"}"#, "ValidationException", "at 'archiveName' failed to satisfy"),
            (
                "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"arn:aws:events:us-east-1:000000000000:event-bus/nowhere"}"#,
                "ResourceNotFoundException",
                "Event bus nowhere does not exist."
            ),
            (
                "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"\#(Self.bus)","EventPattern":"{}"}"#,
                "InvalidEventPatternException",
                "Event pattern is not valid. Reason:"
            ),
            (
                "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"\#(Self.bus)","KmsKeyIdentifier":"k"}"#, "ValidationException",
                "KmsKeyIdentifier is not supported by Crema"
            ),
            ("DescribeReplay", #"{"ReplayName":"a"}"#, "ResourceNotFoundException", "Replay a does not exist."),
            (
                "StartReplay", #"{"ReplayName":"a","EventSourceArn":"\#(Self.archive)","EventStartTime":1,"EventEndTime":2}"#,
                "ValidationException",
                "at 'destination' failed to satisfy constraint"
            ),
            (
                "StartReplay",
                #"{"ReplayName":"a","EventSourceArn":"\#(Self.archive)","EventStartTime":1,"EventEndTime":2,"Destination":{"Arn":"\#(Self.bus)"}}"#,
                "ValidationException", "Parameter EventSourceArn is not valid. Reason: Archive kept does not exist."
            ),
            (
                "StartReplay",
                #"{"ReplayName":"a","EventSourceArn":"\#(Self.archive)","EventStartTime":1e300,"EventEndTime":2,"Destination":{"Arn":"y"}}"#,
                "SerializationException", "EventStartTime in StartReplay is not a number of seconds"
            ),
            (
                "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"shop"}"#, "ValidationException",
                #"Value 'shop' at 'eventSourceArn' failed to satisfy constraint: Member must satisfy regular expression pattern: ^arn:aws("#
            ),
            (
                "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"\#(Self.bus)","RetentionDays":-1}"#, "ValidationException",
                "Value '-1' at 'retentionDays' failed to satisfy constraint: Member must have value greater than or equal to 0"
            ),
            (
                "ListArchives", #"{"State":"FINE"}"#, "ValidationException",
                "1 validation error detected: Value 'FINE' at 'state' failed to satisfy constraint: Member must satisfy enum value set: "
                    + "[ENABLED, DISABLED, CREATING, UPDATING, CREATE_FAILED, UPDATE_FAILED]"
            ),
            (
                "ListArchives", #"{"State":"ENABLED","NamePrefix":"k"}"#, "ValidationException",
                "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix."
            ),
            (
                "ListReplays", #"{"State":"RUNNING","EventSourceArn":"\#(Self.archive)"}"#, "ValidationException",
                "At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or NamePrefix."
            ),
            (
                "ListReplays", #"{"State":"running"}"#, "ValidationException",
                "1 validation error detected: Value 'running' at 'state' failed to satisfy constraint: Member must satisfy enum value set: "
                    + "[STARTING, RUNNING, CANCELLING, COMPLETED, CANCELLED, FAILED]"
            ),
            ("ListReplays", #"{"EventSourceArn":"kept"}"#, "ValidationException", "Value 'kept' at 'eventSourceArn' failed to satisfy"),
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
