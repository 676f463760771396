import BrokerCore
import CremaTesting
import Documents
import Queues
import Records
import Rules
import Testing

@testable import EventBus

/// A process that begins with what the store has.
struct KeptSite {
    let events: EngineFixture
    let control: ControlPlane
    let leftOut: [String]

    init(
        _ store: RecordsInMemory, _ template: String = ControlFixture.template, limits: EventBusLimits = .init(), later: Int64 = 0,
        spans: (any SpanRecorder)? = nil
    ) throws {
        events = try EngineFixture(template, limits: limits, store: store, spans: spans)
        events.world.advance(milliseconds: later)
        let queues = SharedQueues(makeID: events.world.source.makeID, store: store)
        try queues.restore(store.records)
        control = ControlPlane(
            delivery: RuleDelivery(engine: events.engine, queues: queues, store: store), templates: try resources(template), store: store)
        leftOut = try control.restore(store.records).leftOut
    }

    func putTarget(_ json: String, to rule: String, bus: String = "default") throws {
        try control.putTargets([JSONDocument(parsing: Array(json.utf8)).root], toRule: rule, onBus: bus)
    }
}

/// What came by API is there after a restart.
@Suite struct KeptResourceTests {
    private let store = RecordsInMemory()

    private func json(_ text: String) throws -> JSONView { try JSONDocument(parsing: Array(text.utf8)).root }

    @Test func busesRulesAndTargetsAreInForceAgainInTheirOrder() throws {
        let site = try KeptSite(store)
        _ = try site.control.createBus("made", ResourceDetails(description: "d", tags: ["k": "v"]))
        for name in ["z", "a"] {
            _ = try site.control.putRule(
                NewRule(
                    name: name, bus: "made", pattern: #"{"source":["shop"]}"#,
                    details: ResourceDetails(description: "of \(name)", tags: ["t": name])))
            try site.putTarget(
                #"{"Id":"t","Arn":"arn:aws:iot:us-east-1:1:topic/\#(name)","InputPath":"$.source"}"#, to: name, bus: "made")
        }
        _ = try site.control.putRule(NewRule(name: "off", pattern: nil, schedule: "rate(5 minutes)", isEnabled: false))
        try site.control.putPermission(BusPermission(id: "s", action: "events:PutEvents", principal: "*"), onBus: "shop")
        let next = try KeptSite(store)
        #expect(next.leftOut == [])
        #expect(try next.events.put("{}", source: "shop", bus: "made").map(\.topic) == ["z", "a"])
        #expect(try next.control.bus("made") == site.control.bus("made"))
        #expect(try next.control.rule("a", onBus: "made") == site.control.rule("a", onBus: "made"))
        #expect(try next.control.rule("off", onBus: "default") == site.control.rule("off", onBus: "default"))
        #expect(try next.control.targets(ofRule: "a", onBus: "made") == site.control.targets(ofRule: "a", onBus: "made"))
        #expect(try next.control.bus("shop").policy == site.control.bus("shop").policy)
        // What a change does not say stays, also after the restart.
        _ = try next.control.putRule(NewRule(name: "z", bus: "made", pattern: #"{"source":["other"]}"#))
        try next.control.setRule("off", onBus: "default", enabled: true)
        let third = try KeptSite(store)
        #expect(try third.events.put("{}", source: "other", bus: "made").map(\.topic) == ["z"])
        #expect(try third.control.rule("z", onBus: "made").details.tags == ["t": "z"])
        #expect(try third.control.rule("off", onBus: "default").isEnabled)
    }

    @Test func theBuiltInBusIsDescribedAsBeforeAndOverAReload() throws {
        let site = try KeptSite(store)
        _ = try site.control.updateBus("default", description: "d")
        try site.control.tag(site.control.bus("default").arn, ["k": "v"])
        let before = try site.control.bus("default")
        #expect(before.details == ResourceDetails(description: "d", tags: ["k": "v"]))
        let next = try KeptSite(store, later: 5_000)
        #expect(next.leftOut == [])
        try next.control.replace(templates: try resources(ControlFixture.template))
        #expect(try next.control.bus("default") == before)
        #expect(next.control.busNames.count { $0 == "default" } == 1)
    }

    @Test func topicRulesAreInForceAgain() throws {
        let site = try KeptSite(store)
        let rule = #"""
            {"sql":"SELECT * FROM 'lights/+'","awsIotSqlVersion":"2016-03-23","description":"d","actions":[
            {"republish":{"roleArn":"r","topic":"again/${topic(2)}","qos":1}},{"sqs":{"roleArn":"r","queueUrl":"gone","useBase64":false}}],
            "errorAction":{"republish":{"roleArn":"r","topic":"failed"}}}
            """#
        let queues = site.control.delivery.queues
        try queues.perform { (table) throws(QueueError) in try table.create(QueueName("gone"), attributes: [:], tags: [:], now: 0) }
        try site.control.createTopicRule("made", try json(rule), tags: ["k": "v"])
        // What an action names may go before the rule does.
        try queues.perform { (table) throws(QueueError) in try table.deleteQueue("gone") }
        try site.control.setTopicRule("made", enabled: false)
        let next = try KeptSite(store)
        #expect(next.leftOut == [])
        let (before, after) = (try site.control.topicRule("made"), try next.control.topicRule("made"))
        #expect(after.actions == before.actions && after.errorAction == before.errorAction && after.sql == before.sql)
        #expect(after.createdMilliseconds == before.createdMilliseconds && !after.isEnabled && after.description == "d")
        #expect(try next.control.tags(ofResource: after.arn) == ["k": "v"])
        try next.control.deleteTopicRule("made")
        #expect(throws: ControlError.self) { try KeptSite(self.store).control.topicRule("made") }
    }

    @Test func connectionsHaveTheirSecretsAndDestinationsTheirAddresses() throws {
        let site = try KeptSite(store)
        let arn = try site.control.createConnection(
            ConnectionRequest(name: "login", authorizationType: "API_KEY", parameters: try json(ConnectionSite.key("s3cret")))
        ).arn
        let idle = try site.control.createConnection(
            ConnectionRequest(name: "idle", authorizationType: "API_KEY", parameters: try json(ConnectionSite.key("other")))
        ).arn
        _ = try site.control.deauthorizeConnection("idle")
        let destination = try site.control.createDestination(
            APIDestinationRequest(name: "till", connectionARN: arn, endpoint: "https://till.example/*", method: "POST", callsPerSecond: 7))
        _ = try site.control.createDestination(
            APIDestinationRequest(name: "off", connectionARN: idle, endpoint: "https://till.example/x", method: "GET"))
        _ = try site.control.putRule(NewRule(name: "r", pattern: #"{"source":["shop"]}"#))
        try site.putTarget(
            #"{"Id":"t","Arn":"\#(destination.arn)","HttpParameters":{"PathParameterValues":["1"]}}"#, to: "r")
        let next = try KeptSite(store)
        #expect(next.leftOut == [])
        let found = try next.control.destination("till")
        #expect(found.arn == destination.arn && found.isActive && found.callsPerSecond == 7 && found.endpoint == destination.endpoint)
        #expect(found.times == destination.times)
        #expect(try next.control.connection("login").parameters == site.control.connection("login").parameters)
        #expect(try next.control.connection("idle").state == .deauthorized)
        #expect(try !next.control.destination("off").isActive)
        let calls = try next.events.engine.putEvents([
            PutEventsEntry(source: "shop", detailType: "d", detail: Array("{}".utf8))
        ]).output.calls
        #expect(calls.first?.invocation.headers.contains { $0.name == "X-Key" && $0.value == "s3cret" } == true)
        // A target of a destination that was deleted since cannot be called, and is named.
        try next.control.deleteDestination("till")
        #expect(try KeptSite(store).leftOut.count == 1)
    }

    @Test func aTemplateGoesBeforeWhatCameByAPI() throws {
        let site = try KeptSite(store, "Resources: {}")
        _ = try site.control.createBus("shop", ResourceDetails())
        _ = try site.control.putRule(NewRule(name: "kept", bus: "shop", pattern: #"{"source":["a"]}"#))
        _ = try site.control.putRule(NewRule(name: "declared", pattern: #"{"source":["a"]}"#))
        let next = try KeptSite(store)
        #expect(next.leftOut.count == 2 && next.leftOut.allSatisfy { $0.contains("t.yaml") })
        #expect(try next.control.rule("declared", onBus: "default").managedBy != nil)
        #expect(try next.control.rule("kept", onBus: "shop").managedBy == nil)
        // Nothing is lost: without the template all of it is there again.
        #expect(try KeptSite(store, "Resources: {}").control.rule("declared", onBus: "default").managedBy == nil)
    }

    @Test func nothingChangesWhileTheStoreFails() async throws {
        let site = try KeptSite(store)
        store.isFailing = true
        #expect(throws: ControlError.notKept) { _ = try site.control.createBus("made", ResourceDetails()) }
        await #expect(throws: ControlError.notKept) { try await site.control.kept() }
        #expect(try site.control.buses(withPrefix: "made").isEmpty && store.records.isEmpty)
        store.isFailing = false
        _ = try site.control.createBus("made", ResourceDetails())
        try await site.control.kept()
        #expect(store.records.count == 1)
    }
}
