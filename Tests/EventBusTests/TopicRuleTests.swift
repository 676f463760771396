import Documents
import EventBus
import Foundation
import Testing

@Suite struct TopicRuleTests {
    /// A template with one topic rule over `orders/+/+`, a bus, and an event rule that shows what reaches the bus.
    private func template(sql: String = "SELECT * FROM 'orders/+/+'", actions: String, payload: String = "") -> String {
        """
        Resources:
          Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: shop}}
          Seen:
            Type: AWS::Events::Rule
            Properties:
              EventBusName: shop
              EventPattern: {source: [device]}
              Targets:
                - Id: seen
                  Arn: arn:aws:iot:us-east-1:000000000000:topic/seen
                  MqttParameters: {Qos: 0}
                  InputTransformer:
                    InputPathsMap: {t: $.detail-type, d: $.detail}
                    InputTemplate: '{"t": <t>, "d": <d>}'
          Device:
            Type: AWS::IoT::TopicRule
            Properties:
              TopicRulePayload:
                AwsIotSqlVersion: '2016-03-23'
                Sql: "\(sql)"
                Actions: \(actions)
                \(payload)
        """
    }

    private static let events = "[{events: {busName: shop, detailType: 'Order.${status}', source: device}}]"
    private static let republish = "[{Republish: {RoleArn: x, Topic: 'copy/${topic(2)}', Qos: 1}}]"

    @Test func aDevicesMessageBecomesAnEventWhoseRulesRun() throws {
        let fixture = try EngineFixture(template(sql: "SELECT *, topic(3) AS device FROM 'orders/+/+'", actions: Self.events))
        let published = fixture.publish("orders/nyc/till", #"{"status": "Made", "n": 1.50}"#)
        #expect(published == [Published("seen", #"{"t":"Order.Made","d":{"status":"Made","n":1.50,"device":"till"}}"#, qos: 0, hops: 1)])
        #expect(fixture.engine.ruleStatistics().map(\.delivered) == [1, 1])
        #expect(fixture.engine.counters.eventsAccepted == 1)
        #expect(fixture.engine.topicFilters == ["orders/+/+"])
    }

    @Test func aMessageIsRepublishedWithTheTopicAndQualityOfTheAction() throws {
        let fixture = try EngineFixture(template(sql: "SELECT a AS b FROM 'orders/+/+' WHERE a > 1", actions: Self.republish))
        #expect(fixture.publish("orders/nyc/till", #"{"a": 2}"#) == [Published("copy/nyc", #"{"b":2}"#, qos: 1)])
        #expect(fixture.publish("orders/nyc/till", #"{"a": 1}"#) == [])
        #expect(fixture.publish("orders/nyc", #"{"a": 2}"#) == [])
        #expect(fixture.publish("other/nyc/till", #"{"a": 2}"#) == [])
        let device = try #require(fixture.engine.ruleStatistics().last)
        #expect((device.kind, device.matched, device.delivered, device.failed) == (.topic, 1, 1, 0))
    }

    @Test func everyActionIsCarriedOutInOrder() throws {
        let both = "[{events: {BusName: shop, DetailType: T, Source: device}}, {republish: {topic: copy, qos: 0, roleArn: x}}]"
        let published = try EngineFixture(template(actions: both)).publish("orders/nyc/till", "{}")
        #expect(published.map(\.topic) == ["seen", "copy"])
    }

    @Test func aRetainedPublishIsAMessageLikeAnyOtherAndItsCopyIsNotRetained() throws {
        let fixture = try EngineFixture(template(actions: Self.republish))
        #expect(fixture.publish("orders/nyc/till", "{}", retain: true) == [Published("copy/nyc", "{}")])
    }

    @Test func aFilterThatBeginsWithAWildcardDoesNotSeeTheBrokersOwnTopics() throws {
        let fixture = try EngineFixture(
            template(sql: "SELECT * FROM '#'", actions: "[{events: {busName: shop, detailType: T, source: device}}]"))
        #expect(fixture.publish("$SYS/broker/uptime", "{}") == [])
        #expect(fixture.publish("any", "{}").count == 1)
    }

    @Test func aDisabledRuleDoesNothing() throws {
        let fixture = try EngineFixture(template(actions: Self.republish, payload: "RuleDisabled: true"))
        #expect(fixture.publish("orders/nyc/till", "{}") == [])
        #expect(fixture.engine.topicFilters == [])
    }

    @Test(
        "Threat 44: values of a message take a rule to no topic that is the broker's own or matches others; what an action cannot do is kept",
        arguments: [
            (events, #"{"n": 1}"#, "events", "UNDEFINED_VALUE", "a ${…} of DetailType has no value in this message"),
            (
                "[{events: {busName: '${bus}', detailType: T, source: device}}]", #"{"bus": "nobody"}"#, "events", "NO_RESOURCE",
                "Event bus nobody does not exist."
            ),
            (
                "[{events: {busName: shop, detailType: T, source: '${s}'}}]", #"{"s": "aws.iot"}"#, "events", "NO_PERMISSIONS",
                "the source `aws.iot` begins with aws., which only AWS may use"
            ),
            (
                "[{events: {busName: shop, detailType: T, source: device}}]", "not JSON", "events", "MALFORMED_DETAIL",
                "the selected value is not a JSON object, which the detail of an event must be"
            ),
            (
                "[{Republish: {RoleArn: x, Topic: 'copy/${t}'}}]", "{}", "republish", "UNDEFINED_VALUE",
                "a ${…} of Topic has no value in this message"
            ),
            (
                "[{Republish: {RoleArn: x, Topic: 'copy/${t}'}}]", ##"{"t": "#"}"##, "republish", "INVALID_TOPIC",
                "the topic would have `+`, `#` or a control character in it"
            ),
            (
                "[{Republish: {RoleArn: x, Topic: '${t}'}}]", #"{"t": "$SYS/x"}"#, "republish", "INVALID_TOPIC",
                "the topic would begin with `$`, which belongs to the broker"
            ),
            (
                "[{Republish: {RoleArn: x, Topic: '${t}'}}]", #"{"t": "$\u0301/x"}"#, "republish", "INVALID_TOPIC",
                "the topic would begin with `$`, which belongs to the broker"
            ),
            (
                "[{events: {busName: shop, detailType: T, source: '${s}'}}]", #"{"s": "aws.\u0301"}"#, "events", "NO_PERMISSIONS",
                "the source `aws.\u{301}` begins with aws., which only AWS may use"
            ),
            ("[{Republish: {RoleArn: x, Topic: '${t}'}}]", #"{"t": ""}"#, "republish", "INVALID_TOPIC", "the topic is empty"),
        ]
    )
    func failedActions(actions: String, payload: String, action: String, code: String, message: String) throws {
        let fixture = try EngineFixture(template(actions: actions))
        #expect(fixture.publish("orders/nyc/till", payload) == [])
        let letter = try #require(fixture.engine.deadLetters(limit: 10).first)
        #expect((letter.rule, letter.bus, letter.target) == ("Device", nil, action))
        #expect((letter.errorCode, letter.errorMessage) == (code, message))
        let document = try #require(try JSONSerialization.jsonObject(with: Data(letter.event)) as? [String: Any])
        #expect(document["topic"] as? String == "orders/nyc/till")
        #expect(document["clientId"] as? String == "device")
        #expect(document["base64OriginalPayload"] as? String == Data(payload.utf8).base64EncodedString())
        #expect(fixture.log.all == ["rule delivery failed code=\(code) reason=\(message) rule=Device target=\(action)"])
        #expect(fixture.engine.ruleStatistics().last?.failed == 1)
    }

    @Test("A value may add levels to a topic of republish, as in IoT Core, and to no topic of a target of a bus")
    func levelsFromValues() throws {
        for (topic, expected) in [("copy/${t}", "copy/a/b"), ("${t}", "a/b"), ("copy/${topic()}", "copy/orders/nyc/till")] {
            let fixture = try EngineFixture(template(actions: "[{Republish: {RoleArn: x, Topic: '\(topic)'}}]"))
            #expect(fixture.publish("orders/nyc/till", #"{"t": "a/b"}"#).map(\.topic) == [expected])
        }
        let bus = try EngineFixture(
            """
            Resources:
              R:
                Type: AWS::Events::Rule
                Properties:
                  EventPattern: {source: [shop]}
                  Targets:
                    - Id: a
                      Arn: arn:aws:iot:us-east-1:000000000000:topic/copy/<t>
                      InputTransformer: {InputPathsMap: {t: $.detail.t}, InputTemplate: '{"x": 1}'}
            """)
        _ = try bus.engine.putEvents([.init(source: "shop", detailType: "T", detail: Array(#"{"t": "a/b"}"#.utf8))])
        #expect(bus.engine.deadLetters(limit: 1).first?.errorMessage == "placeholder <t> has '/' in this event")
    }

    @Test(
        "A topic whose first level comes out of the message is warned of",
        arguments: [
            ("${t}", true), ("${t}/x", true), ("x${t}", true), ("${topic(1)}${t}", true), ("${encode(*, 'base64')}", true),
            ("${get_user_properties('a')}", true), ("copy/${t}", false), ("${topic()}", false), ("${topic(1)}/${t}", false),
            ("${clientid()}/x", false), ("copy", false), ("copy/x${t}/y", false),
        ])
    func warnings(topic: String, isWarned: Bool) throws {
        let text = template(actions: "[{Republish: {RoleArn: x, Topic: \"\(topic)\"}}]")
        let resources = try ResourceSet(templates: [TemplateDocument(file: "t.yaml", text: text, parameters: [:])])
        let warnings = resources.warnings
        #expect(warnings.count == (isWarned ? 1 : 0))
        if let warning = warnings.first {
            #expect(warning.text.hasPrefix("the rule Device republishes to `\(topic)`, whose first level comes out of the message"))
            #expect(warning.location.line == 21)
        }
    }

    @Test func bytesThatAreNoJSONAreRepublishedAsTheyAre() throws {
        #expect(
            try EngineFixture(template(actions: Self.republish)).publish("orders/nyc/till", "not JSON") == [
                Published("copy/nyc", "not JSON")
            ])
    }

    @Test("Threat 56: two rules that feed each other end at the limit of hops")
    func twoRulesThatFeedEachOtherEndAtTheLimitOfHops() throws {
        let fixture = try EngineFixture(
            """
            Resources:
              Ping:
                Type: AWS::IoT::TopicRule
                Properties:
                  TopicRulePayload:
                    AwsIotSqlVersion: '2016-03-23'
                    Sql: "SELECT * FROM 'ping'"
                    Actions: [{Republish: {RoleArn: x, Topic: pong}}]
              Pong:
                Type: AWS::IoT::TopicRule
                Properties:
                  TopicRulePayload:
                    AwsIotSqlVersion: '2016-03-23'
                    Sql: "SELECT * FROM 'pong'"
                    Actions: [{events: {busName: default, detailType: T, source: s}}]
              Back:
                Type: AWS::Events::Rule
                Properties:
                  EventPattern: {source: [s]}
                  Targets: [{Id: a, Arn: 'arn:aws:iot:us-east-1:1:topic/ping', InputPath: $.detail}]
            """)
        var published = fixture.publish("ping", "{}")
        var hops: [UInt8] = []
        while let message = published.first {
            #expect(published.count == 1)
            hops.append(message.hops)
            published = fixture.publish(message.topic, message.payload, hops: message.hops)
        }
        #expect(hops == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(fixture.engine.counters.ruleHopsCut == 1)
        #expect(fixture.log.all == ["rule output cut busForwardsMax=100 rule=Ping ruleHopsMax=8 topic=ping"])
        #expect(fixture.publish("pong", "{}", hops: 255) == [])
        #expect(fixture.engine.counters.ruleHopsCut == 2)
        #expect(fixture.engine.counters.eventsAccepted == 4)
    }
}
