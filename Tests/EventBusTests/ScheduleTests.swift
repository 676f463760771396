import BrokerCore
import Rules
import Testing

@testable import EventBus

@Suite struct ScheduleTableTests {
    private static let minute: Int64 = 60_000

    private func table(_ rules: [String: String], now: Int64 = 0) throws -> ScheduleTable {
        var table = ScheduleTable()
        table.replace(try rules.sorted { $0.key < $1.key }.map { ($0.key, try ScheduleExpression(parsing: $0.value)) }, now: now)
        return table
    }

    @Test func aRateCountsFromTheRulesBeginning() throws {
        var table = try table(["r": "rate(5 minutes)"], now: 30_000)
        #expect(table.next == 30_000 + 5 * Self.minute)
        #expect(table.takeDue(now: 30_000 + 5 * Self.minute - 1).isEmpty)
        #expect(table.takeDue(now: 30_000 + 5 * Self.minute).map(\.name) == ["r"])
        #expect(table.next == 30_000 + 10 * Self.minute)
    }

    @Test func whatWasMissedIsMadeUpForOnce() throws {
        var table = try table(["r": "rate(1 minute)", "c": "cron(0 0 * * ? *)"])
        let due = table.takeDue(now: 1_000 * Self.minute + 1)
        #expect(due.map(\.name) == ["r"])
        #expect(due.map(\.dueMilliseconds) == [Self.minute])
        #expect(table.next == 1_001 * Self.minute)
        #expect(table.takeDue(now: 1_440 * Self.minute).map(\.name) == ["r", "c"])
    }

    @Test func aReloadLeavesAsTheyAreTheRulesThatStay() throws {
        var table = try table(["a": "rate(10 minutes)", "b": "rate(10 minutes)"])
        let ten = try ScheduleExpression(parsing: "rate(10 minutes)")
        let one = try ScheduleExpression(parsing: "rate(1 minute)")
        table.replace([("a", ten), ("b", one), ("c", ten)], now: 5 * Self.minute)
        #expect(table.takeDue(now: 6 * Self.minute).map(\.name) == ["b"])
        #expect(table.takeDue(now: 10 * Self.minute).map(\.name) == ["b", "a"])
        table.replace([], now: 0)
        #expect(table.next == nil)
    }

    @Test func aClockThatIsSetBackIsFollowed() throws {
        var table = try table(["r": "rate(5 minutes)"], now: 600 * Self.minute)
        #expect(table.takeDue(now: 605 * Self.minute).count == 1)
        #expect(table.takeDue(now: 500 * Self.minute).isEmpty)
        #expect(table.next == 505 * Self.minute)
        #expect(table.takeDue(now: 505 * Self.minute).map(\.name) == ["r"])
    }

    @Test func aYearThatIsOverIsNeverDue() throws {
        #expect(try table(["r": "cron(0 0 1 1 ? 1971)"], now: 1_767_323_045_500).next == nil)
    }
}

@Suite struct ScheduledRuleTests {
    private static let rules = """
        Resources:
          Tick:
            Type: AWS::Events::Rule
            Properties:
              Name: tick
              ScheduleExpression: rate(1 minute)
              Targets: [{ Id: t, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/tick' }]
          Both:
            Type: AWS::Events::Rule
            Properties:
              Name: both
              ScheduleExpression: cron(0 4 * * ? *)
              EventPattern: { source: [aws.events, shop] }
              Targets: [{ Id: t, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/both', InputPath: $.source }]
          Off:
            Type: AWS::Events::Rule
            Properties: { Name: off, State: DISABLED, ScheduleExpression: rate(1 minute), Targets: [{ Id: t, Arn: 'arn:aws:iot:us-east-1:0:topic/off' }] }
        """

    @Test func aScheduledRuleMakesTheServicesEvent() throws {
        let fixture = try EngineFixture(Self.rules)
        #expect(fixture.engine.runSchedules().messages.isEmpty)
        fixture.world.advance(milliseconds: 60_000)
        let messages = fixture.engine.runSchedules().messages.map(Published.init)
        #expect(messages.map(\.topic) == ["tick"])
        #expect(
            messages.first?.payload == #"{"version":"0","id":"id-1","detail-type":"Scheduled Event","source":"aws.events","#
                + #""account":"000000000000","time":"2026-01-02T03:05:05Z","region":"us-east-1","#
                + #""resources":["arn:aws:events:us-east-1:000000000000:rule/tick"],"detail":{}}"#)
        #expect(fixture.engine.counters.eventsScheduled == 1)
    }

    /// Others do not see it, also those whose pattern it would match.
    @Test func aRuleMayHaveBothAPatternAndASchedule() throws {
        let fixture = try EngineFixture(Self.rules)
        #expect(try fixture.put("{}") == [Published("both", "\"shop\"")])
        fixture.world.advance(milliseconds: 3_600_000)
        let topics = fixture.engine.runSchedules().messages.map(\.topicName)
        #expect(topics == ["tick", "both"])
        let statistics = fixture.engine.ruleStatistics()
        #expect(statistics.map(\.definition).contains(#"{"source":["aws.events","shop"]} cron(0 4 * * ? *)"#))
        #expect(statistics.first { $0.name == "both" }?.matched == 2)
        #expect(statistics.first { $0.name == "off" }?.matched == 0)
    }

    @Test(
        "What is no schedule is refused by its place",
        arguments: [
            ("{ ScheduleExpression: rate(1 minutes) }", "Parameter ScheduleExpression is not valid."),
            ("{ EventBusName: b, ScheduleExpression: rate(1 minute) }", "ScheduleExpression is supported only on the default event bus."),
            ("{ Name: r }", "needs an EventPattern or a ScheduleExpression"),
        ])
    func refused(properties: String, message: String) {
        #expect {
            try resources(
                """
                Resources:
                  B: { Type: AWS::Events::EventBus, Properties: { Name: b } }
                  R: { Type: AWS::Events::Rule, Properties: \(properties) }
                """)
        } throws: {
            "\($0)".contains(message) && "\($0)".contains("t.yaml:3")
        }
    }
}
