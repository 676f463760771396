import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Queues
import Records
import Synchronization
import Testing

@testable import EventBus

/// What belongs to a trace belongs to it wherever it waits: in a queue, among the dead letters, in an archive, over a restart.
@Suite struct CarriedTraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let above = TraceParent(traceID: trace, spanID: "00f067aa0ba902b7", flags: 1)
    private static let template =
        KeptDeliveryTests.destination + """
              R:
                Type: AWS::Events::Rule
                Properties:
                  Name: to-till
                  EventPattern: { source: [shop], detail: { to: [till] } }
                  Targets: [{ Id: till, Arn: !GetAtt Till.Arn, DeadLetterConfig: { Arn: !GetAtt Dead.Arn } }]
              Q:
                Type: AWS::Events::Rule
                Properties:
                  Name: to-queue
                  EventPattern: { source: [shop], detail: { to: [queue] } }
                  Targets: [{ Id: queue, Arn: !GetAtt Dead.Arn }]
              M:
                Type: AWS::IoT::TopicRule
                Properties:
                  RuleName: queued
                  TopicRulePayload:
                    AwsIotSqlVersion: "2016-03-23"
                    Sql: SELECT n FROM 'queues/+'
                    Actions: [{ Sqs: { QueueUrl: 'http://localhost/000000000000/${topic(2)}', RoleArn: 'arn:aws:iam::000000000000:role/r' } }]
              N:
                Type: AWS::Events::Rule
                Properties:
                  Name: to-nowhere
                  EventPattern: { source: [shop], detail: { to: [nowhere] } }
                  Targets:
                    - Id: topic
                      Arn: arn:aws:iot:us-east-1:000000000000:topic/<x>
                      InputTransformer: { InputPathsMap: { x: $.detail.x }, InputTemplate: '"x"' }
              T:
                Type: AWS::IoT::TopicRule
                Properties:
                  RuleName: devices
                  TopicRulePayload:
                    AwsIotSqlVersion: "2016-03-23"
                    Sql: SELECT n FROM 'devices/+'
                    Actions: [{ Http: { Url: 'https://till.example/x' } }]
                    ErrorAction: { Http: { Url: 'https://till.example/failed' } }
              S:
                Type: AWS::IoT::TopicRule
                Properties:
                  RuleName: republished
                  TopicRulePayload:
                    AwsIotSqlVersion: "2016-03-23"
                    Sql: SELECT n FROM 'republished'
                    Actions: [{ Http: { Url: 'https://till.example/x' } }]
                    ErrorAction: { Republish: { RoleArn: r, Topic: failed, Qos: 1 } }
              W:
                Type: AWS::IoT::TopicRule
                Properties:
                  RuleName: wrong
                  TopicRulePayload:
                    AwsIotSqlVersion: "2016-03-23"
                    Sql: SELECT n FROM 'wrong'
                    Actions: [{ Republish: { RoleArn: r, Topic: '${nothing}', Qos: 1 } }]
            """

    private let store = RecordsInMemory()
    private let recorder = StagedRecorder()

    private func site(_ template: String = CarriedTraceTests.template) throws -> KeptDeliveryTests.Site {
        try KeptDeliveryTests.Site(store, template, spans: recorder)
    }

    private func put(_ site: KeptDeliveryTests.Site, to target: String, x: String = "+") throws {
        try TraceContext.$current.withValue(TraceContext(below: Self.above, recorder: recorder)) {
            try site.put(#"{"to":"\#(target)","x":"\#(x)"}"#)
        }
    }

    private func publish(_ site: KeptDeliveryTests.Site, _ topic: String) {
        let message = Message(topic: topic, payload: Array(#"{"n":1}"#.utf8), qos: .atLeastOnce)
            .traced(TraceContext(below: Self.above, recorder: recorder))
        _ = site.delivery.evaluate(message, from: Publisher(clientID: "device", principal: nil), now: Instant(nanoseconds: 0))
    }

    /// The spans above a call and its own, which are told once it has an answer.
    private func way(of call: ScriptedDoor.Call, answer: HTTPOutcome = .answered(status: 200)) throws -> [String] {
        let header = try #require(call.header["traceparent"])
        let parent = try #require(TraceParent(header.utf8))
        #expect(parent.traceID == Self.trace)
        call.answer(answer)
        return recorder.way(to: parent.spanID)
    }

    private func way(of message: ReceivedMessage) throws -> [String] {
        let header = try #require(message.traceHeader)
        let parent = try #require(TraceParent(xRay: header))
        #expect(parent.traceID == Self.trace && parent.isSampled)
        return recorder.way(to: parent.spanID)
    }

    @Test func aMessageForAQueueCarriesItsTrace() throws {
        let site = try site()
        try put(site, to: "queue")
        #expect(try way(of: try #require(try site.take("dead").first)) == ["send", "rules"])
        // Also over a restart.
        #expect(try way(of: try #require(try self.site().take("dead").first)) == ["send", "rules"])
        // Without a trace none is begun.
        let told = recorder.spans.count
        try site.put(#"{"to":"queue"}"#)
        #expect(try site.take("dead").map(\.traceHeader) == [nil] && recorder.spans.count == told)
    }

    private func entry(_ traceHeader: String?) -> PutEventsEntry {
        PutEventsEntry(source: "shop", detailType: "type", detail: Array(#"{"to":"queue"}"#.utf8), traceHeader: traceHeader)
    }

    private func traces(in queue: String, of site: KeptDeliveryTests.Site) throws -> [TraceParent?] {
        try site.take(queue).map { $0.traceHeader.flatMap(TraceParent.init(xRay:)) }
    }

    @Test func anEntryMayBelongToATraceOfItsOwn() throws {
        let site = try site()
        let other = TraceParent(traceID: String(repeating: "b", count: 32), spanID: "00f067aa0ba902b7", flags: 1)
        _ = try TraceContext.$current.withValue(TraceContext(below: Self.above, recorder: recorder)) {
            try site.delivery.putEvents([entry(nil), entry(other.xRayText), entry("Root=1")])
        }
        let traces = try traces(in: "dead", of: site).compactMap(\.self)
        #expect(traces.map(\.traceID) == [Self.trace, other.traceID, Self.trace])
        // Each is a step of its own, in front of which nothing of this request's stands but where it came from.
        #expect(recorder.spans.filter { $0.name == "rules" }.map(\.traceID) == [Self.trace, other.traceID, Self.trace])
        #expect(recorder.spans.first { $0.name == "rules" && $0.traceID == other.traceID }?.parentID == other.spanID)
    }

    /// As in the event that a rule sees: the header is beside it.
    @Test func anEntrysTraceIsNotInItsEvent() throws {
        let site = try site()
        _ = try site.delivery.putEvents([entry(Self.above.xRayText)])
        let message = try #require(try site.take("dead").first)
        #expect(message.traceHeader.flatMap(TraceParent.init(xRay:))?.traceID == Self.trace)
        #expect(!message.body.contains("Root"))
    }

    @Test func whereTracesAreNotLookedAtAnEntrysIsNotEither() throws {
        let site = try KeptDeliveryTests.Site(store, Self.template)
        _ = try site.delivery.putEvents([entry(Self.above.xRayText)])
        #expect(try site.take("dead").map(\.traceHeader) == [nil])
    }

    @Test func aSendThatFailsIsToldWithItsReason() throws {
        let site = try site()
        publish(site, "queues/missing")
        let span = try #require(recorder.spans.first { $0.name == "send" })
        #expect(span.failure == site.delivery.engine.deadLetters(limit: 1).first?.errorCode && span.failure != nil)
        #expect(span.kind == .producer && span.attributes.map(\.1) == ["aws_sqs", "missing"])
    }

    @Test func whatFailsInTheRuleKeepsItsTraceAmongTheDeadLetters() throws {
        let site = try site()
        try put(site, to: "nowhere")
        publish(site, "wrong")
        let letters = site.delivery.engine.deadLetters(limit: 9)
        #expect(letters.map(\.rule) == ["wrong", "to-nowhere"])
        for letter in letters {
            let place = try #require(letter.trace)
            #expect(place.traceID == Self.trace && recorder.way(to: place.spanID) == ["rules"])
        }
    }

    @Test func whatFailsLaterKeepsItsTraceOnTheWayToTheDeadLetters() async throws {
        let site = try site()
        try put(site, to: "till")
        #expect(try way(of: try #require(site.calls().first), answer: .answered(status: 400)) == ["call", "rules"])
        #expect(try way(of: try #require(try site.take("dead").first)) == ["send", "failure", "rules"])
        // It is there after a restart, and redriven from there.
        let next = try self.site()
        let (number, letter) = try #require(next.delivery.engine.numberedDeadLetters(limit: 9).first)
        #expect(letter.trace == site.delivery.engine.deadLetters(limit: 9).first?.trace)
        try await next.delivery.redrive(number, now: Instant(nanoseconds: 0)) { _ in .kept }
        #expect(try way(of: try #require(next.calls().first), answer: .answered(status: 400)) == ["call", "redrive", "failure", "rules"])
        // What fails once more is below the redrive.
        let again = try #require(next.delivery.engine.deadLetters(limit: 9).first?.trace)
        #expect(recorder.way(to: again.spanID) == ["failure", "redrive", "failure", "rules"])
    }

    @Test func eachAttemptIsAStepOfItsOwn() throws {
        let site = try site()
        try put(site, to: "till")
        let first = try #require(site.calls().first)
        #expect(try way(of: first, answer: .answered(status: 500)) == ["call", "rules"])
        var again: ScriptedDoor.Call?
        for _ in 0..<200 where again == nil {
            site.world.advance(milliseconds: 1_001)
            site.delivery.pending.advance()
            again = site.calls().first
        }
        let second = try #require(again)
        #expect(second.header["traceparent"] != first.header["traceparent"])
        #expect(try way(of: second) == ["call", "rules"])
        let calls = recorder.spans.filter { $0.name == "call" }
        #expect(calls.map { $0.failure == nil } == [false, true])
        #expect(Set(calls.map(\.spanID)).count == 2 && Set(calls.map(\.parentID)).count == 1)
    }

    @Test func aTopicRulesMessageIsRedrivenInItsTrace() async throws {
        let site = try site()
        publish(site, "devices/one")
        try #require(site.calls().first).answer(.answered(status: 400))
        let failed = try #require(site.calls().first)
        #expect(failed.invocation.target == "/failed")
        #expect(try way(of: failed) == ["call", "failure", "rules"])
        let (number, letter) = try #require(site.delivery.engine.numberedDeadLetters(limit: 9).first)
        #expect(recorder.way(to: try #require(letter.trace).spanID) == ["failure", "rules"])
        try await site.delivery.redrive(number, now: Instant(nanoseconds: 0)) { _ in .kept }
        #expect(try way(of: try #require(site.calls().first)) == ["call", "redrive", "failure", "rules"])
    }

    @Test func whatAnErrorActionPublishesIsInTheTrace() throws {
        let site = try site()
        let published = Mutex<[Message]>([])
        site.delivery.pending.begin(
            alarm: { _ in }, door: site.door,
            publish: { messages, done in
                published.withLock { $0 += messages }
                done(true)
            })
        publish(site, "republished")
        try #require(site.calls().first).answer(.answered(status: 400))
        let message = try #require(published.withLock { $0.first })
        #expect(message.topicName == "failed")
        #expect(recorder.way(to: try #require(message.trace).parent.spanID) == ["publish", "failure", "rules"])
    }

    @Test("A delivery goes out in its trace after a restart", arguments: ["target", "action", "error action"])
    func restart(kind: String) throws {
        let site = try site()
        if kind == "target" { try put(site, to: "till") } else { publish(site, "devices/one") }
        if kind == "error action" { try #require(site.calls().first).answer(.answered(status: 400)) }
        let before = try #require(site.calls().first)
        let next = try self.site()
        #expect(next.restored.waiting == 1)
        let after = try #require(next.calls().first)
        #expect(after.header["traceparent"] != before.header["traceparent"], "an attempt of its own")
        #expect(try way(of: after) == (kind == "error action" ? ["call", "failure", "rules"] : ["call", "rules"]))
    }

    @Test func whoDoesNotLookAtTracesDeliversWhatWasKeptOfOne() throws {
        let site = try site()
        try put(site, to: "till")
        publish(site, "devices/one")
        #expect(store.records(of: .delivery).allSatisfy { $0.fields[0] == 3 })
        let next = try KeptDeliveryTests.Site(store, Self.template)
        #expect(next.calls().map { $0.header["traceparent"] } == [nil, nil] && next.isConserved)
    }

    @Test func withoutATraceRecordsAreThoseOfTheVersionBefore() throws {
        let site = try site()
        try site.put(#"{"to":"till"}"#)
        site.publish("devices/one", "{}")
        try site.put(#"{"to":"nowhere","x":"+"}"#)
        #expect(store.records(of: .delivery).map { $0.fields[0] } == [2, 2])
        #expect(store.records(of: .deadLetter).map { $0.fields[0] } == [1])
        try put(site, to: "nowhere")
        #expect(Set(store.records(of: .deadLetter).map { $0.fields[0] }) == [1, 2])
    }

    @Test func aDeliveryWhoseTargetIsCalledOtherwiseStaysInItsTrace() throws {
        let site = try site()
        try put(site, to: "till")
        try #require(site.calls().first).answer(.answered(status: 500))
        site.delivery.engine.replace(resources: try CallSite.resources(Self.template.replacing("s3cret", with: "other")))
        site.delivery.pending.rulesChanged()
        site.world.advance(milliseconds: 60_000)
        let again = try #require(site.calls().first)
        #expect(again.header["x-key"] == "other")
        #expect(try way(of: again) == ["call", "rules"])
    }

    @Test func anArchivedEventIsReplayedInItsTrace() throws {
        let template = """
            Resources:
              All:
                Type: AWS::Events::Archive
                Properties: { ArchiveName: all, SourceArn: 'arn:aws:events:us-east-1:000000000000:event-bus/default' }
              P:
                Type: AWS::Events::Rule
                Properties:
                  Name: replayed
                  EventPattern: { replay-name: [again] }
                  Targets: [{ Id: t, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/again' }]

            """
        func start() throws -> KeptSite {
            let site = try KeptSite(store, template, spans: recorder)
            try site.control.delivery.declare(try resources(template), buses: site.control.busNames)
            return site
        }
        let site = try start()
        _ = try TraceContext.$current.withValue(TraceContext(below: Self.above, recorder: recorder)) { try site.events.put("{}") }
        _ = try site.events.put("{}")
        #expect(store.records(of: .archivedEvent).map { $0.fields[0] } == [2, 1])
        let next = try start()
        #expect(try next.events.engine.describeArchive("all").bytes == site.events.engine.describeArchive("all").bytes)
        for engine in [site.events.engine, next.events.engine] {
            _ = try engine.startReplay(
                try ReplayRequest(
                    name: "again", archive: "all", destination: "default", start: TestWorld.start, end: TestWorld.start + 1_000))
            let messages = engine.runReplays(eventsMax: 9).messages
            #expect(messages.count == 2 && messages.filter { $0.trace == nil }.count == 1)
            let place = try #require(messages.compactMap(\.trace).first?.parent)
            #expect(place.traceID == Self.trace && recorder.way(to: place.spanID) == ["publish", "replay", "rules"])
        }
    }
}
