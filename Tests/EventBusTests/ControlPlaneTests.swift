import BrokerCore
import Documents
import Logging
import NIOCore
import Queues
import Rules
import Testing

@testable import EventBus

/// A control plane over the engine of one template.
struct ControlFixture {
    let events: EngineFixture
    let control: ControlPlane

    static let template = """
        Resources:
          ShopBus: { Type: AWS::Events::EventBus, Properties: { Name: shop, Description: of the template } }
          Declared:
            Type: AWS::Events::Rule
            Properties:
              Name: declared
              EventPattern: '{"source":["shop"]}'
              Targets: [{ Id: t, Arn: 'arn:aws:iot:us-east-1:1:topic/declared', InputPath: $.source }]
          Lights:
            Type: AWS::IoT::TopicRule
            Properties:
              RuleName: lights
              TopicRulePayload:
                AwsIotSqlVersion: "2016-03-23"
                Sql: SELECT * FROM 'lights/#'
                Actions: [{ Republish: { RoleArn: r, Topic: seen, Qos: 1 } }]
        """

    init(_ template: String = ControlFixture.template, limits: EventBusLimits = EventBusLimits()) throws {
        events = try EngineFixture(template, limits: limits)
        let queues = SharedQueues(makeID: events.world.source.makeID)
        control = ControlPlane(delivery: RuleDelivery(engine: events.engine, queues: queues), templates: try resources(template))
    }

    /// Makes a rule on the default bus, or on another, that publishes the event's source on a topic of the rule's name.
    func putRule(_ name: String, _ pattern: String = #"{"source":["shop"]}"#, bus: String = "default") throws {
        _ = try control.putRule(NewRule(name: name, bus: bus, pattern: pattern))
        try putTarget(#"{"Id":"t","Arn":"arn:aws:iot:us-east-1:1:topic/\#(name)","InputPath":"$.source"}"#, to: name, bus: bus)
    }

    func putTarget(_ json: String, to rule: String, bus: String = "default") throws {
        try control.putTargets([JSONDocument(parsing: Array(json.utf8)).root], toRule: rule, onBus: bus)
    }

    func topicRule(_ name: String, _ json: String) throws {
        try control.createTopicRule(name, try JSONDocument(parsing: Array(json.utf8)).root)
    }

    func topics(source: String = "shop", bus: String? = nil) throws -> [String] {
        try events.put("{}", source: source, bus: bus).map(\.topic)
    }
}

@Suite struct ControlPlaneTests {
    @Test func aRuleWorksAsSoonAsItHasATargetAndStopsWhenItIsDisabled() throws {
        let fixture = try ControlFixture()
        #expect(try fixture.topics() == ["declared"])
        #expect(
            try fixture.control.putRule(NewRule(name: "made", pattern: #"{"source":["shop"]}"#))
                == "arn:aws:events:us-east-1:000000000000:rule/made")
        #expect(try fixture.topics() == ["declared"])
        try fixture.putTarget(#"{"Id":"t","Arn":"arn:aws:iot:us-east-1:1:topic/made","Input":"{}"}"#, to: "made")
        #expect(try fixture.topics() == ["declared", "made"])
        try fixture.control.setRule("made", onBus: "default", enabled: false)
        #expect(try fixture.topics() == ["declared"])
        #expect(try fixture.control.rule("made", onBus: "default").isEnabled == false)
        try fixture.control.setRule("made", onBus: "default", enabled: true)
        #expect(try fixture.topics() == ["declared", "made"])
        #expect(try fixture.control.removeTargets(["t", "u"], fromRule: "made", onBus: "default") == ["u"])
        try fixture.control.deleteRule("made", onBus: "default")
        #expect(try fixture.topics() == ["declared"])
        #expect(throws: ControlError(.resourceNotFound, "Rule made does not exist on EventBus default.")) {
            try fixture.control.rule("made", onBus: "default")
        }
        try fixture.control.deleteRule("made", onBus: "default")
    }

    @Test func rulesKeepTheirOrderCountersAndTargetsWhenOneIsReplaced() throws {
        let fixture = try ControlFixture()
        for name in ["c", "a", "b"] { try fixture.putRule(name) }
        #expect(try fixture.topics() == ["declared", "c", "a", "b"])
        _ = try fixture.control.putRule(NewRule(name: "a", pattern: #"{"source":[{"prefix":"sh"}]}"#))
        #expect(try fixture.topics() == ["declared", "c", "a", "b"])
        #expect(fixture.events.engine.ruleStatistics().prefix(4).map(\.matched) == [2, 2, 2, 2])
        try fixture.control.setRule("c", onBus: "default", enabled: false)
        _ = try fixture.control.removeTargets(["t"], fromRule: "a", onBus: "default")
        try fixture.control.deleteRule("a", onBus: "default")
        try fixture.putRule("a")
        #expect(try fixture.topics() == ["declared", "b", "a"])
        #expect(fixture.events.engine.ruleStatistics().map(\.name) == ["declared", "c", "b", "a", "lights"])
        #expect(try fixture.control.rules(onBus: "default", withPrefix: "").map(\.name) == ["a", "b", "c", "declared"])
    }

    @Test func busesComeAndGo() throws {
        let fixture = try ControlFixture()
        let arn = try fixture.control.createBus("made", ResourceDetails(description: "d", tags: ["k": "v"])).arn
        #expect(arn == "arn:aws:events:us-east-1:000000000000:event-bus/made")
        try fixture.putRule("r", bus: arn)
        #expect(try fixture.topics(bus: "made") == ["r"])
        try fixture.putTarget(#"{"Id":"bus","Arn":"arn:aws:events:us-east-1:000000000000:event-bus/shop"}"#, to: "r", bus: "made")
        #expect(throws: ControlError(.validation, "Event bus can't be deleted since it has rules.")) {
            try fixture.control.deleteBus("made")
        }
        _ = try fixture.control.removeTargets(["t", "bus"], fromRule: "r", onBus: "made")
        try fixture.control.deleteRule("r", onBus: "made")
        try fixture.control.deleteBus("made")
        #expect(try fixture.topics(bus: "made") == [])
        #expect(fixture.events.engine.counters.eventsDroppedUnknownBus == 1)
        #expect(try fixture.control.buses(withPrefix: "").map(\.name) == ["default", "shop"])
        #expect(try fixture.control.bus("shop").details.description == "of the template")
    }

    @Test func whatATemplateDeclaresIsChangedOnlyThere() throws {
        let fixture = try ControlFixture()
        let control = fixture.control
        func refused(_ code: ControlError.Code, _ call: () throws -> Void) {
            let error = #expect(throws: ControlError.self, performing: call)
            #expect(error?.code == code)
            #expect(error?.message.contains("is declared at t.yaml:") == true)
        }
        refused(.managedRule) { _ = try control.putRule(NewRule(name: "declared", pattern: #"{"a":["b"]}"#)) }
        refused(.managedRule) { try control.deleteRule("declared", onBus: "default") }
        refused(.managedRule) { try control.setRule("declared", onBus: "default", enabled: false) }
        refused(.managedRule) { try fixture.putTarget(#"{"Id":"t","Arn":"arn:aws:iot:r:1:topic/t"}"#, to: "declared") }
        refused(.managedRule) { _ = try control.removeTargets(["t"], fromRule: "declared", onBus: "default") }
        refused(.managedRule) { try control.tag("arn:aws:events:us-east-1:000000000000:rule/declared", ["a": "b"]) }
        refused(.validation) { try control.deleteBus("shop") }
        refused(.validation) { _ = try control.updateBus("shop", description: nil) }
        refused(.conflictingUpdate) { try control.deleteTopicRule("lights") }
        refused(.conflictingUpdate) { try control.setTopicRule("lights", enabled: false) }
        #expect(try control.rule("declared", onBus: "default").managedBy?.hasPrefix("t.yaml:3:") == true)
        #expect(try fixture.topics() == ["declared"])
    }

    @Test func aReloadKeepsWhatCameByAPI() throws {
        let fixture = try ControlFixture()
        _ = try fixture.control.createBus("made", ResourceDetails())
        try fixture.putRule("r", bus: "made")
        try fixture.putRule("own", bus: "shop")
        try fixture.topicRule("own", #"{"sql":"SELECT * FROM 'a'","actions":[{"republish":{"topic":"b","roleArn":"r"}}]}"#)
        let before = fixture.events.engine.ruleStatistics().map(\.location)
        try fixture.control.replace(templates: try resources(ControlFixture.template.replacing("declared", with: "other")))
        #expect(try fixture.topics() == ["other"])
        #expect(try fixture.topics(bus: "made") == ["r"])
        #expect(try fixture.topics(bus: "shop") == ["own"])
        #expect(fixture.events.engine.topicFilters == ["lights/#", "a"])
        #expect(fixture.events.engine.ruleStatistics().map(\.location) == before)
        #expect(before.map(\.description).contains("PutRule 2026-01-02T03:04:05Z"))
        #expect(before.map(\.description).contains("CreateTopicRule 2026-01-02T03:04:05Z"))
    }

    @Test("A reload that would take a name, or the bus of a rule, changes nothing")
    func conflictingReload() throws {
        let fixture = try ControlFixture()
        _ = try fixture.control.createBus("made", ResourceDetails())
        try fixture.putRule("own", bus: "shop")
        try fixture.topicRule("own", #"{"sql":"SELECT * FROM 'a'","actions":[]}"#)
        for (change, problem) in [
            (("Name: shop", "Name: made"), "the bus `made` exists already, by CreateEventBus 2026-"),
            (("Name: shop", "Name: other"), "no template declares the bus `shop` of the rule `own` any more"),
            (("Name: declared", "EventBusName: shop, Name: own"), "the rule `shop/own` exists already, by PutRule 2026-"),
            (("RuleName: lights", "RuleName: own"), "the topic rule `own` exists already, by CreateTopicRule 2026-"),
        ] {
            let text = ControlFixture.template.replacing(change.0, with: change.1).replacing(", Name: own", with: "\n      Name: own")
            let error = #expect(throws: (any Error).self) { try fixture.control.replace(templates: try resources(text)) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(problem), "\(error.map { "\($0)" } ?? "")")
            #expect(try fixture.topics() == ["declared"])
            #expect(try fixture.topics(bus: "shop") == ["own"])
        }
    }

    @Test("Targets are read as those of templates are, and all refused if one is")
    func targets() throws {
        let fixture = try ControlFixture()
        try fixture.putRule("r")
        for (target, problem) in [
            (
                #""Arn":"arn:aws:lambda:us-east-1:1:function""#,
                "the target `u`: the ARN `arn:aws:lambda:us-east-1:1:function` is not supported"
            ),
            (#""Arn":"arn:aws:sqs:us-east-1:000000000000:none""#, "Queue none does not exist"),
            (#""Arn":"arn:aws:events:us-east-1:1:event-bus/none""#, "Event bus none does not exist"),
            (
                #""Arn":"arn:aws:iot:r:1:topic/t","Input":"1","InputPath":"$""#,
                "Only one of Input, InputPath, or InputTransformer must be provided for target u."
            ),
            (
                #""Arn":"arn:aws:iot:r:1:topic/t","InputTransformer":{"InputTemplate":"<k>"}"#,
                "InputTemplate for target u contains invalid placeholder k."
            ),
            (#""Arn":"arn:aws:iot:r:1:topic/t","EcsParameters":{}"#, "the property EcsParameters is not supported"),
        ] {
            let good = try JSONDocument(parsing: Array(#"{"Id":"good","Arn":"arn:aws:iot:r:1:topic/good"}"#.utf8)).root
            let bad = try JSONDocument(parsing: Array(#"{"Id":"u",\#(target)}"#.utf8)).root
            let error = #expect(throws: ControlError.self) { try fixture.control.putTargets([good, bad], toRule: "r", onBus: "default") }
            #expect(error?.code == .validation)
            #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
            #expect(try fixture.control.targets(ofRule: "r", onBus: "default").map(\.id) == ["t"])
        }
        let whole =
            #"{"Id":"a","Arn":"arn:aws:iot:r:1:topic/t","RoleArn":"role","InputTransformer":{"InputPathsMap":{"k":"$.id"},"#
            + #""InputTemplate":"<k>"},"MqttParameters":{"Qos":0,"Retain":true}}"#
        try fixture.putTarget(whole, to: "r")
        #expect(String(decoding: try fixture.control.targets(ofRule: "r", onBus: "default")[0].json, as: UTF8.self) == whole)
        let declared = try fixture.control.targets(ofRule: "declared", onBus: "default")
        #expect(
            String(decoding: declared[0].json, as: UTF8.self)
                == #"{"Id":"t","Arn":"arn:aws:iot:us-east-1:1:topic/declared","InputPath":"$.source"}"#)
        #expect(try fixture.control.ruleNames(onBus: "default", withTarget: "arn:aws:iot:r:1:topic/t") == ["r"])
    }

    @Test func limitsAreKept() throws {
        var limits = EventBusLimits()
        (limits.busesMax, limits.rulesPerBusMax, limits.targetsPerRuleMax, limits.topicRulesMax, limits.tagsMax) = (3, 2, 1, 2, 1)
        let fixture = try ControlFixture(limits: limits)
        let tooMany = ControlError(.limitExceeded, "The requested resource exceeds the maximum number allowed.")
        _ = try fixture.control.createBus("one", ResourceDetails())
        #expect(throws: tooMany) { try fixture.control.createBus("two", ResourceDetails()) }
        try fixture.putRule("one")
        #expect(throws: tooMany) { try fixture.control.putRule(NewRule(name: "two", pattern: #"{"a":["b"]}"#)) }
        try fixture.putRule("one")
        #expect(throws: tooMany) { try fixture.putTarget(#"{"Id":"u","Arn":"arn:aws:iot:r:1:topic/t"}"#, to: "one") }
        try fixture.topicRule("one", #"{"sql":"SELECT * FROM 'a'","actions":[]}"#)
        let error = #expect(throws: ControlError.self) {
            try fixture.topicRule("two", #"{"sql":"SELECT * FROM 'a'","actions":[]}"#)
        }
        #expect(error?.message.contains("topicRulesMax") == true)
        let arn = "arn:aws:events:us-east-1:000000000000:rule/one"
        try fixture.control.tag(arn, ["a": "1"])
        #expect(throws: tooMany) { try fixture.control.tag(arn, ["b": "1"]) }
        try fixture.control.tag(arn, ["b": "1"], removing: ["a"])
        #expect(try fixture.control.tags(ofResource: arn) == ["b": "1"])
    }

    @Test func rulesWithoutWhatTheyNeedAreRefused() throws {
        let control = try ControlFixture().control
        func refused(_ rule: NewRule, _ error: ControlError) { #expect(throws: error) { try control.putRule(rule) } }
        refused(
            NewRule(name: "r", pattern: nil),
            ControlError(.validation, "Parameter(s) EventPattern or ScheduleExpression must be specified."))
        refused(
            NewRule(name: "r", bus: "none", pattern: #"{"a":["b"]}"#), ControlError(.resourceNotFound, "Event bus none does not exist."))
        refused(
            NewRule(name: "r", pattern: "[]"),
            ControlError(.invalidEventPattern, "Event pattern is not valid. Reason: Filter is not an object"))
        refused(
            NewRule(name: "r", bus: "shop", pattern: nil, schedule: "rate(1 minute)"),
            ControlError(.validation, "ScheduleExpression is supported only on the default event bus."))
        refused(
            NewRule(name: "r", pattern: nil, schedule: "rate(1 minutes)"),
            ControlError(.validation, "Parameter ScheduleExpression is not valid."))
    }
}

@Suite struct ControlConcurrencyTests {
    /// Nobody's event is lost or doubled while somebody else's rules come and go.
    @Test func eventsFlowWhileRulesComeAndGo() async throws {
        let fixture = try ControlFixture()
        let rounds = 100
        let topics = try await withThrowingTaskGroup(of: [String].self) { group in
            for worker in 0..<3 {
                group.addTask {
                    for round in 0..<rounds {
                        let name = "r\(worker)"
                        if round.isMultiple(of: 2) {
                            try fixture.putRule(name)
                        } else {
                            _ = try fixture.control.removeTargets(["t"], fromRule: name, onBus: "default")
                            try fixture.control.deleteRule(name, onBus: "default")
                        }
                    }
                    return []
                }
                group.addTask {
                    var topics: [String] = []
                    for _ in 0..<rounds { topics += try fixture.topics() }
                    return topics
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(topics.count { $0 == "declared" } == 3 * rounds)
        #expect(fixture.events.engine.ruleStatistics().map(\.name) == ["declared", "lights"])
        #expect(try fixture.topics() == ["declared"])
    }
}

@Suite struct TopicRuleControlTests {
    private let rule =
        #"{"sql":"SELECT a FROM 'shop/+'","awsIotSqlVersion":"2016-03-23","description":"d","actions":[{"republish":{"roleArn":"r","#
        + #""topic":"out","qos":1}}],"errorAction":{"republish":{"roleArn":"r","topic":"failed"}}}"#

    @Test func aTopicRuleComesChangesAndGoes() throws {
        let fixture = try ControlFixture()
        try fixture.topicRule("made", rule)
        #expect(fixture.events.engine.topicFilters == ["lights/#", "shop/+"])
        #expect(fixture.events.publish("shop/1", #"{"a":1,"b":2}"#) == [Published("out", #"{"a":1}"#)])
        let made = try fixture.control.topicRule("made")
        #expect(made.createdMilliseconds == TestWorld.start)
        #expect(made.description == "d")
        #expect(String(decoding: made.actions, as: UTF8.self) == #"[{"republish":{"roleArn":"r","topic":"out","qos":1}}]"#)
        #expect(made.errorAction.map { String(decoding: $0, as: UTF8.self) } == #"{"republish":{"roleArn":"r","topic":"failed"}}"#)
        try fixture.control.setTopicRule("made", enabled: false)
        #expect(fixture.events.publish("shop/1", #"{"a":1}"#) == [])
        #expect(fixture.events.engine.topicFilters == ["lights/#"])
        fixture.events.world.advance(milliseconds: 1_000)
        let other = rule.replacing("shop/+", with: "other")
        try fixture.control.replaceTopicRule("made", try JSONDocument(parsing: Array(other.utf8)).root)
        #expect(fixture.events.engine.topicFilters == ["lights/#", "other"])
        #expect(try fixture.control.topicRule("made").createdMilliseconds == TestWorld.start)
        try fixture.control.deleteTopicRule("made")
        #expect(fixture.events.engine.topicFilters == ["lights/#"])
        #expect(throws: ControlError(.unauthorized, "Access to topic rule 'made' was denied")) { try fixture.control.topicRule("made") }
    }

    @Test func aTopicRuleOfATemplateIsDescribedInTheSpellingOfTheAPI() throws {
        let rule = try ControlFixture().control.topicRule("lights")
        #expect(String(decoding: rule.actions, as: UTF8.self) == #"[{"republish":{"roleArn":"r","topic":"seen","qos":1}}]"#)
        #expect(rule.arn == "arn:aws:iot:us-east-1:000000000000:rule/lights")
    }

    @Test(
        "What cannot be carried out is refused by its name",
        arguments: [
            (#"{"sql":"SELEC","actions":[]}"#, ControlError.Code.sqlParse, "Sql: "),
            (#"{"sql":"SELECT get_dynamodb() FROM 'a'","actions":[]}"#, .sqlParse, "get_dynamodb"),
            (#"{"actions":[]}"#, .invalidRequest, "topic rule r lacks `Sql`"),
            (#"{"sql":"SELECT * FROM 'a'"}"#, .invalidRequest, "topic rule r lacks `Actions`"),
            (#"{"sql":"SELECT * FROM 'a'","actions":[{"dynamoDB":{}}]}"#, .invalidRequest, "the action dynamoDB is not supported"),
            (
                #"{"sql":"SELECT * FROM 'a/#'","actions":[{"republish":{"topic":"a/b","roleArn":"r"}}]}"#, .invalidRequest,
                "Republish topic cannot be within topic space of rule's topic pattern 'a/#'"
            ),
            (#"{"sql":"SELECT * FROM '$share/g/a'","actions":[]}"#, .sqlParse, "FROM names the filter without $share"),
            (
                #"{"sql":"SELECT * FROM 'a'","actions":[{"republish":{"topic":"b","roleArn":"r","qos":2}}]}"#, .invalidRequest,
                "Qos is `2`, but must be a whole number, 0 to 1"
            ),
            (
                #"{"sql":"SELECT * FROM 'a'","actions":[{"republish":{"topic":"b"}}]}"#, .invalidRequest,
                "Republish lacks `RoleArn`, which AWS IoT demands"
            ),
            (
                #"{"sql":"SELECT * FROM 'a'","actions":[],"errorAction":{"republish":{"topic":"b"}}}"#, .invalidRequest,
                "Republish lacks `RoleArn`, which AWS IoT demands"
            ),
            (
                #"{"sql":"SELECT * FROM 'a'","actions":[{"events":{"busName":"default","source":"aws.ec2","detailType":"d"}}]}"#,
                .invalidRequest, "the source `aws.ec2` begins with `aws.`"
            ),
            (#"{"sql":"SELECT * FROM 'a'","actions":[],"colour":1}"#, .invalidRequest, "the property Colour is not supported"),
            (#"[]"#, .invalidRequest, "not a JSON object"),
        ])
    func refused(json: String, code: ControlError.Code, text: String) throws {
        let fixture = try ControlFixture()
        let error = #expect(throws: ControlError.self) { try fixture.topicRule("r", json) }
        #expect(error?.code == code)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        // Nothing is said twice.
        #expect(error?.message.ranges(of: "lacks `Actions`").count ?? 0 < 2, "\(error?.message ?? "")")
        #expect(throws: ControlError(.resourceAlreadyExists, "Rule already exists: lights")) { try fixture.topicRule("lights", rule) }
    }
}
