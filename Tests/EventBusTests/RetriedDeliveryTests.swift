import BrokerCore
import Documents
import MQTTCodec
import NIOCore
import Queues
import Testing

@testable import EventBus

/// A rule whose first queue is full after one message.
private let template = """
    Resources:
      Small: { Type: AWS::SQS::Queue, Properties: { QueueName: small } }
      Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: dead } }
      R:
        Type: AWS::Events::Rule
        Properties:
          EventPattern: { source: [shop] }
          Targets:
            - Id: small
              Arn: !GetAtt Small.Arn
              RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 600 }
              DeadLetterConfig: { Arn: !GetAtt Dead.Arn }
            - Id: topic
              Arn: arn:aws:iot:us-east-1:000000000000:topic/users/<u>
              InputTransformer: { InputPathsMap: { u: $.detail.user }, InputTemplate: '{"u": <u>}' }
      T:
        Type: AWS::IoT::TopicRule
        Properties:
          TopicRulePayload:
            AwsIotSqlVersion: "2016-03-23"
            Sql: SELECT * FROM 'in/#'
            Actions: [{ Sqs: { RoleArn: r, QueueUrl: !Ref Small } }]
            ErrorAction: { Republish: { RoleArn: r, Topic: failures } }
    """

/// An engine with small queues, whose alarms a test carries out.
private final class RetrySite: Sendable {
    let fixture: EngineFixture
    let queues: SharedQueues
    let delivery: RuleDelivery

    init() throws {
        var limits = QueueLimits()
        limits.queueMessagesMax = 1
        fixture = try EngineFixture(template)
        queues = SharedQueues(limits: limits, makeID: { "message" })
        delivery = RuleDelivery(engine: fixture.engine, queues: queues)
        try delivery.declare(try resources(template))
    }

    func put(_ detail: String) throws {
        _ = try delivery.putEvents([PutEventsEntry(source: "shop", detailType: "type", detail: Array(detail.utf8))])
    }

    func take(_ queue: String) throws -> ReceivedMessage? {
        let now = fixture.world.source.nowMilliseconds()
        let request = ReceiveRequest(queue: queue, messagesMax: 1)
        guard case .messages(let messages) = try queues.receive(request, now: now, answer: { _ in }) else { return nil }
        for message in messages {
            try queues.perform { (table) throws(QueueError) in
                try table.delete(message.receiptHandle, from: queue, now: now)
            }
        }
        return messages.first
    }

    func wait(seconds: Int64) {
        fixture.world.advance(milliseconds: seconds * 1_000)
        delivery.pending.advance()
    }

    var isConserved: Bool { fixture.engine.counters.isConserved }
}

@Suite struct RetriedDeliveryTests {
    @Test func aFullQueueIsTriedAgainUntilItHasRoom() throws {
        let site = try RetrySite()
        for number in 0..<2 { try site.put(#"{"user":"u","n":\#(number)}"#) }
        #expect(site.fixture.engine.counters.deliveriesPending == 1)
        #expect(site.fixture.engine.ruleStatistics().first?.pending == 1)
        #expect(site.isConserved)
        #expect(try site.take("small")?.body.contains(#""n":0"#) == true)
        site.wait(seconds: 2)
        #expect(try site.take("small")?.body.contains(#""n":1"#) == true)
        #expect(site.fixture.engine.counters.deliveriesPending == 0)
        #expect(site.fixture.engine.counters.deliveriesRetried == 1)
        #expect(site.fixture.engine.ruleStatistics().first?.retried == 1)
        #expect(site.isConserved)
    }

    @Test func aDeliveryTriedOftenEnoughIsADeadLetterThatSaysSo() throws {
        let site = try RetrySite()
        for _ in 0..<2 { try site.put(#"{"user":"u"}"#) }
        for _ in 0..<4 { site.wait(seconds: 4) }
        let letter = try #require(site.fixture.engine.deadLetters(limit: 9).first)
        #expect((letter.target, letter.errorCode) == ("small", "THROTTLING"))
        #expect(letter.trying == RetryRecord(retries: 2, exhaustion: .attempts))
        let message = try #require(try site.take("dead"))
        #expect(message.attributes["RETRY_ATTEMPTS"] == .number(2))
        #expect(message.attributes["EXHAUSTED_RETRY_CONDITION"] == .text("MaximumRetryAttempts"))
        #expect(site.isConserved)
        #expect(site.delivery.pending.count == 0)
    }

    @Test func aTopicRulesErrorActionHearsOfItWhenTryingEnds() throws {
        let site = try RetrySite()
        let published = PublishedMessages()
        site.delivery.pending.begin(
            alarm: { _ in }, door: nil,
            publish: { messages, done in
                published.append(messages)
                done(true)
            })
        for _ in 0..<2 {
            let message = Message(topic: "in/a", payload: Array("{}".utf8), qos: .atLeastOnce)
            _ = site.delivery.evaluate(message, from: Publisher(clientID: "device", principal: nil), now: Instant(nanoseconds: 0))
        }
        #expect(site.fixture.engine.counters.deliveriesPending == 1)
        for _ in 0..<5 { site.wait(seconds: 9) }
        #expect(published.topics == ["failures"])
        #expect(published.payloads.first?.contains(#""clientId":"device""#) == true)
        #expect(site.fixture.engine.deadLetters(limit: 9).map(\.target) == ["sqs"])
        #expect(site.isConserved)
    }

    @Test func stoppingLeavesNothingPending() async throws {
        let site = try RetrySite()
        for _ in 0..<3 { try site.put(#"{"user":"u"}"#) }
        let (count, failed, underWay) = await site.delivery.pending.drain(within: .zero)
        #expect((count, failed, underWay) == (2, 2, 0))
        #expect(site.fixture.engine.deadLetters(limit: 1).map(\.errorCode) == ["SHUTDOWN"])
        #expect(site.fixture.engine.counters.deliveriesPending == 0)
        #expect(site.isConserved)
    }

    @Test(
        "Retry policies that the service refuses",
        arguments: [
            ("MaximumRetryAttempts: 186", "must be a whole number, 0 to 185"), ("MaximumRetryAttempts: -1", "0 to 185"),
            ("MaximumEventAgeInSeconds: 59", "60 to 86400"), ("MaximumEventAgeInSeconds: 86401", "60 to 86400"),
            ("MaximumAttempts: 1", "the property MaximumAttempts is not supported"),
        ])
    func refusedPolicy(policy: String, reason: String) {
        let yaml = template.replacing("MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 600", with: policy)
        let error = #expect(throws: DocumentError.self) { _ = try resources(yaml) }
        #expect(error?.message.contains(reason) == true)
        #expect(error?.location.line == 11)
    }
}
