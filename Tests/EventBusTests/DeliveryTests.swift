import Documents
import EventBus
import Testing

@Suite struct DeliveryTests {
    /// A template with one rule on the default bus and one target; more keys of the target may follow.
    private func rule(
        pattern: String = "{source: [shop]}", topic: String = "out", target: String = ""
    ) -> String {
        """
        Resources:
          R:
            Type: AWS::Events::Rule
            Properties:
              EventPattern: \(pattern)
              Targets: [{Id: a, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/\(topic)'\(target)}]
        """
    }

    private func payload(_ target: String, of detail: String = #"{"k": "v", "n": 1.50, "o": {"x": [1, 2]}, "q": "a\"b"}"#) throws -> String
    {
        let published = try EngineFixture(rule(target: ", \(target)")).put(detail)
        return published.first?.payload ?? "nothing"
    }

    @Test func theEnvelopeHasTheServicesKeysInTheServicesOrder() throws {
        let fixture = try EngineFixture(rule())
        let entry = PutEventsEntry(
            source: "shop", detailType: "a \"type\"", detail: Array(#"{ "n" : 1.50e3, "big": 9007199254740993 }"#.utf8),
            timeMilliseconds: -1, resources: ["arn:x", "y"])
        let messages = try fixture.engine.putEvents([entry]).output.messages.map(Published.init)
        #expect(
            messages == [
                Published(
                    "out",
                    #"{"version":"0","id":"id-1","detail-type":"a \"type\"","source":"shop","account":"000000000000","#
                        + #""time":"1969-12-31T23:59:59Z","region":"us-east-1","resources":["arn:x","y"],"#
                        + #""detail":{"n":1.50e3,"big":9007199254740993}}"#)
            ])
    }

    @Test func theTimeOfAnEventIsTheCallsUnlessItSaysOtherwise() throws {
        let published = try EngineFixture(rule(target: ", InputPath: $.time")).put("{}")
        #expect(published == [Published("out", "\"2026-01-02T03:04:05Z\"")])
    }

    @Test(
        "The payload is what the target's input says",
        arguments: [
            (#"Input: '{"a" : 1}'"#, #"{"a" : 1}"#),
            ("InputPath: $.detail.k", #""v""#),
            ("InputPath: '$.detail.o.x[1]'", "2"),
            ("InputPath: $.detail.n", "1.50"),
            (#"InputTransformer: {InputPathsMap: {k: $.detail.k}, InputTemplate: '{"a": <k>}'}"#, #"{"a":"v"}"#),
            (#"InputTransformer: {InputPathsMap: {k: $.detail.k}, InputTemplate: '"it is <k>"'}"#, #""it is v""#),
            (#"InputTransformer: {InputPathsMap: {k: $.detail.nobody}, InputTemplate: '{"a": <k>}'}"#, #"{"a":""}"#),
            (
                #"InputTransformer: {InputTemplate: '{"r": <aws.events.rule-name>, "a": <aws.events.rule-arn>}'}"#,
                #"{"r":"R","a":"arn:aws:events:us-east-1:000000000000:rule/R"}"#
            ),
            (
                #"InputTransformer: {InputTemplate: '{"t": <aws.events.event.ingestion-time>}'}"#, #"{"t":"2026-01-02T03:04:05Z"}"#
            ),
        ]
    )
    func inputs(target: String, expected: String) throws {
        #expect(try payload(target) == expected)
    }

    @Test(
        "What cannot be delivered is counted, logged and kept",
        arguments: [
            ("u-<u>", "$.detail.nobody", "{}", "INVALID_TOPIC", "placeholder <u> has no value in this event"),
            ("u-<u>", "$.detail.u", #"{"u": null}"#, "INVALID_TOPIC", "placeholder <u> has no value in this event"),
            ("u-<u>", "$.detail.u", #"{"u": ""}"#, "INVALID_TOPIC", "placeholder <u> is empty in this event"),
            ("u-<u>", "$.detail.u", #"{"u": "a/b"}"#, "INVALID_TOPIC", "placeholder <u> has '/' in this event"),
            ("u-<u>", "$.detail.u", #"{"u": "+"}"#, "INVALID_TOPIC", "placeholder <u> has '+' in this event"),
            ("u-<u>", "$.detail.u", #"{"u": "a#"}"#, "INVALID_TOPIC", "placeholder <u> has '#' in this event"),
            ("u-<u>", "$.detail.u", #"{"u": "\u0000"}"#, "INVALID_TOPIC", "placeholder <u> has NUL in this event"),
            ("u-<u>", "$.detail.u", #"{"u": {}}"#, "INVALID_TOPIC", "placeholder <u> is an object or an array in this event"),
        ]
    )
    func failedPlaceholders(topic: String, path: String, detail: String, code: String, message: String) throws {
        let fixture = try EngineFixture(
            rule(topic: topic, target: ", InputTransformer: {InputPathsMap: {u: \(path)}, InputTemplate: '{\"x\": 1}'}"))
        #expect(try fixture.put(detail) == [])
        let statistics = try #require(fixture.engine.ruleStatistics().first)
        #expect((statistics.matched, statistics.delivered, statistics.failed) == (1, 0, 1))
        #expect(statistics.lastError == "\(code): \(message)")
        #expect(fixture.log.all == ["rule delivery failed bus=default code=\(code) event_id=id-1 reason=\(message) rule=R target=a"])
        let letter = try #require(fixture.engine.deadLetters(limit: 10).first)
        #expect((letter.rule, letter.bus, letter.target) == ("R", "default", "a"))
        #expect((letter.errorCode, letter.errorMessage, letter.timeMilliseconds) == (code, message, TestWorld.start))
        #expect(String(decoding: letter.event, as: UTF8.self).hasPrefix(#"{"version":"0","id":"id-1","detail-type":"type""#))
        #expect(fixture.engine.counters.deliveriesFailed == 1)
    }

    @Test func aPlaceholderCannotReachTheBrokersOwnTopics() throws {
        let fixture = try EngineFixture(
            rule(topic: "<u>/x", target: ", InputTransformer: {InputPathsMap: {u: $.detail.u}, InputTemplate: '{\"x\": 1}'}"))
        #expect(try fixture.put(#"{"u": "ok"}"#) == [Published("ok/x", #"{"x":1}"#)])
        #expect(try fixture.put(#"{"u": "$SYS"}"#) == [])
        #expect(fixture.engine.deadLetters(limit: 1).first?.errorCode == "INVALID_TOPIC")
    }

    @Test func anInputThatMakesNoPayloadFailsTheDelivery() throws {
        let nothing = try EngineFixture(rule(target: ", InputPath: $.detail.nobody"))
        #expect(try nothing.put("{}") == [])
        #expect(nothing.engine.deadLetters(limit: 1).map(\.errorCode) == ["INVALID_INPUT"])
        let broken = try EngineFixture(
            rule(target: #", InputTransformer: {InputPathsMap: {q: $.detail.q}, InputTemplate: '{"a": "<q>"}'}"#))
        #expect(try broken.put(#"{"q": "a\"b"}"#) == [])
        #expect(broken.engine.deadLetters(limit: 1).map(\.errorCode) == ["INVALID_INPUT"])
    }

    @Test func qualityOfServiceAndRetainComeFromTheTarget() throws {
        #expect(try EngineFixture(rule(target: ", InputPath: $.source")).put("{}") == [Published("out", "\"shop\"", qos: 1)])
        let retained = try EngineFixture(rule(target: ", InputPath: $.source, MqttParameters: {Qos: 2, Retain: true}"))
        #expect(try retained.put("{}") == [Published("out", "\"shop\"", qos: 2, retain: true)])
    }

    @Test func rulesSeeOnlyTheirBusAndWhatTheirPatternWants() throws {
        let fixture = try EngineFixture(
            """
            Resources:
              Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: orders}}
              A:
                Type: AWS::Events::Rule
                Properties:
                  EventBusName: !Ref Bus
                  EventPattern: '{"source": ["shop"], "detail-type": [{"prefix": "Order"}, "Exact"]}'
                  Targets:
                    - {Id: one, Arn: 'arn:aws:iot:us-east-1:1:topic/one', InputPath: $.detail-type}
                    - {Id: two, Arn: 'arn:aws:iot:us-east-1:1:topic/two', InputPath: $.detail-type}
              B:
                Type: AWS::Events::Rule
                Properties:
                  EventBusName: !GetAtt Bus.Arn
                  EventPattern: {detail: {drink: [latte], items: {sku: [x]}}}
                  Targets: [{Id: b, Arn: 'arn:aws:iot:us-east-1:1:topic/b', InputPath: $.detail-type}]
              Off:
                Type: AWS::Events::Rule
                Properties:
                  State: DISABLED
                  EventBusName: orders
                  EventPattern: {source: [shop]}
                  Targets: [{Id: b, Arn: 'arn:aws:iot:us-east-1:1:topic/off'}]
            """)
        func topics(_ detail: String, _ type: String, bus: String? = "orders", source: String = "shop") throws -> [String] {
            try fixture.put(detail, type: type, source: source, bus: bus).map(\.topic)
        }
        #expect(try topics("{}", "OrderX") == ["one", "two"])
        #expect(try topics("{}", "Exact") == ["one", "two"])
        #expect(try topics("{}", "order") == [])
        #expect(try topics("{}", "OrderX", source: "other") == [])
        #expect(try topics("{}", "OrderX", bus: nil) == [])
        #expect(try topics(#"{"drink": "latte", "items": [{"sku": "y"}, {"sku": "x"}]}"#, "OrderX") == ["one", "two", "b"])
        #expect(fixture.engine.counters.eventsUnmatched == 3)
        #expect(fixture.engine.ruleStatistics().map(\.enabled) == [true, true, false])
        #expect(fixture.engine.ruleStatistics()[2].matched == 0)
    }

    @Test func failuresOfARuleAreLoggedOnceAnInterval() throws {
        let fixture = try EngineFixture(rule(target: ", InputPath: $.detail.nobody"))
        for _ in 0..<5 { _ = try fixture.put("{}") }
        #expect(fixture.log.all.count == 1)
        fixture.world.advance(milliseconds: 9_999)
        _ = try fixture.put("{}")
        #expect(fixture.log.all.count == 1)
        fixture.world.advance(milliseconds: 1)
        _ = try fixture.put("{}")
        #expect(fixture.log.all.count == 2)
        #expect(fixture.log.all[1].contains("suppressed=5"))
    }

    @Test func deadLettersAreBoundedAndTheOldestGoFirst() throws {
        var limits = EventBusLimits()
        limits.deadLettersMax = 3
        let fixture = try EngineFixture(rule(target: ", InputPath: $.detail.nobody"), limits: limits)
        for _ in 0..<8 { _ = try fixture.put("{}") }
        func ids(_ limit: Int) -> [String] {
            fixture.engine.deadLetters(limit: limit).map { String(String(decoding: $0.event, as: UTF8.self).dropFirst(21).prefix(4)) }
        }
        #expect(ids(10) == ["id-8", "id-7", "id-6"])
        #expect(ids(1) == ["id-8"])
        #expect(fixture.engine.counters.deadLettersDropped == 5)
    }

    @Test func deadLettersAreBoundedInBytes() throws {
        var limits = EventBusLimits()
        limits.deadLetterBytesMax = 500
        let fixture = try EngineFixture(rule(target: ", InputPath: $.detail.nobody"), limits: limits)
        for _ in 0..<4 { _ = try fixture.put("{}") }
        #expect(fixture.engine.deadLetters(limit: 10).count == 2)
        _ = try fixture.put("{\"a\": \"\(String(repeating: "x", count: 500))\"}")
        #expect(fixture.engine.deadLetters(limit: 10).count == 2)
        #expect(fixture.engine.counters.deadLettersDropped == 3)
    }

    @Test func aReloadSwapsTheRulesAndKeepsTheCountersOfThoseThatStay() throws {
        let fixture = try EngineFixture(rule(target: ", InputPath: $.source"))
        _ = try fixture.put("{}")
        fixture.engine.replace(
            resources: try resources(
                """
                Resources:
                  R: {Type: 'AWS::Events::Rule', Properties: {EventPattern: {source: [other]}}}
                  N: {Type: 'AWS::Events::Rule', Properties: {EventPattern: {source: [other]}}}
                  T:
                    Type: AWS::IoT::TopicRule
                    Properties: {TopicRulePayload: {AwsIotSqlVersion: '2016-03-23', Sql: "SELECT * FROM 'a'", Actions: []}}
                """))
        #expect(try fixture.put("{}") == [])
        #expect(fixture.engine.ruleStatistics().map(\.name) == ["R", "N", "T"])
        #expect(fixture.engine.ruleStatistics().map(\.matched) == [1, 0, 0])
        #expect(fixture.engine.topicFilters == ["a"])
    }
}
