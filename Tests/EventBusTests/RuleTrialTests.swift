import EventBus
import Rules
import Testing

@Suite struct RuleTrialTests {
    private static let rules = """
        Resources:
          Bus: { Type: AWS::Events::EventBus, Properties: { Name: Shop } }
          Orders:
            Type: AWS::Events::Rule
            Properties: { Name: orders, EventBusName: Shop, EventPattern: { source: [shop], detail: { size: [L], count: [{ numeric: [">", 1] }] } } }
          Same: { Type: AWS::Events::Rule, Properties: { Name: same, EventPattern: { source: [a] } } }
          SameElsewhere: { Type: AWS::Events::Rule, Properties: { Name: same, EventBusName: Shop, State: DISABLED, EventPattern: { source: [b] } } }
          Device:
            Type: AWS::IoT::TopicRule
            Properties:
              RuleName: device
              TopicRulePayload:
                Sql: "SELECT temp * 2 AS twice FROM 'shop/+/state' WHERE temp > 20"
                Actions: [{ republish: { topic: out, roleArn: any } }]
        """

    private func attempt(_ rule: String, _ event: String, topic: String? = nil) throws -> RuleTrial {
        try resources(Self.rules).tryRule(rule, event: Array(event.utf8), topic: topic, nowMilliseconds: TestWorld.start)
    }

    @Test func aMatchNamesWhatMetEachField() throws {
        let trial = try attempt("orders", #"{"source":"shop","detail":{"size":"L","count":2}}"#)
        #expect(trial.matches && trial.bus == "Shop" && trial.isEnabled)
        guard case .pattern(let explanation) = trial.finding else { return #expect(Bool(false), "an event rule has a pattern") }
        #expect(explanation.alternatives.map { $0.fields.map(\.path) } == [["detail.count", "detail.size", "source"]])
    }

    @Test func aMissNamesTheFieldsThatMissed() throws {
        let trial = try attempt("orders", #"{"source":"shop","detail":{"size":"S"}}"#)
        #expect(!trial.matches)
        guard case .pattern(let explanation) = trial.finding else { return #expect(Bool(false), "an event rule has a pattern") }
        #expect(explanation.alternatives.first?.fields.map(\.isMet) == [false, false, true])
        #expect(explanation.description.contains(#"detail.size: found "S"; wanted "L""#))
        #expect(explanation.description.contains("detail.count: is missing"))
    }

    @Test(
        arguments: [
            (#"{"temp":21}"#, "shop/1/state", #"{"twice":42}"#, "the statement wants the message"),
            (#"{"temp":21}"#, "$aws/rules/device/any/topic", #"{"twice":42}"#, "the statement wants the message"),
            (#"{"temp":21}"#, "$aws/rules/other/any/topic", nil, "$aws/rules/other/any/topic is for the rule other"),
            (#"{"temp":20}"#, "shop/1/state", nil, "WHERE is not true"), (#"{"temp":21}"#, "shop/1", nil, "shop/1 is not on shop/+/state"),
        ] as [(String, String, String?, String)])
    func aTopicRuleTellsWhatItSelects(payload: String, topic: String, selected: String?, reason: String) throws {
        guard case .statement(let bytes, let text) = try attempt("device", payload, topic: topic).finding else {
            return #expect(Bool(false), "a topic rule has a statement")
        }
        #expect(bytes.map { String(decoding: $0, as: UTF8.self) } == selected)
        #expect(text == reason)
    }

    @Test func aNameOfTwoBusesIsAskedFor() throws {
        #expect(throws: RuleTrialError.ambiguous("same", buses: ["default", "Shop"])) { try attempt("same", "{}") }
        #expect(try attempt("default/same", #"{"source":"a"}"#).matches)
        #expect(try attempt("Shop/same", #"{"source":"b"}"#).isEnabled == false)
    }

    @Test func whatCannotBeTriedIsSaid() throws {
        #expect(throws: RuleTrialError.unknownRule("x", known: ["orders", "same", "same", "device"])) { try attempt("x", "{}") }
        #expect(throws: RuleTrialError.noObject) { try attempt("orders", "[]") }
        #expect(throws: RuleTrialError.topicMissing(rule: "device", filter: "shop/+/state")) { try attempt("device", "{}") }
        #expect { try attempt("orders", "{") } throws: { "\($0)".hasPrefix("the event is not JSON: ") }
    }
}
