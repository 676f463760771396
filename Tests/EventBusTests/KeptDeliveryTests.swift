import BrokerCore
import CremaTesting
import Documents
import Logging
import MQTTCodec
import NIOCore
import Queues
import Records
import Synchronization
import Testing

@testable import EventBus

/// Deliveries that wait, and dead letters, are there after a restart.
@Suite struct KeptDeliveryTests {
    static let destination = """
        Resources:
          Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: dead } }
          Login:
            Type: AWS::Events::Connection
            Properties:
              Name: declared
              AuthorizationType: API_KEY
              AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: X-Key, ApiKeyValue: s3cret } }
          Till:
            Type: AWS::Events::ApiDestination
            Properties: { Name: till, ConnectionArn: !GetAtt Login.Arn, HttpMethod: POST, InvocationEndpoint: 'https://till.example/x' }

        """
    private static let rules = """
          R:
            Type: AWS::Events::Rule
            Properties:
              Name: to-till
              EventPattern: { source: [shop] }
              Targets:
                - Id: till
                  Arn: !GetAtt Till.Arn
                  InputPath: $.detail
                  DeadLetterConfig: { Arn: !GetAtt Dead.Arn }
                  RetryPolicy: { MaximumEventAgeInSeconds: 600 }
          T:
            Type: AWS::IoT::TopicRule
            Properties:
              RuleName: devices
              TopicRulePayload:
                AwsIotSqlVersion: "2016-03-23"
                Sql: SELECT n FROM 'devices/+'
                Actions: [{ Http: { Url: 'https://till.example/${topic(2)}', Headers: [{ Key: X-Device, Value: '${clientid()}' }] } }]
                ErrorAction: { Http: { Url: 'https://till.example/failed' } }
        """

    /// A process that begins with what the store has.
    final class Site: Sendable {
        let world = TestWorld()
        let door = ScriptedDoor()
        let queues: SharedQueues
        let delivery: RuleDelivery
        let restored: (waiting: Int, gone: Int)
        /// What is to be published by itself, and what is to be called when it is.
        let published = Mutex<[(topics: [String], done: @Sendable (Bool) -> Void)]>([])

        init(
            _ store: RecordsInMemory, _ template: String = KeptDeliveryTests.destination + KeptDeliveryTests.rules, later: Int64 = 0,
            limits: DeliveryLimits = DeliveryLimits(), spans: (any SpanRecorder)? = nil
        ) throws {
            let resources = try CallSite.resources(template)
            world.advance(milliseconds: later)
            queues = SharedQueues(makeID: { "message" }, store: store)
            try queues.restore(store.records)
            let engine = EventEngine(
                resources: resources, world: world.source, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, store: store,
                spans: spans)
            delivery = RuleDelivery(engine: engine, queues: queues, limits: limits, store: store)
            try delivery.declare(resources)
            restored = try delivery.pending.restore(store.records, now: Instant(nanoseconds: 0))
            delivery.pending.begin(
                alarm: { _ in }, door: door,
                publish: { [weak self] messages, done in self?.published.withLock { $0.append((messages.map(\.topicName), done)) } })
        }

        /// What is called within a few milliseconds; an API destination takes one call in four of them.
        func calls() -> [ScriptedDoor.Call] {
            (0..<10).flatMap { _ in
                world.advance(milliseconds: 4)
                delivery.pending.advance()
                return door.take()
            }
        }

        func put(_ detail: String) throws {
            _ = try delivery.putEvents([PutEventsEntry(source: "shop", detailType: "type", detail: Array(detail.utf8))])
        }

        @discardableResult func publish(_ topic: String, _ payload: String) -> [String] {
            let message = Message(topic: topic, payload: Array(payload.utf8), qos: .atLeastOnce)
            let publisher = Publisher(clientID: "device", principal: nil, peer: "192.0.2.1:1883")
            return delivery.evaluate(message, from: publisher, now: Instant(nanoseconds: 0)).map(\.topicName)
        }

        func take(_ queue: String) throws -> [ReceivedMessage] {
            let request = ReceiveRequest(queue: queue, messagesMax: 10, waitTimeSeconds: 0)
            guard case .messages(let messages) = try queues.receive(request, now: world.source.nowMilliseconds(), answer: { _ in }) else {
                return []
            }
            return messages
        }

        var isConserved: Bool { delivery.engine.counters.isConserved }
    }

    private let store = RecordsInMemory()
    private var waiting: Int { store.records(of: .delivery).count }

    @Test func whatNobodyHasAnsweredIsTriedAgain() throws {
        let site = try Site(store)
        for number in 1...3 { try site.put(#"{"n":\#(number)}"#) }
        let calls = site.calls()
        try #require(calls.count == 3 && waiting == 3)
        calls[1].answer(.answered(status: 200))
        #expect(waiting == 2)
        let next = try Site(store)
        #expect(next.restored == (2, 0) && next.isConserved && next.delivery.pending.count == 2)
        let again = next.calls()
        #expect(again.map(\.body) == [#"{"n":1}"#, #"{"n":3}"#] && again.allSatisfy { $0.header["x-key"] == "s3cret" })
        for call in again { call.answer(.answered(status: 200)) }
        #expect(waiting == 0 && next.isConserved && next.delivery.pending.count == 0)
        // What comes then is not taken for what was there before.
        try next.put(#"{"n":4}"#)
        #expect(try Site(store).calls().map(\.body) == [#"{"n":4}"#])
    }

    @Test func whatFailsForGoodIsADeadLetterThatStays() throws {
        let site = try Site(store)
        try site.put(#"{"n":1}"#)
        try #require(site.calls().first).answer(.answered(status: 400))
        #expect(waiting == 0 && store.records(of: .deadLetter).count == 1)
        let next = try Site(store)
        #expect(next.delivery.engine.deadLetters(limit: 9) == site.delivery.engine.deadLetters(limit: 9))
        #expect(next.delivery.engine.deadLetters(limit: 9).map(\.target) == ["till"])
        let message = try #require(try next.take("dead").first)
        #expect(message.attributes["TARGET_ARN"] == site.delivery.engine.rules.eventRules.first.map { .text($0.rule.targets[0].arn) })
        #expect(message.body.contains(#""detail":{"n":1}"#))
    }

    @Test func aDeliveryIsNoYoungerAfterARestart() throws {
        let site = try Site(store)
        try site.put(#"{"n":1}"#)
        let next = try Site(store, later: 599_000)
        #expect(next.calls().count == 1)
        // Once it is tried, however long the stop was.
        let last = try Site(store, later: 600_000)
        try #require(last.calls().first).answer(.answered(status: 500))
        #expect(last.calls().isEmpty && last.delivery.pending.count == 0 && last.isConserved && waiting == 0)
        #expect(last.delivery.engine.deadLetters(limit: 9).map(\.trying.exhaustion) == [.age])
        #expect(try last.take("dead").count == 1)
    }

    @Test func whatHasNoTargetAnyMoreIsDroppedAndCounted() throws {
        let site = try Site(store)
        try site.put(#"{"n":1}"#)
        site.publish("devices/one", #"{"n":2}"#)
        #expect(waiting == 2)
        let next = try Site(store, Self.destination)
        #expect(next.restored == (0, 2) && next.delivery.engine.counters.deliveriesDropped == 2 && next.isConserved)
        #expect(waiting == 0)
    }

    @Test func anActionOfATopicRuleIsCarriedOutAsForTheMessageThen() throws {
        let site = try Site(store)
        site.publish("devices/one", #"{"n":2,"more":3}"#)
        let first = try #require(site.calls().first)
        let next = try Site(store)
        let again = try #require(next.calls().first)
        #expect(again.invocation.target == first.invocation.target && again.body == first.body && again.body == #"{"n":2}"#)
        #expect(again.header["x-device"] == "device")
        again.answer(.answered(status: 200))
        #expect(waiting == 0 && next.isConserved)
    }

    @Test func anErrorActionGetsTheSameDocument() throws {
        let site = try Site(store)
        site.publish("devices/one", #"{"n":2}"#)
        try #require(site.calls().first).answer(.answered(status: 400))
        let failed = try #require(site.calls().first)
        #expect(failed.invocation.target == "/failed" && waiting == 1)
        let next = try Site(store)
        let again = try #require(next.calls().first)
        #expect(again.invocation.target == "/failed" && again.body == failed.body && again.body.contains(#""ruleName":"devices""#))
        again.answer(.answered(status: 200))
        #expect(waiting == 0 && next.isConserved)
    }

    private static let republished = """
          T:
            Type: AWS::IoT::TopicRule
            Properties:
              RuleName: devices
              TopicRulePayload:
                Sql: SELECT n FROM 'devices/+'
                Actions: [{ Http: { Url: 'https://till.example/x' } }]
                ErrorAction: { Republish: { RoleArn: r, Topic: failed, Qos: 1 } }
        """

    @Test func aDeliveryIsKeptUntilWhatItBecameIsPublished() throws {
        let site = try Site(store, Self.destination + Self.republished)
        site.publish("devices/one", #"{"n":2}"#)
        try #require(site.calls().first).answer(.answered(status: 400))
        let all = site.published.withLock { $0 }
        let published = try #require(all.first)
        #expect(published.topics == ["failed"] && waiting == 1)
        published.done(true)
        #expect(waiting == 0 && site.isConserved)
    }

    @Test("What a broker that stops did not publish waits for the next start, and so does what was to be redriven")
    func whatABrokerThatStopsDidNotTake() async throws {
        let site = try Site(store, Self.destination + Self.republished)
        site.publish("devices/one", #"{"n":2}"#)
        try #require(site.calls().first).answer(.answered(status: 400))
        let all = site.published.withLock { $0 }
        try #require(all.first).done(false)
        #expect(waiting == 1 && site.delivery.pending.leftForNextStart == 1)
        #expect(try Site(store, Self.destination + Self.republished).restored.0 == 1)
    }

    @Test func whatACallEndsBesidesIsPublishedByItself() throws {
        let site = try Site(store, Self.destination + Self.republished)
        site.publish("devices/one", #"{"n":1}"#)
        try #require(site.calls().first).answer(.answered(status: 503))
        // Another message's call finds that the first has become too old.
        site.world.advance(milliseconds: 61_000)
        #expect(site.publish("devices/two", #"{"n":2}"#) == [])
        let topics = site.published.withLock { $0.map(\.topics) }
        #expect(topics == [["failed"]] && waiting == 2)
    }

    @Test func aStopLeavesWhatWaitsForTheNextStart() async throws {
        let site = try Site(store)
        for number in 1...6 { try site.put(#"{"n":\#(number)}"#) }
        #expect(site.calls().count == 4)
        let (pending, failed, _) = await site.delivery.pending.drain(within: .zero)
        #expect((pending, failed, site.delivery.pending.leftForNextStart) == (6, 0, 6))
        #expect(waiting == 6 && site.delivery.engine.deadLetters(limit: 9).isEmpty)
        #expect(try Site(store).restored == (6, 0))
    }

    @Test func nothingIsPromisedWhileTheStoreFails() throws {
        let site = try Site(store)
        (store.isFailing, store.isFull) = (true, true)
        #expect(throws: PutEventsError.notKept) { try site.put("{}") }
        site.publish("devices/one", #"{"n":2}"#)
        // For what was promised to nobody, it is still done.
        #expect(site.calls().count == 1)
        #expect(waiting == 0)
        (store.isFailing, store.isFull) = (false, false)
        try site.put("{}")
        #expect(waiting == 1)
    }

    @Test func whatEndsWhileTheStoreFailsIsNotLost() throws {
        let site = try Site(store)
        try site.put(#"{"n":1}"#)
        let call = try #require(site.calls().first)
        store.isFailing = true
        call.answer(.answered(status: 400))
        #expect(waiting == 0 && store.records(of: .deadLetter).count == 1 && site.isConserved)
        #expect(try Site(store).take("dead").count == 1)
    }

    @Test func whatEndsBeyondTheLimitOfTheStoreComesOnceMore() throws {
        let site = try Site(store)
        try site.put(#"{"n":1}"#)
        let call = try #require(site.calls().first)
        (store.isFailing, store.isFull) = (true, true)
        call.answer(.answered(status: 400))
        #expect(site.delivery.pending.count == 0 && site.isConserved)
        #expect(try Site(store).restored == (1, 0))
    }

    private static let toQueue = """
          Q:
            Type: AWS::IoT::TopicRule
            Properties:
              RuleName: queued
              TopicRulePayload:
                AwsIotSqlVersion: "2016-03-23"
                Sql: SELECT * FROM 'queued'
                Actions: [{ Sqs: { QueueUrl: 'http://localhost/000000000000/dead', RoleArn: 'arn:aws:iam::000000000000:role/r' } }]
        """

    @Test func timeWithoutTheStoreIsNoAttemptAndNoAge() throws {
        let site = try Site(store, Self.destination + Self.toQueue)
        store.isFailing = true
        site.publish("queued", #"{"n":1}"#)
        #expect(site.delivery.pending.count == 1 && waiting == 1)
        // Longer than a topic rule's deliveries last, and more often than they are tried.
        for _ in 0..<90 {
            site.world.advance(milliseconds: 1_001)
            site.delivery.pending.advance()
        }
        #expect(site.delivery.pending.count == 1)
        store.isFailing = false
        site.world.advance(milliseconds: 1_001)
        site.delivery.pending.advance()
        #expect(site.delivery.pending.count == 0 && waiting == 0 && site.isConserved)
        #expect(try site.take("dead").map(\.body) == [#"{"n":1}"#])
        #expect(site.delivery.engine.counters.deliveriesRetried == 0)
    }

    @Test func aLowerLimitEndsNothingThatWasTaken() throws {
        let site = try Site(store)
        for number in 1...6 { try site.put(#"{"n":\#(number)}"#) }
        var limits = DeliveryLimits()
        (limits.pendingDeliveriesMax, limits.pendingDeliveriesPerTargetMax, limits.pendingDeliveryBytesMax) = (1, 1, 1)
        let next = try Site(store, limits: limits)
        #expect(next.restored == (6, 0) && next.delivery.pending.count == 6 && next.delivery.engine.deadLetters(limit: 9).isEmpty)
    }

    @Test func rulesTellThatTheyHaveKeptSomething() throws {
        let site = try Site(store)
        let before = site.delivery.recordsKept
        site.publish("elsewhere", "{}")
        #expect(site.delivery.recordsKept == before)
        site.publish("devices/one", #"{"n":2}"#)
        #expect(site.delivery.recordsKept > before)
    }

    @Test func deadLettersStayWithinTheirLimits() throws {
        var limits = EventBusLimits()
        limits.deadLettersMax = 3
        func engine() throws -> EventEngine {
            EventEngine(
                resources: try CallSite.resources(Self.destination), limits: limits, world: TestWorld().source,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, store: store)
        }
        func targets(_ engine: EventEngine) -> [String] { engine.deadLetters(limit: 9).map(\.target) }
        let first = try engine()
        for number in 1...5 {
            let letter = DeadLetter(
                timeMilliseconds: 0, rule: "r", bus: number == 4 ? "b" : nil, target: "\(number)", errorCode: "C", errorMessage: "m",
                event: [1, 2], trying: RetryRecord(retries: number, exhaustion: number == 5 ? .attempts : nil))
            first.fail(letter, eventID: nil, RuleCounters())
        }
        #expect(targets(first) == ["5", "4", "3"] && store.records(of: .deadLetter).count == 3)
        limits.deadLettersMax = 2
        let second = try engine()
        try second.restoreDeadLetters(store.records)
        #expect(second.deadLetters(limit: 9) == Array(first.deadLetters(limit: 2)) && store.records(of: .deadLetter).count == 2)
        limits.deadLetterBytesMax = 1
        try engine().restoreDeadLetters(store.records)
        #expect(store.records(of: .deadLetter).isEmpty)
    }
}
