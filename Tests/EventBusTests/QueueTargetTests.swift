import BrokerCore
import Documents
import Logging
import MQTTCodec
import NIOCore
import Queues
import Testing

@testable import EventBus

/// An engine with its queues, over one template.
private struct QueueSite {
    let fixture: EngineFixture
    let queues = SharedQueues(makeID: { "message" })
    let delivery: RuleDelivery

    init(_ yaml: String, limits: EventBusLimits = .init()) throws {
        fixture = try EngineFixture(yaml, limits: limits)
        delivery = RuleDelivery(engine: fixture.engine, queues: queues)
        try delivery.declare(try resources(yaml))
    }

    func put(_ detail: String, bus: String? = nil) throws -> [Published] {
        let entry = PutEventsEntry(source: "shop", detailType: "type", detail: Array(detail.utf8), eventBusName: bus)
        return try delivery.putEvents([entry]).messages.map(Published.init)
    }

    func publish(_ topic: String, _ payload: [UInt8], hops: UInt8 = 0) -> [Published] {
        let message = Message(topic: topic, payload: payload, qos: .atLeastOnce, hops: hops)
        return delivery.evaluate(message, from: Publisher(clientID: "device", principal: nil), now: Instant(nanoseconds: 0))
            .map(Published.init)
    }

    /// Takes what a queue has.
    func take(_ queue: String) throws -> [ReceivedMessage] {
        let request = ReceiveRequest(queue: queue, messagesMax: 10)
        let now = fixture.world.source.nowMilliseconds()
        guard case .messages(let messages) = try queues.receive(request, now: now, answer: { _ in }) else { return [] }
        return messages
    }

    func bodies(_ queue: String) throws -> [String] { try take(queue).map(\.body) }
}

private let queueRules = """
    Resources:
      Orders: { Type: AWS::SQS::Queue, Properties: { QueueName: orders, VisibilityTimeout: 7 } }
      Failed: { Type: AWS::SQS::Queue, Properties: { QueueName: failed } }
      Small: { Type: AWS::SQS::Queue, Properties: { QueueName: small, MaximumMessageSize: 1024 } }
      R:
        Type: AWS::Events::Rule
        Properties:
          EventPattern: { source: [shop] }
          Targets:
            - { Id: whole, Arn: !GetAtt Orders.Arn }
            - { Id: path, Arn: !GetAtt Orders.Arn, InputPath: $.detail.drink }
            - Id: transformed
              Arn: !Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:${Orders.QueueName}'
              InputTransformer: { InputPathsMap: { d: $.detail.drink }, InputTemplate: '{"drink": <d>}' }
            - Id: small
              Arn: !GetAtt Small.Arn
              InputPath: $.detail.padding
              DeadLetterConfig: { Arn: !GetAtt Failed.Arn }
            - Id: topic
              Arn: arn:aws:iot:us-east-1:000000000000:topic/users/<u>
              InputTransformer: { InputPathsMap: { u: $.detail.user }, InputTemplate: '{"u": <u>}' }
              DeadLetterConfig: { Arn: !GetAtt Failed.Arn }
    """

@Suite struct QueueTargetTests {
    @Test func anEventGoesToQueuesAsItsTargetsSay() throws {
        let site = try QueueSite(queueRules)
        #expect(try site.put(#"{"drink":"latte","padding":1,"user":"u"}"#) == [Published("users/u", #"{"u":"u"}"#)])
        let bodies = try site.bodies("orders")
        #expect(bodies.count == 3)
        #expect(bodies.first?.hasPrefix(#"{"version":"0","id":"id-1","detail-type":"type""#) == true)
        #expect(bodies.dropFirst() == [#""latte""#, #"{"drink":"latte"}"#])
        #expect(try site.bodies("small") == ["1"])
        #expect(try site.bodies("failed") == [])
        #expect(site.fixture.engine.counters.deliveries == 5)
        #expect(site.fixture.engine.ruleStatistics().first?.delivered == 5)
    }

    @Test func aFailedDeliveryGoesToTheDeadLetterQueueWithTheServicesAttributes() throws {
        let site = try QueueSite(queueRules)
        #expect(try site.put(#"{"drink":"latte","padding":"\#(String(repeating: "x", count: 1_100))"}"#) == [])
        let letters = try site.take("failed")
        #expect(letters.count == 2)
        for (letter, code, target) in zip3(
            letters, ["INVALID_TOPIC", "SDK_CLIENT_ERROR"],
            ["arn:aws:iot:us-east-1:000000000000:topic/users/<u>", "arn:aws:sqs:us-east-1:000000000000:small"])
        {
            #expect(letter.body.hasPrefix(#"{"version":"0","id":"id-1""#))
            #expect(letter.attributes["RULE_ARN"] == .text("arn:aws:events:us-east-1:000000000000:rule/R"))
            #expect(letter.attributes["TARGET_ARN"] == .text(target))
            #expect(letter.attributes["ERROR_CODE"] == .text(code))
            #expect(letter.attributes["ERROR_MESSAGE"] != nil)
            #expect(letter.attributes["RETRY_ATTEMPTS"] == .number(0))
        }
        let counters = site.fixture.engine.counters
        #expect((counters.deliveries, counters.deliveriesFailed, counters.deadLettersSent) == (3, 2, 2))
        #expect(site.fixture.engine.deadLetters(limit: 10).map(\.target) == ["small", "topic"])
    }

    @Test func aQueueThatIsGoneFailsTheDelivery() throws {
        let site = try QueueSite(queueRules)
        try site.queues.perform { (table) throws(QueueError) in
            try table.declare([], now: 0)  // a reload without them
            try table.deleteQueue("orders")
            try table.deleteQueue("failed")
        }
        _ = try site.put(#"{"drink":"latte","padding":1}"#)
        let letters = site.fixture.engine.deadLetters(limit: 10)
        #expect(letters.map(\.errorCode).sorted() == ["INVALID_TOPIC", "NO_RESOURCE", "NO_RESOURCE", "NO_RESOURCE"])
        #expect(site.fixture.engine.counters.deadLetterSendsFailed == 1)
        #expect(
            site.fixture.log.all.contains {
                $0.hasPrefix("dead-letter queue refused an event") && $0.contains("the queue failed refused it")
            })
    }
}

/// The elements of three lists side by side.
private func zip3<A, B, C>(_ a: [A], _ b: [B], _ c: [C]) -> [(A, B, C)] { zip(a, zip(b, c)).map { ($0, $1.0, $1.1) } }

@Suite struct BusTargetTests {
    private static let buses = """
        Resources:
          A: { Type: AWS::Events::EventBus, Properties: { Name: a } }
          B: { Type: AWS::Events::EventBus, Properties: { Name: b } }
          Forward:
            Type: AWS::Events::Rule
            Properties:
              EventBusName: a
              EventPattern: { source: [shop] }
              Targets: [{ Id: b, Arn: !GetAtt B.Arn }]
          Back:
            Type: AWS::Events::Rule
            Properties:
              EventBusName: b
              EventPattern: { source: [shop] }
              Targets:
                - { Id: a, Arn: !GetAtt A.Arn }
                - { Id: topic, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/t', InputPath: $.id }
        """

    @Test func aBusGetsTheEventAsItIsAndALoopIsCut() throws {
        let site = try QueueSite(Self.buses)
        #expect(try site.put("{}", bus: "a") == [Published("t", "\"id-1\"", hops: 2)])
        let counters = site.fixture.engine.counters
        #expect((counters.ruleHopsCut, counters.eventsAccepted, counters.deliveriesFailed) == (1, 2, 0))
        #expect(counters.isConserved)
    }

    @Test func theLimitOfHopsHoldsFromBusToBus() throws {
        var limits = EventBusLimits()
        limits.ruleHopsMax = 1
        let site = try QueueSite(Self.buses, limits: limits)
        #expect(try site.put("{}", bus: "a") == [])
        #expect(site.fixture.engine.counters.ruleHopsCut == 2)
        #expect(site.fixture.engine.counters.isConserved)
    }
}

@Suite struct BusMeshTests {
    /// Buses that all forward to all others have more ways between them than anybody can wait for.
    @Test func aMeshOfBusesIsCut() throws {
        let names = (0..<6).map { "b\($0)" }
        var yaml = "Resources:\n"
        for name in names {
            yaml += "  \(name): { Type: AWS::Events::EventBus, Properties: { Name: \(name) } }\n"
            let others = names.filter { $0 != name }
            let targets = others.map { "{ Id: \($0), Arn: !GetAtt \($0).Arn }" }.joined(separator: ", ")
            yaml += "  R\(name): { Type: AWS::Events::Rule, Properties: { EventBusName: \(name), EventPattern: { source: [shop] }, "
            yaml += "Targets: [\(targets)] } }\n"
        }
        let site = try QueueSite(yaml)
        _ = try site.put("{}", bus: "b0")
        let counters = site.fixture.engine.counters
        #expect(counters.eventsAccepted == 101)
        #expect(counters.ruleHopsCut > 100)
    }
}

@Suite struct FailureMessageTests {
    @Test func whatAFailureQuotesIsCut() {
        let failure = DeliveryFailure.invalidQueueURL(String(repeating: "x", count: 100_000) + "\n")
        #expect(failure.message.count == DeliveryFailure.charactersMax + 1)
        #expect(failure.message.hasSuffix("…"))
        #expect(DeliveryFailure.invalidQueueURL("a\nb").message.contains("\n") == false)
    }
}

@Suite struct QueueActionTests {
    private static func rule(_ action: String, error: String = "") -> String {
        """
        Resources:
          Orders: { Type: AWS::SQS::Queue, Properties: { QueueName: orders, MaximumMessageSize: 1024 } }
          Errors: { Type: AWS::SQS::Queue, Properties: { QueueName: errors } }
          T:
            Type: AWS::IoT::TopicRule
            Properties:
              TopicRulePayload:
                AwsIotSqlVersion: "2016-03-23"
                Sql: SELECT * FROM 'in/#'
                Actions: [\(action)]
                \(error)
        """
    }

    private static let sends = "{Sqs: {QueueUrl: !Ref Orders, RoleArn: any}}"

    @Test func whatTheStatementSelectsGoesToTheQueue() throws {
        let site = try QueueSite(Self.rule(Self.sends))
        #expect(site.publish("in/a", Array(#"{"a": 1}"#.utf8)) == [])
        #expect(try site.bodies("orders") == [#"{"a":1}"#])
        #expect(site.fixture.engine.ruleStatistics().first?.delivered == 1)
    }

    @Test func bytesGoAsBase64WhereTheActionSaysSo() throws {
        let site = try QueueSite(Self.rule("{sqs: {roleArn: r, queueUrl: !Ref Orders, useBase64: true}}"))
        _ = site.publish("in/a", [0xFF, 0x00])
        #expect(try site.bodies("orders") == ["/wA="])
        let plain = try QueueSite(Self.rule(Self.sends))
        _ = plain.publish("in/a", [0xFF, 0x00])
        #expect(try plain.bodies("orders") == [])
        #expect(plain.fixture.engine.deadLetters(limit: 1).map(\.errorCode) == ["INVALID_PAYLOAD"])
    }

    @Test func theQueueMayBeNamedByTheMessage() throws {
        let site = try QueueSite(Self.rule("{Sqs: {RoleArn: r, QueueUrl: 'https://sqs/0/${topic(2)}'}}"))
        _ = site.publish("in/orders", Array("{}".utf8))
        _ = site.publish("in/nowhere", Array("{}".utf8))
        _ = site.publish("in/a b", Array("{}".utf8))
        #expect(try site.bodies("orders") == ["{}"])
        #expect(site.fixture.engine.deadLetters(limit: 9).map(\.errorCode) == ["INVALID_QUEUE", "NO_RESOURCE"])
    }

    @Test func whatTheQueueRefusesGoesToTheErrorAction() throws {
        let error = "ErrorAction: {Sqs: {RoleArn: r, QueueUrl: !Ref Errors}}"
        let site = try QueueSite(Self.rule("\(Self.sends), {Republish: {RoleArn: r, Topic: out}}", error: error))
        let large = Array(#"{"a": "\#(String(repeating: "x", count: 1_100))"}"#.utf8)
        #expect(site.publish("in/a", large).map(\.topic) == ["out"])
        let document = try #require(try site.bodies("errors").first)
        #expect(document.contains(#""failedAction":"SqsAction""#))
        #expect(document.contains("shorter than 1024 bytes"))
        let counters = site.fixture.engine.counters
        #expect((counters.deliveries, counters.deliveriesFailed) == (2, 1))
        #expect(counters.isConserved)
    }

    @Test func anErrorActionThatFailsIsTheEnd() throws {
        let site = try QueueSite(Self.rule(Self.sends, error: "ErrorAction: {Sqs: {RoleArn: r, QueueUrl: !Ref Errors}}"))
        try site.queues.perform { (table) throws(QueueError) in
            try table.declare([], now: 0)  // a reload without them
            try table.deleteQueue("orders")
            try table.deleteQueue("errors")
        }
        _ = site.publish("in/a", Array("{}".utf8))
        #expect(site.fixture.engine.deadLetters(limit: 9).map(\.errorCode) == ["NO_RESOURCE", "NO_RESOURCE"])
    }
}

@Suite struct QueueResourceTests {
    @Test(
        "What a template may not say of queues, buses and dead letters",
        arguments: [
            ("Arn: 'arn:aws:sqs:us-east-1:0:order'", "Queue order does not exist"),
            ("Arn: 'arn:aws:events:us-east-1:0:event-bus/nowhere'", "Event bus nowhere does not exist"),
            ("Arn: !GetAtt Q.Arn, SqsParameters: { MessageGroupId: 'g h' }", "alphanumeric and punctuation"),
            ("Arn: !GetAtt Q.Arn, SqsParameters: { Group: g }", "the property Group is not supported"),
            ("Arn: 'arn:aws:iot:r:0:topic/t', SqsParameters: { MessageGroupId: g }", "SqsParameters are for targets that are queues"),
            ("Arn: !GetAtt F.Arn", "Parameter(s) SqsParameters must be specified for target: t."),
            ("Arn: !GetAtt Q.Arn, DeadLetterConfig: { Arn: !GetAtt F.Arn }", "must be a standard queue"),
            ("Arn: !GetAtt Q.Arn, MqttParameters: { Qos: 1 }", "MqttParameters are for targets that are topics"),
            ("Arn: 'arn:aws:events:us-east-1:0:event-bus/default', InputPath: $.id", "a bus gets the event as it is; InputPath"),
            ("Arn: !GetAtt Q.Arn, DeadLetterConfig: { Arn: x }", "`x` is not the ARN of a queue"),
            ("Arn: !GetAtt Q.Arn, DeadLetterConfig: { Arn: 'arn:aws:sqs:r:0:dead' }", "Queue dead does not exist"),
            ("Arn: 'arn:aws:sns:r:0:t'", "the ARN `arn:aws:sns:r:0:t` is not supported"),
            ("Arn: !GetAtt Q.Arn, HttpParameters: {}", "HttpParameters are for targets that are API destinations"),
        ])
    func refusedTarget(target: String, reason: String) {
        let yaml = """
            Resources:
              Q: { Type: AWS::SQS::Queue, Properties: { QueueName: orders } }
              F: { Type: AWS::SQS::Queue, Properties: { FifoQueue: true } }
              R:
                Type: AWS::Events::Rule
                Properties:
                  EventPattern: { source: [shop] }
                  Targets: [{ Id: t, \(target) }]
            """
        let error = #expect(throws: DocumentError.self) { _ = try resources(yaml) }
        #expect(error?.problems.map(\.message).contains { $0.contains(reason) } == true, "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test(
        "Properties of a queue that are refused by their names",
        arguments: [
            ("FifoQueue: false, QueueName: q.fifo", "where the attribute FifoQueue is true"),
            ("FifoQueue: true, QueueName: q", "must end with .fifo"), ("QueueName: q.fifo", "where the attribute FifoQueue is true"),
            ("ContentBasedDeduplication: true", "Unknown Attribute ContentBasedDeduplication"),
            ("KmsMasterKeyId: k", "KmsMasterKeyId is not supported"),
            ("VisibilityTimeout: 43201", "VisibilityTimeout must be an integer"), ("QueueName: a b", "hyphens, or underscores"),
            ("RedrivePolicy: { deadLetterTargetArn: 'arn:aws:sqs:r:0:x', maxReceiveCount: 1 }", "Queue x does not exist"),
            ("RedrivePolicy: { deadLetterTargetArn: 'arn:aws:sqs:r:0:Q', maxReceiveCount: 1 }", "its own dead-letter queue"),
            ("RedrivePolicy: { deadLetterTargetArn: x, maxReceiveCount: 1 }", "is not the ARN of a queue"),
        ])
    func refusedProperty(property: String, reason: String) {
        let error = #expect(throws: DocumentError.self) {
            _ = try resources("Resources:\n  Q: { Type: AWS::SQS::Queue, Properties: { \(property) } }")
        }
        #expect(error?.problems.map(\.message).contains { $0.contains(reason) } == true, "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test func aNameIsTakenOnce() {
        let yaml = """
            Resources:
              A: { Type: AWS::SQS::Queue, Properties: { QueueName: q } }
              B: { Type: AWS::SQS::Queue, Properties: { QueueName: q } }
            """
        let error = #expect(throws: DocumentError.self) { _ = try resources(yaml) }
        #expect(error?.problems.first?.message.contains("the queue `q` exists already") == true)
    }

    @Test(
        "A queue without a name is called after its resource, with the ending of its kind",
        arguments: ["", "FifoQueue: false", "FifoQueue: true"])
    func queuesWithoutANameAreCalledAfterTheirResource(property: String) throws {
        let queues = try resources("Resources: { Q: { Type: AWS::SQS::Queue, Properties: { \(property) } } }").queues
        let isFIFO = property.hasSuffix("true")
        #expect(queues.map(\.name) == [isFIFO ? "Q.fifo" : "Q"])
        #expect(queues.map { $0.settings.fifo != nil } == [isFIFO])
    }

    @Test func aTopicRulesQueueMustBeThere() {
        let yaml = """
            Resources:
              T:
                Type: AWS::IoT::TopicRule
                Properties:
                  TopicRulePayload: { Sql: "SELECT * FROM 'a'", Actions: [{ Sqs: { RoleArn: r, QueueUrl: 'https://h/0/q' } }] }
            """
        let error = #expect(throws: DocumentError.self) { _ = try resources(yaml) }
        #expect(error?.problems.first?.message.contains("Queue q does not exist") == true)
    }
}
