import EventBus
import Testing

@Suite struct RuleReloadTests {
    private func template(_ rules: [(name: String, pattern: String)]) -> String {
        rules.reduce("Resources:\n") { text, rule in
            text + """
                  \(rule.name):
                    Type: AWS::Events::Rule
                    Properties:
                      Name: \(rule.name)
                      EventPattern: '\(rule.pattern)'
                      Targets:
                        - {Id: t, Arn: 'arn:aws:iot:us-east-1:1:topic/\(rule.name)', InputPath: $.source}

                """
        }
    }

    @Test func whatStaysChangesComesAndGoesIsMatchedInTheOrderOfTheTemplate() throws {
        let all = #"{"source":["shop"]}"#
        let fixture = try EngineFixture(template([("A", all), ("B", all), ("C", all)]))
        #expect(try fixture.put("{}").map(\.topic) == ["A", "B", "C"])

        let changed = [("D", all), ("C", all), ("B", #"{"source":["other"]}"#), ("A", #"{"detail-type":[{"exists":true}]}"#)]
        fixture.engine.replace(resources: try resources(template(changed)))
        #expect(try fixture.put("{}").map(\.topic) == ["D", "C", "A"])
        #expect(fixture.engine.ruleStatistics().map(\.matched) == [1, 2, 1, 2])

        fixture.engine.replace(resources: try resources(template([("B", all)])))
        #expect(try fixture.put("{}").map(\.topic) == ["B"])
    }
}
