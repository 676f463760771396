import Documents
import EventBus
import Testing

@Suite struct ResourceSetTests {
    private func message(_ yaml: String) -> String {
        do {
            _ = try resources(yaml)
            return "no error"
        } catch {
            return error.description
        }
    }

    private static let topic = "Arn: 'arn:aws:iot:us-east-1:000000000000:topic/out'"

    /// A rule of six lines, whose fifth is the pattern and whose sixth is the list of targets.
    private func rule(pattern: String = "EventPattern: {source: [shop]}", targets: String = "[]", more: String = "") -> String {
        """
        Resources:
          R:
            Type: AWS::Events::Rule
            Properties:
              \(pattern)
              Targets: \(targets)
              \(more)
        """
    }

    @Test(
        "What a rule cannot do is refused with its place",
        arguments: [
            ("ScheduleExpression: rate(1 minute)", "no error"),
            ("EventBusPolicy: x", "7:7: AWS::Events::Rule `R`: the property EventBusPolicy is not supported"),
            ("Nmae: x", "7:7: AWS::Events::Rule `R`: the property Nmae is not supported; did you mean `Name`?"),
            ("Name: a b", "7:13: Name `a b` must be 1 to 64 letters, digits and any of `.-_`"),
            ("State: PAUSED", "7:14: State `PAUSED` is not supported; ENABLED and DISABLED are"),
            ("EventBusName: nobody", "7:21: Event bus nobody does not exist; known: default"),
            ("EventBusName: !If [a, b, c]", "7:21: EventBusName: the intrinsic function Fn::If is not supported"),
            ("RoleArn: x", "no error"), ("Description: x", "no error"), ("State: ENABLED", "no error"),
        ]
    )
    func ruleProperties(line: String, expected: String) {
        let found = message(rule(more: line))
        #expect(found == (expected == "no error" ? expected : "t.yaml:\(expected)"))
    }

    @Test func aRuleWithoutPatternAndScheduleIsRefused() {
        #expect(
            message(rule(pattern: "Description: none")) == "t.yaml:2:3: AWS::Events::Rule `R` needs an EventPattern or a ScheduleExpression"
        )
    }

    @Test(
        "A pattern that Crema cannot match is refused in the service's words or by the operator's name",
        arguments: [
            ("EventPattern: []", "Event pattern is not valid. Reason: Filter is not an object"),
            ("EventPattern: {source: shop}", "\"source\" must be an object or an array"),
            ("EventPattern: {source: []}", "Empty arrays are not allowed"),
            ("EventPattern: 'nonsense'", "Unrecognized token 'nonsense'"),
            ("EventPattern: {detail: {n: [{numeric: ['>', x]}]}}", "Value of > must be numeric"),
            ("EventPattern: {detail: {n: [{regex: x}]}}", "Unrecognized match type regex"),
            ("EventPattern: {$or: [{source: [a]}]}", "There must have at least 2 Objects in $or relationship."),
            ("EventPattern: {a: [{anything-but: {prefix: []}}]}", "a: an empty list in anything-but with prefix is not supported"),
        ]
    )
    func patterns(line: String, expected: String) {
        let found = message(rule(pattern: line))
        #expect(found.hasPrefix("t.yaml:5:"))
        #expect(found.contains(expected))
    }

    @Test("A pattern is refused at the line of the field that it is refused for, by rule and field")
    func patternPlace() {
        let pattern = """
            EventPattern:
                    source: [shop]
                    detail:
                      y: [{prefix: a}]
                      z:
                        - b
                        - regexp: foo
            """
        #expect(
            message(rule(pattern: pattern))
                == "t.yaml:11:15: AWS::Events::Rule `R`, EventPattern at `detail.z.regexp`: Event pattern is not valid. Reason: "
                + "Unrecognized match type regexp")
    }

    @Test(
        "What a target cannot do is refused with its place",
        arguments: [
            (
                "{Id: a, Arn: 'arn:aws:states:us-east-1:1:stateMachine:f'}",
                "the target `a`: the ARN `arn:aws:states:us-east-1:1:stateMachine:f` is not supported"
            ),
            ("{Id: a, Arn: 'arn:aws:iot:us-east-1:1:topic/a+b'}", "the target `a`: a topic must not contain '+'"),
            ("{Id: a, Arn: 'arn:aws:iot:us-east-1:1:topic/a', RoleArn: [[r]]}", "RoleArn must be"),
            ("{Id: a, Arn: 'arn:aws:iot:us-east-1:1:topic/'}", "the target `a`: the topic is empty"),
            ("{Id: a, Arn: 'arn:aws:iot:us-east-1:1:topic/$SYS/x'}", "topics that begin with `$` belong to the broker"),
            ("{Id: a, Arn: 'arn:aws:iot:us-east-1:1:topic/$\u{301}/x'}", "topics that begin with `$` belong to the broker"),
            ("{Id: a, Arn: 'arn:aws:iot:us-east-1:1:topic/u-<u>'}", "placeholder <u> is not in InputPathsMap"),
            ("{Id: a}", "the target `a` lacks `Arn`"),
            ("{\(topic)}", "a target lacks `Id`"),
            ("{Id: 'a b', \(topic)}", "Id `a b` must be 1 to 64 letters"),
            ("{Id: a, \(topic), KinesisParameters: {}}", "the target `a`: the property KinesisParameters is not supported"),
            ("{Id: a, \(topic), DeadLetterConfig: {Queue: x}}", "the target `a`: DeadLetterConfig"),
            ("{Id: a, \(topic), MqttParameters: {Qos: 3}}", "Qos is `3`, but must be a whole number, 0 to 2"),
            (
                "{Id: a, \(topic), MqttParameters: {MessageExpiry: 0}}",
                "MessageExpiry is `0`, but must be a whole number, 1 to 4294967295"
            ),
            (
                "{Id: a, \(topic), MqttParameters: {Retained: true}}",
                "MqttParameters: the property Retained is not supported; did you mean `Retain`?"
            ),
            (
                "{Id: a, \(topic), Input: '{}', InputPath: $.detail}",
                "Only one of Input, InputPath, or InputTransformer must be provided for target a."
            ),
            ("{Id: a, \(topic), Input: '{'}", "Input is not valid JSON"),
            ("{Id: a, \(topic), InputPath: $..x}", "InputPath: path '$..x'"),
            (
                "{Id: a, \(topic), InputTransformer: {InputTemplate: '{\"a\": <b>}'}}",
                "InputTemplate for target a contains invalid placeholder b."
            ),
            ("{Id: a, \(topic), InputTransformer: {}}", "InputTransformer lacks `InputTemplate`"),
            (
                "{Id: a, \(topic), InputTransformer: {InputTemplate: '\"x\"', Paths: {}}}",
                "InputTransformer: the property Paths is not supported"
            ),
            ("{Id: a, \(topic)}, {Id: a, \(topic)}", "the target Id `a` occurs more than once"),
            (
                (1...6).map { "{Id: t\($0), \(topic)}" }.joined(separator: ", "),
                "AWS::Events::Rule `R` has 6 targets, but a rule has at most 5"
            ),
        ]
    )
    func targets(target: String, expected: String) {
        let found = message(rule(targets: "[\(target)]"))
        #expect(found.hasPrefix("t.yaml:6:"))
        #expect(found.contains(expected))
        #expect(found.split(separator: "\n").count == 1)
    }

    @Test(
        "What a bus cannot do is refused with its place",
        arguments: [
            ("{}", "2:50: AWS::Events::EventBus `B` lacks `Name`"),
            ("{Name: 'a b'}", "2:57: Name `a b` must be 1 to 256 letters, digits and any of `.-_/`"),
            ("{Name: default}", "2:3: the bus `default` exists already, see built-in"),
            ("{Name: b, Policy: x}", "2:60: AWS::Events::EventBus `B`: the property Policy is not supported"),
            ("{Name: b, DeadLetterConfig: {}}", "2:60: AWS::Events::EventBus `B`: the property DeadLetterConfig is not supported"),
        ]
    )
    func buses(properties: String, expected: String) {
        #expect(message("Resources:\n  B: {Type: 'AWS::Events::EventBus', Properties: \(properties)}") == "t.yaml:\(expected)")
    }

    /// A topic rule whose statement is on line 7 and whose actions are on line 8.
    private func topicRule(sql: String = "SELECT * FROM 'a/#'", actions: String = "[]", version: String = "2016-03-23", more: String = "")
        -> String
    {
        """
        Resources:
          T:
            Type: AWS::IoT::TopicRule
            Properties:
              TopicRulePayload:
                AwsIotSqlVersion: '\(version)'
                Sql: "\(sql)"
                Actions: \(actions)
                \(more)
        """
    }

    @Test(
        "What a topic rule cannot do is refused with its place",
        arguments: [
            (
                "[{dynamoDB: {functionArn: x}}]",
                "8:20: AWS::IoT::TopicRule `T`: the action dynamoDB is not supported; Republish, CloudwatchLogs, Sqs, Http, Lambda and events are"
            ),
            (
                "[{Republish: {Topic: b, RoleArn: x}, S3: {}}]",
                "8:19: an action of AWS::IoT::TopicRule `T` must have exactly one key, such as `Republish`"
            ),
            ("[{Republish: {RoleArn: x}}]", "8:31: AWS::IoT::TopicRule `T`: Republish lacks `Topic`"),
            (
                "[{Republish: {Topic: b, Qos: 1}}]",
                "8:31: AWS::IoT::TopicRule `T`: Republish lacks `RoleArn`, which AWS IoT demands; here any ARN will do"
            ),
            ("[{Republish: {Topic: b, RoleArn: ''}}]", "8:51: AWS::IoT::TopicRule `T`: Republish: `RoleArn` is empty"),
            (
                "[{Sqs: {QueueUrl: '${q}'}}]",
                "8:25: AWS::IoT::TopicRule `T`: Sqs lacks `RoleArn`, which AWS IoT demands; here any ARN will do"
            ),
            (
                "[{CloudwatchLogs: {LogGroupName: a}}]",
                "8:36: AWS::IoT::TopicRule `T`: CloudwatchLogs lacks `RoleArn`, which AWS IoT demands; here any ARN will do"
            ),
            ("[{Republish: {Topic: b, Retain: true}}]", "8:42: AWS::IoT::TopicRule `T`: Republish: the property Retain is not supported"),
            (
                "[{Republish: {Topic: b, Headers: {Priority: 1}}}]",
                "8:52: AWS::IoT::TopicRule `T`: Republish: Headers: the property Priority is not supported"
            ),
            (
                "[{Republish: {Topic: b, Headers: {MessageExpiry: soon}}}]",
                "8:67: AWS::IoT::TopicRule `T`: Republish: Headers: MessageExpiry must be a whole number of seconds, not `soon`"
            ),
            (
                "[{Republish: {Topic: b, Headers: {CorrelationData: '?'}}}]",
                "8:69: AWS::IoT::TopicRule `T`: Republish: Headers: CorrelationData must be Base64, which `?` is not"
            ),
            (
                "[{Republish: {Topic: b, Headers: {ResponseTopic: 'a/#'}}}]",
                "8:67: AWS::IoT::TopicRule `T`: Republish: Headers: ResponseTopic must be the name of a topic, not `a/#`"
            ),
            (
                "[{Republish: {Topic: b, Headers: {PayloadFormatIndicator: x}}}]",
                "8:76: AWS::IoT::TopicRule `T`: Republish: Headers: PayloadFormatIndicator must be UTF8_DATA or UNSPECIFIED_BYTES, not `x`"
            ),
            (
                "[{Republish: {Topic: b, Headers: {UserProperties: [{Key: a}]}}}]",
                "8:69: AWS::IoT::TopicRule `T`: Republish: Headers: UserProperties lacks `Value`"
            ),
            (
                "[{CloudwatchLogs: {LogGroupName: a, BatchMode: true}}]",
                "8:65: AWS::IoT::TopicRule `T`: CloudwatchLogs: `BatchMode: true` is not supported"
            ),
            ("[{Republish: {Topic: 'a/b'}}]", "8:39: Republish topic cannot be within topic space of rule's topic pattern 'a/#'"),
            (
                "[{Republish: {Topic: '$$aws/things/t/shadow/update'}}]",
                "8:39: AWS::IoT::TopicRule `T`: topics that begin with `$` belong to the broker, and there are no shadows, jobs or other "
                    + "services of AWS behind them"
            ),
            ("[{Republish: {Topic: '$$SYS/b'}}]", "8:39: AWS::IoT::TopicRule `T`: topics that begin with `$` belong to the broker"),
            ("[{Republish: {Topic: '$$\u{301}/b'}}]", "8:39: AWS::IoT::TopicRule `T`: topics that begin with `$` belong to the broker"),
            ("[{Republish: {Topic: 'b/+'}}]", "8:39: AWS::IoT::TopicRule `T`: `b/+` is not the name of a topic"),
            ("[{Republish: {Topic: b, topic: c}}]", "8:42: AWS::IoT::TopicRule `T`: Republish: `topic` says again what `Topic` says"),
            ("[{events: {detailType: a, source: b}}]", "8:28: AWS::IoT::TopicRule `T`: events lacks `BusName`"),
            (
                "[{events: {busName: defualt, detailType: a, source: b}}]",
                "8:38: Event bus defualt does not exist; did you mean `default`?"
            ),
            (
                "[{events: {busName: default, detailType: a, source: b, time: c}}]",
                "8:73: AWS::IoT::TopicRule `T`: events: the property time is not supported"
            ),
        ]
    )
    func actions(actions: String, expected: String) {
        #expect(message(topicRule(actions: actions)) == "t.yaml:\(expected)")
    }

    @Test func aStatementThatCremaCannotRunIsRefusedByName() {
        #expect(message(topicRule(sql: "SELECT nobody(a) AS b FROM 'a'")).hasPrefix("t.yaml:7:14: Sql: "))
        #expect(message(topicRule(sql: "SELECT nobody(a) AS b FROM 'a'")).contains("nobody"))
        #expect(message(topicRule(sql: "SELECT * FROM 'a/#/b'")).hasPrefix("t.yaml:7:14: Sql: "))
        #expect(
            message(topicRule(actions: "[{Republish: {RoleArn: r, Topic: '${nobody(1)}'}}]")).hasPrefix(
                "t.yaml:8:51: AWS::IoT::TopicRule `T`: Republish: Topic: "))
    }

    @Test func theVersionOfTheLanguageIsAWSsOwnDefaultUnlessItIsSaid() throws {
        #expect(
            message(topicRule(version: "beta"))
                == "t.yaml:6:27: AwsIotSqlVersion `beta` is not supported; `2015-10-08` and `2016-03-23` are")
        let without = topicRule(sql: "SELECT [1] AS b FROM 'a'").replacing("        AwsIotSqlVersion: '2016-03-23'\n", with: "")
        #expect(message(without).hasSuffix("Sql: an array literal needs SQL version 2016-03-23 (offset 7)"))
        #expect(throws: Never.self) { try resources(topicRule(sql: "SELECT [1] AS b FROM 'a'")) }
        #expect(throws: Never.self) { try resources(topicRule(version: "2015-10-08")) }
    }

    @Test func anErrorActionIsReadAsAnActionIs() {
        #expect(
            message(topicRule(more: "ErrorAction: {dynamoDB: {}}"))
                == "t.yaml:9:23: AWS::IoT::TopicRule `T`: the action dynamoDB is not supported; Republish, CloudwatchLogs, Sqs, Http, Lambda and events are"
        )
        #expect(throws: Never.self) { try resources(topicRule(more: "ErrorAction: {Republish: {RoleArn: r, Topic: b}}")) }
    }

    @Test func namesAreUniqueAcrossTemplates() throws {
        func template(_ file: String) throws -> TemplateDocument {
            try TemplateDocument(
                file: file,
                text: """
                    Resources:
                      B: {Type: 'AWS::Events::EventBus', Properties: {Name: b}}
                      R: {Type: 'AWS::Events::Rule', Properties: {EventPattern: {source: [a]}}}
                      S: {Type: 'AWS::Events::Rule', Properties: {EventBusName: b, EventPattern: {source: [a]}}}
                      T:
                        Type: AWS::IoT::TopicRule
                        Properties: {TopicRulePayload: {AwsIotSqlVersion: '2016-03-23', Sql: "SELECT * FROM 'a'", Actions: []}}
                    """, parameters: [:])
        }
        #expect(try ResourceSet(templates: [template("a.yaml")]).busNames == ["default", "b"])
        let error = #expect(throws: DocumentError.self) { try ResourceSet(templates: [template("a.yaml"), template("b.yaml")]) }
        #expect(
            error?.description == """
                b.yaml:2:3: the bus `b` exists already, see a.yaml:2:3
                b.yaml:3:3: the rule `default/R` exists already, see a.yaml:3:3
                b.yaml:4:3: the rule `b/S` exists already, see a.yaml:4:3
                b.yaml:5:3: the topic rule `T` exists already, see a.yaml:5:3
                """)
    }

    @Test func aRuleMayUseABusOfAnotherTemplate() throws {
        let rule = try TemplateDocument(
            file: "a.yaml",
            text: "Resources: {R: {Type: 'AWS::Events::Rule', Properties: {EventBusName: late, EventPattern: {source: [a]}}}}",
            parameters: [:])
        let bus = try TemplateDocument(
            file: "b.yaml", text: "Resources: {B: {Type: 'AWS::Events::EventBus', Properties: {Name: late}}}", parameters: [:])
        #expect(try ResourceSet(templates: [rule, bus]).eventRuleCount == 1)
    }

    @Test func everyMistakeOfARuleIsNamedAtOnce() {
        let found = message(
            rule(pattern: "EventPattern: {}", targets: "[{Id: a}, {Id: b, \(Self.topic), Inputs: x}]", more: "State: off"))
        #expect(found.split(separator: "\n").map { $0.prefix(9) } == ["t.yaml:7:", "t.yaml:5:", "t.yaml:6:", "t.yaml:6:"])
    }
}
