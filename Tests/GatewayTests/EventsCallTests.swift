import EventBus
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Rules
import Testing

@testable import Gateway

/// EventBridge's operations on rules, targets, buses and tags, in the shapes of the service's model.
@Suite struct EventsCallTests {
    private static let pattern = #"{\"source\":[\"shop.made\"]}"#

    @Test func aRuleIsMadeDescribedAndListed() async throws {
        let fixture = try GatewayFixture()
        let made = try await fixture.events(
            "PutRule",
            #"{"Name":"made","EventBusName":"shop","EventPattern":"\#(Self.pattern)","Description":"d","RoleArn":"arn:aws:iam::1:role/r","#
                + #""Tags":[{"Key":"team","Value":"bar"}]}"#)
        let arn = "arn:aws:events:us-east-1:000000000000:rule/shop/made"
        #expect(made["RuleArn"]?.stringValue == arn)
        // What Terraform's provider asks after PutRule and PutTargets.
        let described = try await fixture.eventsText("DescribeRule", #"{"Name":"made","EventBusName":"shop"}"#)
        #expect(
            described == #"{"Name":"made","Arn":"\#(arn)","EventPattern":"\#(Self.pattern)","State":"ENABLED","Description":"d","#
                + #""RoleArn":"arn:aws:iam::1:role/r","EventBusName":"shop","CreatedBy":"000000000000"}"#)
        #expect(
            try await fixture.eventsText("ListTagsForResource", #"{"ResourceARN":"\#(arn)"}"#)
                == #"{"Tags":[{"Key":"team","Value":"bar"}]}"#)
        let target = #"{"Id":"t","Arn":"arn:aws:iot:us-east-1:000000000000:topic/made","Input":"{}"}"#
        #expect(
            try await fixture.eventsText("PutTargets", #"{"Rule":"made","EventBusName":"shop","Targets":[\#(target)]}"#)
                == #"{"FailedEntryCount":0,"FailedEntries":[]}"#)
        #expect(
            try await fixture.eventsText("ListTargetsByRule", #"{"Rule":"made","EventBusName":"shop"}"#) == #"{"Targets":[\#(target)]}"#)
        let entry = GatewayFixture.entry(source: "shop.made")
        _ = try await fixture.events("PutEvents", #"{"Entries":[\#(entry)]}"#)
        #expect(fixture.broker.published.map(\.topic) == ["made"])
        let all = try await fixture.events("ListRules", #"{"EventBusName":"shop"}"#)
        #expect(all["Rules"]?.elements.map { $0["Name"]?.stringValue } == ["IntoQueue", "UserStatus", "made"])
        #expect(all["Rules"]?[element: 0]?["ManagedBy"]?.stringValue?.hasPrefix("shop.yaml:") == true)
        #expect(
            try await fixture.eventsText(
                "ListRuleNamesByTarget",
                #"{"TargetArn":"arn:aws:iot:us-east-1:000000000000:topic/made","EventBusName":"shop"}"#) == #"{"RuleNames":["made"]}"#)
        #expect(fixture.counters.counts.contains { $0.handler == .events && $0.status == 200 })
    }

    /// Also where an API lets the pages of others call the root path with any header.
    @Test func aPageInABrowserIsNotAnswered() async throws {
        let fixture = try GatewayFixture()
        var headers = GatewayFixture.headers()
        headers[.origin] = "https://elsewhere.example"
        let response = try await fixture.post(
            "/", headers: headers, body: #"{"Entries":[\#(GatewayFixture.entry(source: "shop.orders"))]}"#)
        #expect(response.status == .forbidden)
        #expect(response.headers[.init("x-amzn-ErrorType")!] == "AccessDeniedException")
        #expect(fixture.broker.published.isEmpty)
    }

    @Test func aBusIsMadeDescribedUpdatedAndDeleted() async throws {
        let fixture = try GatewayFixture()
        let arn = "arn:aws:events:us-east-1:000000000000:event-bus/made"
        #expect(
            try await fixture.eventsText("CreateEventBus", #"{"Name":"made","Description":"d","Tags":[{"Key":"k","Value":""}]}"#)
                == #"{"EventBusArn":"\#(arn)","Description":"d"}"#)
        let bus = try await fixture.events("DescribeEventBus", #"{"Name":"\#(arn)"}"#)
        #expect(bus["Name"]?.stringValue == "made")
        #expect(bus["CreationTime"]?.numberText.flatMap(Double.init) ?? 0 > 1.7e9)
        #expect(try await fixture.events("DescribeEventBus", "{}")["Name"]?.stringValue == "default")
        #expect(
            try await fixture.eventsText("UpdateEventBus", #"{"Name":"made","Description":"e"}"#)
                == #"{"Arn":"\#(arn)","Name":"made","Description":"e"}"#)
        _ = try await fixture.events("TagResource", #"{"ResourceARN":"\#(arn)","Tags":[{"Key":"l","Value":"1"}]}"#)
        _ = try await fixture.events("UntagResource", #"{"ResourceARN":"\#(arn)","TagKeys":["k"]}"#)
        #expect(
            try await fixture.eventsText("ListTagsForResource", #"{"ResourceARN":"\#(arn)"}"#) == #"{"Tags":[{"Key":"l","Value":"1"}]}"#)
        let all = try await fixture.events("ListEventBuses", #"{"NamePrefix":"m"}"#)
        #expect(all["EventBuses"]?.elements.map { $0["Description"]?.stringValue } == ["e"])
        #expect(try await fixture.eventsText("DeleteEventBus", #"{"Name":"made"}"#) == "{}")
        // Once more, as the service takes it.
        #expect(try await fixture.eventsText("DeleteEventBus", #"{"Name":"made"}"#) == "{}")
    }

    @Test func listsHavePages() async throws {
        let fixture = try GatewayFixture()
        for name in ["a", "b", "c"] {
            _ = try await fixture.events("PutRule", #"{"Name":"\#(name)","EventPattern":"\#(Self.pattern)"}"#)
        }
        let first = try await fixture.events("ListRules", #"{"Limit":2}"#)
        let token = try #require(first["NextToken"]?.stringValue)
        let second = try await fixture.events("ListRules", #"{"Limit":2,"NextToken":"\#(token)"}"#)
        #expect([first, second].flatMap { $0["Rules"]?.elements.map { $0["Name"]?.stringValue } ?? [] } == ["a", "b", "c"])
        #expect(second["NextToken"] == nil)
    }

    @Test(
        "A page has 1 to 100 members, in every list, and begins where an answer said",
        arguments: [
            ("ListRules", ""), ("ListEventBuses", ""), ("ListArchives", ""), ("ListReplays", ""), ("ListConnections", ""),
            ("ListApiDestinations", ""), ("ListTargetsByRule", #""Rule":"UserStatus","EventBusName":"shop","#),
            ("ListRuleNamesByTarget", #""TargetArn":"t","#),
        ])
    func everyListHasPages(operation: String, members: String) async throws {
        let fixture = try GatewayFixture()
        let least = "Member must have value greater than or equal to 1"
        for (member, refusal) in [
            (#""Limit":0"#, "Value '0' at 'limit' failed to satisfy constraint: \(least)"),
            (#""Limit":-1"#, "Value '-1' at 'limit' failed to satisfy constraint: \(least)"),
            (#""Limit":101"#, "Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"),
            (
                #""NextToken":"""#,
                "Value '' at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1"
            ),
            (
                #""NextToken":"\#(String(repeating: "a", count: 2_049))""#,
                "at 'nextToken' failed to satisfy constraint: Member must have length less than or equal to 2048"
            ),
        ] {
            let response = try await fixture.call(operation, body: "{\(members)\(member)}")
            #expect(response.text.contains("ValidationException") && response.text.contains(refusal), "\(response.text)")
        }
        for member in [#""Limit":1"#, #""Limit":100"#] {
            #expect(try await fixture.call(operation, body: "{\(members)\(member)}").status == .ok)
        }
        // A token of the same place in another listing, and what is no token.
        for token in [ListingToken(listing: ["ListEverything"]).text(at: "a"), "a", "~", "YQ"] {
            let response = try await fixture.call(operation, body: #"{\#(members)"NextToken":"\#(token)"}"#)
            #expect(response.status == .badRequest)
            #expect(response.text == #"{"__type":"ValidationException","message":"Parameter NextToken is not valid."}"#)
        }
    }

    @Test("A page's token is good for the same call alone, whatever the size of the page, and says no name")
    func tokensBelongToTheirListing() async throws {
        let fixture = try GatewayFixture()
        for name in ["aa", "ab", "ac"] { _ = try await fixture.events("CreateEventBus", #"{"Name":"\#(name)"}"#) }
        let first = try await fixture.events("ListEventBuses", #"{"NamePrefix":"a","Limit":1}"#)
        let token = try #require(first["NextToken"]?.stringValue)
        #expect(!token.contains("ab"))
        // What the token names may be gone by then.
        _ = try await fixture.events("DeleteEventBus", #"{"Name":"ab"}"#)
        let second = try await fixture.events("ListEventBuses", #"{"NextToken":"\#(token)","NamePrefix":"a","Limit":100}"#)
        #expect(second["EventBuses"]?.elements.map { $0["Name"]?.stringValue } == ["ac"])
        for other in [#"{"NextToken":"\#(token)"}"#, #"{"NextToken":"\#(token)","NamePrefix":"aa"}"#] {
            #expect(try await fixture.call("ListEventBuses", body: other).status == .badRequest)
        }
    }

    @Test("The built-in bus has a description and tags as others have")
    func theDefaultBusIsDescribed() async throws {
        let fixture = try GatewayFixture()
        let arn = "arn:aws:events:us-east-1:000000000000:event-bus/default"
        #expect(
            try await fixture.eventsText("UpdateEventBus", #"{"Description":"d"}"#)
                == #"{"Arn":"\#(arn)","Name":"default","Description":"d"}"#)
        _ = try await fixture.events("TagResource", #"{"ResourceARN":"\#(arn)","Tags":[{"Key":"k","Value":"v"}]}"#)
        #expect(
            try await fixture.eventsText("ListTagsForResource", #"{"ResourceARN":"\#(arn)"}"#) == #"{"Tags":[{"Key":"k","Value":"v"}]}"#)
        #expect(try await fixture.events("DescribeEventBus", "{}")["Description"]?.stringValue == "d")
        // It is one bus still.
        let all = try await fixture.events("ListEventBuses", #"{"NamePrefix":"def"}"#)
        #expect(all["EventBuses"]?.elements.map { $0["Description"]?.stringValue } == ["d"])
    }

    @Test(
        "A pattern is tried with an event of which only the fields that the service asks for must be there",
        arguments: [
            (#"{\"source\":[\"a\"]}"#, "a", "true"), (#"{\"source\":[\"b\"]}"#, "a", "false"),
            (#"{\"colour\":[{\"exists\":false}]}"#, "a", "true"),
        ])
    func testEventPattern(pattern: String, source: String, result: String) async throws {
        let event = #"{\"id\":\"1\",\"account\":\"1\",\"source\":\"\#(source)\",\"time\":\"\",\"region\":\"\",\"detail-type\":[1]}"#
        let answer = try await GatewayFixture().eventsText("TestEventPattern", #"{"Event":"\#(event)","EventPattern":"\#(pattern)"}"#)
        #expect(answer == #"{"Result":\#(result)}"#)
    }

    @Test(
        "Refusals have the codes and words of the service",
        arguments: [
            ("DescribeRule", #"{"Name":"x"}"#, "ResourceNotFoundException", "Rule x does not exist on EventBus default."),
            ("DescribeEventBus", #"{"Name":"x"}"#, "ResourceNotFoundException", "Event bus x does not exist."),
            ("DeleteEventBus", #"{"Name":"default"}"#, "ValidationException", "Cannot delete event bus default."),
            ("CreateEventBus", #"{"Name":"shop"}"#, "ResourceAlreadyExistsException", "Event bus shop already exists."),
            (
                "PutRule", #"{"Name":"a b","EventPattern":"{}"}"#, "ValidationException",
                "1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression "
                    + #"pattern: [\.\-_A-Za-z0-9]+"#
            ),
            (
                "PutRule", "{}", "ValidationException",
                "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
            ),
            (
                "PutRule", #"{"Name":"a","EventPattern":"{\"a\":[]}"}"#, "InvalidEventPatternException",
                "Event pattern is not valid. Reason: Empty arrays are not allowed"
            ),
            (
                "PutRule", #"{"Name":"a","State":"ON","EventPattern":"{}"}"#, "ValidationException",
                "1 validation error detected: Value 'ON' at 'state' failed to satisfy constraint: Member must satisfy enum value set: "
                    + "[ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]"
            ),
            (
                "PutTargets", ##"{"Rule":"a","Targets":[{"Id":"!@#$@!#$","Arn":"a"}]}"##, "ValidationException",
                "1 validation error detected: Value '!@#$@!#$' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy "
                    + #"regular expression pattern: [\.\-_A-Za-z0-9]+"#
            ),
            (
                "PutTargets", #"{"Rule":"a","Targets":[{"Id":"i","Arn":"a"}]}"#, "ResourceNotFoundException",
                "Rule a does not exist on EventBus default."
            ),
            (
                "ListRules", #"{"Limit":101}"#, "ValidationException",
                "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"
            ),
            (
                "PutTargets", #"{"Rule":"a","Targets":[{"Id":"i","Arn":"a","InputPath":"\#(String(repeating: "a", count: 257))"}]}"#,
                "ValidationException",
                "1 validation error detected: Value '\(String(repeating: "a", count: 257))' at 'targets.1.member.inputPath' failed to satisfy "
                    + "constraint: Member must have length less than or equal to 256"
            ),
            (
                "PutTargets", #"{"Rule":"a","Targets":[{"Id":"i","Arn":"a","RetryPolicy":{"MaximumRetryAttempts":186}}]}"#,
                "ValidationException",
                "1 validation error detected: Value '186' at 'targets.1.member.retryPolicy.maximumRetryAttempts' failed to satisfy constraint: "
                    + "Member must have value less than or equal to 185"
            ),
            (
                "PutTargets", #"{"Rule":"a","Targets":[{"Id":"i","Arn":"a","RetryPolicy":{"MaximumEventAgeInSeconds":59}}]}"#,
                "ValidationException",
                "1 validation error detected: Value '59' at 'targets.1.member.retryPolicy.maximumEventAgeInSeconds' failed to satisfy "
                    + "constraint: Member must have value greater than or equal to 60"
            ),
            ("TestEventPattern", #"{"Event":"{}","EventPattern":"{\"a\":[1]}"}"#, "ValidationException", "Parameter Event is not valid."),
            (
                "PutRule", #"{"Name":"a","EventPattern":"{}","Colour":1}"#, "ValidationException",
                "Colour is not supported by Crema in PutRule."
            ),
            ("PutPartnerEvents", "{}", "UnknownOperationException", "The operation AWSEvents.PutPartnerEvents is not supported by Crema."),
        ])
    func refused(operation: String, body: String, code: String, message: String) async throws {
        let response = try await GatewayFixture().call(operation, body: body)
        #expect(response.status == .badRequest)
        #expect(response.headers[.init("x-amzn-ErrorType")!] == code)
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["__type"]?.stringValue == code)
        #expect(answer["message"]?.stringValue == message)
    }

    @Test func removingWhatIsNotThereIsAFailedEntry() async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.events("PutRule", #"{"Name":"a","EventPattern":"\#(Self.pattern)"}"#)
        #expect(
            try await fixture.eventsText("RemoveTargets", #"{"Rule":"a","Ids":["t"]}"#)
                == #"{"FailedEntryCount":1,"FailedEntries":[{"TargetId":"t","ErrorCode":"ResourceNotFoundException","#
                + #""ErrorMessage":"Rule 'a' does not have a target with the Id 't'."}]}"#)
    }

    /// Damages valid requests at random; the seed is in the test's arguments.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func damagedRequestsAreAnsweredAndNeverTrap(seed: UInt64) async throws {
        let fixture = try GatewayFixture()
        let arn = "arn:aws:events:us-east-1:000000000000:rule/shop/a"
        let valid = [
            ("PutRule", #"{"Name":"a","EventBusName":"shop","EventPattern":"\#(Self.pattern)","Tags":[{"Key":"k","Value":"v"}]}"#),
            (
                "PutTargets",
                #"{"Rule":"a","EventBusName":"shop","Targets":[{"Id":"t","Arn":"arn:aws:iot:r:1:topic/t/<k>","InputTransformer":"#
                    + #"{"InputPathsMap":{"k":"$.id"},"InputTemplate":"<k>"},"MqttParameters":{"Qos":1}}]}"#
            ),
            ("ListRules", #"{"EventBusName":"shop","NamePrefix":"a","Limit":9,"NextToken":"a"}"#),
            ("TagResource", #"{"ResourceARN":"\#(arn)","Tags":[{"Key":"k","Value":"v"}]}"#),
            ("UntagResource", #"{"ResourceARN":"\#(arn)","TagKeys":["k"]}"#), ("CreateEventBus", #"{"Name":"made"}"#),
            ("TestEventPattern", #"{"Event":"{\"id\":1,\"account\":1}","EventPattern":"\#(Self.pattern)"}"#),
        ]
        var generator = SplitMix(state: seed)
        for _ in 0..<150 {
            guard let (operation, text) = valid.randomElement(using: &generator) else { continue }
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = Bool.random(using: &generator) ? UInt8.random(in: 0x20...0x7E, using: &generator) : UInt8(ascii: "9")
            }
            let response = try await fixture.call(operation, body: String(decoding: bytes, as: UTF8.self))
            #expect(response.status == .ok || response.status == .badRequest, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
    }
}

extension GatewayFixture {
    func eventsText(_ operation: String, _ body: String) async throws -> String {
        let response = try await call(operation, body: body)
        #expect(response.status == .ok, "\(response.text)")
        return response.text
    }

    func events(_ operation: String, _ body: String) async throws -> JSONView {
        try JSONDocument(parsing: Array(try await eventsText(operation, body).utf8)).root
    }
}
