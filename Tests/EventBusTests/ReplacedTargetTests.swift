import Documents
import Testing

@testable import EventBus

/// What becomes of deliveries that wait when their target changes.
@Suite struct ReplacedTargetTests {
    /// A rule whose target was called once and asked to be left alone for ten minutes, with one more event that waits.
    private func site() throws -> (fixture: ConnectionSite, connection: String, arn: String) {
        let fixture = try ConnectionSite()
        let connection = try fixture.connect("login")
        let arn = try fixture.destination("slow", connection, "https://slow.example/x")
        try fixture.rule("orders", to: arn, more: #","DeadLetterConfig":{"Arn":"arn:aws:sqs:us-east-1:000000000000:dead"}"#)
        try fixture.put("orders", #"{"n":1}"#)
        try #require(fixture.calls().first).answer(.answered(status: 503, retryAfter: "600"))
        try fixture.put("orders", #"{"n":2}"#)
        #expect(fixture.calls().isEmpty)
        #expect(fixture.site.engine.counters.deliveriesPending == 2)
        return (fixture, connection, arn)
    }

    @Test func anotherTargetInItsPlaceIsNotHeldUp() throws {
        let (fixture, connection, _) = try site()
        try fixture.rule("orders", to: try fixture.destination("quick", connection, "https://quick.example/x"))
        #expect(fixture.site.engine.counters.deliveriesDropped == 2)
        try fixture.put("orders", #"{"n":3}"#)
        let calls = fixture.calls()
        #expect(calls.map(\.invocation.url) == ["https://quick.example/x"])
        calls.first?.answer(.answered(status: 200))
        #expect(fixture.site.engine.counters.deliveriesPending == 0)
        #expect(fixture.site.isConserved)
        #expect(fixture.site.log.all.contains { $0.hasPrefix("pending delivery dropped: its target is gone") })
    }

    @Test("What waits for a target or a rule that is gone is dropped and counted, and is no dead letter", arguments: [false, true])
    func gone(wholeRule: Bool) throws {
        let (fixture, _, _) = try site()
        _ = try fixture.control.removeTargets(["t"], fromRule: "orders", onBus: "default")
        if wholeRule { try fixture.control.deleteRule("orders", onBus: "default") }
        let counters = fixture.site.engine.counters
        #expect((counters.deliveriesDropped, counters.deliveriesPending, counters.deliveriesFailed) == (2, 0, 0))
        fixture.site.wait(milliseconds: 86_400_000)
        #expect(fixture.calls().isEmpty)
        #expect(try fixture.site.take("dead").isEmpty)
        #expect(fixture.site.isConserved)
    }

    @Test func aDisabledRuleStillDeliversWhatItMatched() throws {
        let (fixture, _, _) = try site()
        try fixture.control.setRule("orders", onBus: "default", enabled: false)
        fixture.site.wait(milliseconds: 600_000)
        #expect((fixture.calls() + fixture.callsInTurn()).count == 2)
        #expect(fixture.site.engine.counters.deliveriesDropped == 0)
    }

    @Test func whatIsCalledElsewhereNowIsCalledThereAtOnce() throws {
        let (fixture, _, _) = try site()
        _ = try fixture.control.updateDestination(APIDestinationRequest(name: "slow", endpoint: "https://moved.example/y"))
        let calls = fixture.callsInTurn()
        #expect(calls.map(\.invocation.url) == ["https://moved.example/y", "https://moved.example/y"])
        #expect(calls.map(\.body) == [#"{"n":1}"#, #"{"n":2}"#])
        for call in calls { call.answer(.answered(status: 200)) }
        #expect(fixture.site.engine.counters.deliveries == 2)
        #expect(fixture.site.isConserved)
    }

    @Test func anotherSecretIsUsedWhenTheirTurnComes() throws {
        let (fixture, _, _) = try site()
        _ = try fixture.control.updateConnection(
            ConnectionRequest(name: "login", parameters: try ConnectionSite.json(ConnectionSite.key("new"))))
        #expect(fixture.calls().isEmpty)
        fixture.site.wait(milliseconds: 600_000)
        #expect((fixture.calls() + fixture.callsInTurn()).map { $0.header["x-key"] } == ["new", "new"])
    }

    @Test func whatCannotBeCalledAnyMoreIsADeadLetterAtOnce() throws {
        let (fixture, _, _) = try site()
        _ = try fixture.control.deleteConnection("login")
        #expect(fixture.letters() == ["NO_RESOURCE", "NO_RESOURCE"])
        #expect(try fixture.site.take("dead").count == 2)
        #expect(fixture.site.engine.counters.deliveriesPending == 0)
        #expect(fixture.site.isConserved)
    }

    /// What is under way when its target goes is looked at when it has failed.
    @Test func whatIsUnderWayIsNotTriedAgain() throws {
        let fixture = try ConnectionSite()
        let arn = try fixture.destination("slow", try fixture.connect("login"), "https://slow.example/x")
        try fixture.rule("orders", to: arn)
        try fixture.put("orders")
        let call = try #require(fixture.calls().first)
        _ = try fixture.control.removeTargets(["t"], fromRule: "orders", onBus: "default")
        #expect(fixture.site.engine.counters.deliveriesPending == 1)
        call.answer(.answered(status: 500))
        #expect(fixture.site.engine.counters.deliveriesDropped == 1)
        fixture.site.wait(milliseconds: 60_000)
        #expect(fixture.calls().isEmpty)
        #expect(fixture.site.engine.counters.deliveriesRetried == 0)
        #expect(fixture.site.isConserved)
    }

    @Test func aReloadDropsWhatWaitsForARuleOfATemplateThatIsGone() throws {
        let rule = """

              R:
                Type: AWS::Events::Rule
                Properties:
                  Name: templated
                  EventPattern: { source: [templated] }
                  Targets: [{ Id: t, Arn: !GetAtt Till.Arn }]
            """
        let fixture = try ConnectionSite(ConnectionSite.template + rule)
        try fixture.put("templated")
        try #require(fixture.calls().first).answer(.answered(status: 500))
        try fixture.control.replace(templates: try CallSite.resources(ConnectionSite.template + rule))
        #expect(fixture.site.engine.counters.deliveriesPending == 1)
        try fixture.control.replace(templates: try CallSite.resources(ConnectionSite.template))
        #expect(fixture.site.engine.counters.deliveriesDropped == 1)
        #expect(fixture.site.isConserved)
    }
}
