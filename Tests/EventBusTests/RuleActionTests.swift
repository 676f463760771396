import BrokerCore
import EventBus
import Foundation
import MQTTCodec
import NIOCore
import Testing

@Suite struct RuleActionTests {
    private func template(_ rules: (name: String, sql: String, more: String)...) -> String {
        "Resources:\n"
            + rules.map { rule in
                """
                  \(rule.name):
                    Type: AWS::IoT::TopicRule
                    Properties:
                      TopicRulePayload:
                        AwsIotSqlVersion: '2016-03-23'
                        Sql: "\(rule.sql)"
                        \(rule.more)

                """
            }.joined()
    }

    private func evaluate(_ fixture: EngineFixture, _ message: Message, client: String? = "device") -> [Message] {
        fixture.engine.evaluate(message, from: Publisher(clientID: client, principal: nil), now: Instant(nanoseconds: 5_000_000_000))
            .messages
    }

    // MARK: Headers

    private static let headers = """
        Actions: [{Republish: {RoleArn: r, Topic: out, Qos: 1, Headers: {PayloadFormatIndicator: UTF8_DATA, ContentType: 'text/${kind}', \
        ResponseTopic: 'answers/${clientid()}', CorrelationData: "${encode(id, 'base64')}", MessageExpiry: '${ttl}', \
        UserProperties: [{Key: k, Value: '${id}'}, {Key: k, Value: two}, {Key: '${kind}', Value: x}]}}}]
        """

    @Test func aRepublishedMessageHasItsHeaders() throws {
        let fixture = try EngineFixture(template(("R", "SELECT * FROM 'in'", Self.headers)))
        let message = Message(topic: "in", payload: #"{"kind":"plain","id":"order 1","ttl":30}"#.utf8, qos: .atLeastOnce)
        let output = try #require(evaluate(fixture, message).first)
        #expect(Published(output) == Published("out", #"{"kind":"plain","id":"order 1","ttl":30}"#))
        #expect(output.properties?.expiresAt == Instant(nanoseconds: 35_000_000_000))
        let properties = Properties(forwarded: try #require(output.properties?.forwarded))
        #expect(
            properties.all == [
                Property(.payloadFormatIndicator, .byte(1)), Property(.contentType, .text("text/plain")),
                Property(.responseTopic, .text("answers/device")), Property(.correlationData, .binary(ByteBuffer(string: "order 1"))),
                Property(.userProperty, .textPair("k", "order 1")), Property(.userProperty, .textPair("k", "two")),
                Property(.userProperty, .textPair("plain", "x")),
            ])
    }

    @Test(
        "A header that has no value, or none that MQTT takes, fails the delivery",
        arguments: [
            (#"{"kind":"p","ttl":1}"#, "a ${…} of CorrelationData has no value in this message"),
            (#"{"id":"1","ttl":1}"#, "a ${…} of ContentType has no value in this message"),
            (#"{"kind":"p","id":"1","ttl":-1}"#, "MessageExpiry must be a whole number of seconds, not `-1`"),
            (#"{"kind":"p","id":"1","ttl":4294967296}"#, "MessageExpiry must be a whole number of seconds, not `4294967296`"),
            (#"{"kind":"p\u0000","id":"1","ttl":1}"#, "ContentType would have a control character in it"),
            (#"{"kind":"p\u0007","id":"1","ttl":1}"#, "ContentType would have a control character in it"),
            (
                #"{"kind":"\#(String(repeating: "x", count: 40_000))","id":"1","ttl":1}"#,
                "UserProperties would make the headers longer than 65536 bytes"
            ),
        ])
    func headersThatCannotBe(payload: String, message: String) throws {
        let fixture = try EngineFixture(template(("R", "SELECT * FROM 'in'", Self.headers)))
        #expect(fixture.publish("in", payload) == [])
        #expect(fixture.engine.deadLetters(limit: 1).first?.errorMessage == message)
    }

    @Test func whatIsCalledTextMustBeText() throws {
        let actions = "Actions: [{Republish: {RoleArn: r, Topic: out, Headers: {PayloadFormatIndicator: UTF8_DATA}}}]"
        let fixture = try EngineFixture(template(("R", "SELECT * FROM 'in'", actions)))
        #expect(evaluate(fixture, Message(topic: "in", payload: [0xFF], qos: .atMostOnce)).isEmpty)
        #expect(
            fixture.engine.deadLetters(limit: 1).first?.errorMessage
                == "PayloadFormatIndicator says UTF8_DATA, but the payload is not UTF-8")
    }

    @Test func theHeadersOfTheMessageCanBeAskedFor() throws {
        let sql = """
            SELECT get_mqtt_property('content_type') AS c, get_user_properties('k') AS k, \
            get_mqtt_property('format_indicator') AS f FROM 'in'
            """
        let fixture = try EngineFixture(template(("R", sql, "Actions: [{Republish: {RoleArn: r, Topic: out}}]")))
        var message = Message(topic: "in", payload: "x".utf8, qos: .atMostOnce)
        #expect(evaluate(fixture, message).map { String(buffer: $0.payload) } == [#"{"f":"UNSPECIFIED_BYTES"}"#])
        let properties = Properties([Property(.contentType, .text("text/csv")), Property(.userProperty, .textPair("k", "v"))])
        message.properties = MessageProperties(forwarded: properties.encoded, expiresAt: nil)
        let expected = #"{"c":"text/csv","k":["v"],"f":"UNSPECIFIED_BYTES"}"#
        #expect(evaluate(fixture, message).map { String(buffer: $0.payload) } == [expected])
    }

    @Test func variablesAreSeenByActionsToo() throws {
        let more = "Actions: [{Republish: {RoleArn: r, Topic: 'out/${@room}'}}]"
        let fixture = try EngineFixture(template(("R", "SET @room = upper(room) SELECT @room AS room FROM 'in'", more)))
        #expect(fixture.publish("in", #"{"room":"r1"}"#) == [Published("out/R1", #"{"room":"R1"}"#, qos: 0)])
    }

    // MARK: Error action

    private static let twoActions = """
        Actions: [{Republish: {RoleArn: r, Topic: 'out/${a}'}}, {Republish: {RoleArn: r, Topic: ok}}, {events: {busName: '${b}', detailType: T, source: s}}]
                ErrorAction: {Republish: {RoleArn: r, Topic: 'errors/${topic()}', Qos: 1}}
        """

    @Test func theErrorActionGetsOneDocumentWithEveryFailure() throws {
        let fixture = try EngineFixture(template(("R", "SELECT * FROM 'in/#'", Self.twoActions)))
        let published = fixture.publish("in/x", #"{"b":"nobody"}"#)
        #expect(published.map(\.topic) == ["ok", "errors/in/x"])
        let document = try canonicalJSON(try #require(published.last).payload)
        let expected = """
            {"ruleName":"R","topic":"in/x","cloudwatchTraceId":"id-1","clientId":"device","base64OriginalPayload":"eyJiIjoibm9ib2R5In0=",\
            "failures":[{"failedAction":"RepublishAction","failedResource":"out/${a}",\
            "errorMessage":"a ${…} of Topic has no value in this message"},\
            {"failedAction":"EventsAction","failedResource":"${b}","errorMessage":"Event bus nobody does not exist."}]}
            """
        #expect(document == (try canonicalJSON(expected)))
        #expect(fixture.engine.deadLetters(limit: 10).map(\.target) == ["events", "republish"])
        #expect(fixture.engine.counters.deliveriesFailed == 2)
    }

    @Test func theErrorActionRunsForFailuresOnly() throws {
        let fixture = try EngineFixture(template(("R", "SELECT * FROM 'in/#' WHERE a = 1", Self.twoActions)))
        #expect(fixture.publish("in/x", #"{"a":1,"b":"default"}"#).map(\.topic) == ["out/1", "ok"])
        #expect(fixture.publish("in/x", #"{"a":2}"#) == [])
    }

    @Test func aStatementThatFailsRunsTheErrorAction() throws {
        let fixture = try EngineFixture(template(("R", "SELECT *, 1 AS n FROM 'in/#'", Self.twoActions)))
        let published = fixture.publish("in/x", "no object", clientID: nil)
        #expect(published.map(\.topic) == ["errors/in/x"])
        let document = try #require(try JSONSerialization.jsonObject(with: Data(published[0].payload.utf8)) as? [String: Any])
        let failure = try #require((document["failures"] as? [[String: String]])?.first)
        #expect(failure["failedAction"] == "SqlStatement")
        #expect(failure["errorMessage"] == "SELECT * with further items needs a payload that is a JSON object")
        #expect(document["clientId"] as? String == "N/A")
    }

    @Test func anErrorActionThatFailsIsKeptAndNotTriedAgain() throws {
        let more = """
            Actions: [{Republish: {RoleArn: r, Topic: 'out/${a}'}}]
                    ErrorAction: {Republish: {RoleArn: r, Topic: 'errors/${b}'}}
            """
        let fixture = try EngineFixture(template(("R", "SELECT * FROM 'in'", more)))
        #expect(fixture.publish("in", "{}") == [])
        #expect(fixture.engine.deadLetters(limit: 10).count == 2)
    }

    // MARK: Log

    @Test func aLogActionWritesALine() throws {
        var limits = EventBusLimits()
        limits.ruleLogCharactersMax = 24
        let more = "Actions: [{cloudwatchLogs: {logGroupName: 'group-${a}', roleArn: x}}]"
        let fixture = try EngineFixture(template(("R", "SELECT * FROM 'in'", more)), limits: limits)
        #expect(fixture.publish("in", "{\"a\":1, \"b\":\"\u{85}\"}") == [])
        #expect(fixture.publish("in", #"{"a":2,"long":"0123456789012345"}"#) == [])
        #expect(
            fixture.log.all == [
                #"rule log logGroup=group-1 payload={"a":1,"b":"\u{85}"} rule=R topic=in"#,
                #"rule log logGroup=group-2 payload={"a":2,"long":"012345678… rule=R topic=in"#,
            ])
        #expect(fixture.engine.counters.deliveries == 2)
    }

    // MARK: Basic Ingest

    @Test func aMessageOfBasicIngestIsForTheNamedRuleAlone() throws {
        let republish = "Actions: [{Republish: {RoleArn: r, Topic: 'out/${topic(2)}'}}]"
        let fixture = try EngineFixture(
            template(
                ("Named", "SELECT topic() AS t, topic(1) AS first FROM 'elsewhere'", republish), ("Other", "SELECT * FROM '#'", republish),
                ("Bare", "SELECT n", republish), ("Off", "SELECT * FROM 'a'", republish + "\n        RuleDisabled: true")))
        #expect(
            fixture.publish("$aws/rules/Named/floor2/lights", "{}") == [
                Published("out/lights", #"{"t":"floor2/lights","first":"floor2"}"#, qos: 0)
            ])
        #expect(fixture.publish("$aws/rules/Bare/x/y", #"{"n":1,"m":2}"#) == [Published("out/y", #"{"n":1}"#, qos: 0)])
        #expect(fixture.engine.topicFilters == ["elsewhere", "#"])
        for name in ["Nobody", "Off", "named"] { #expect(fixture.publish("$aws/rules/\(name)/x/y", "{}") == []) }
        #expect(fixture.engine.counters.basicIngestDropped == 3)
        #expect(fixture.log.all == ["basic ingest dropped: no such rule rule=Nobody"])
        #expect(fixture.publish("$aws/rules/Named", "{}") == [])
        #expect(fixture.publish("$aws/rules/Named/", "{}") == [])
        #expect(fixture.engine.counters.basicIngestDropped == 3)
    }

    // MARK: The way to the rules

    @Test func rulesRunInTheOrderOfTheTemplateWhateverTheirFilters() throws {
        func action(_ name: String) -> String { "Actions: [{Republish: {RoleArn: r, Topic: 'out/\(name)'}}]" }
        let fixture = try EngineFixture(
            template(
                ("A", "SELECT * FROM 'in/+'", action("a")), ("B", "SELECT * FROM 'in/x'", action("b")),
                ("C", "SELECT * FROM 'other'", action("c")), ("D", "SELECT * FROM 'in/#'", action("d")),
                ("E", "SELECT * FROM 'in/x'", action("e")), ("F", "SELECT * FROM 'in/+'", action("f"))))
        #expect(fixture.publish("in/x", "{}").map(\.topic) == ["out/a", "out/b", "out/d", "out/e", "out/f"])
        #expect(fixture.publish("in", "{}").isEmpty)  // AWS IoT's `#` stands for one level or more
        #expect(fixture.publish("in/x/y", "{}").map(\.topic) == ["out/d"])
        #expect(fixture.engine.topicFilters == ["in/+", "in/x", "other", "in/#"])
    }
}
