import EventBus
import Testing

@Suite struct ConcurrencyTests {
    private func template(_ topic: String) -> String {
        """
        Resources:
          R:
            Type: AWS::Events::Rule
            Properties:
              EventPattern: {source: [shop]}
              Targets:
                - {Id: good, Arn: 'arn:aws:iot:us-east-1:1:topic/\(topic)', InputPath: $.source}
                - {Id: bad, Arn: 'arn:aws:iot:us-east-1:1:topic/\(topic)', InputPath: $.detail.nobody}
          T:
            Type: AWS::IoT::TopicRule
            Properties:
              TopicRulePayload:
                AwsIotSqlVersion: '2016-03-23'
                Sql: "SELECT * FROM 'in'"
                Actions: [{events: {busName: default, detailType: t, source: shop}}]
        """
    }

    @Test func nothingIsLostWhileManyThreadsPutAndRulesAreSwapped() async throws {
        let fixture = try EngineFixture(template("a"))
        let other = try resources(template("b"))
        let (workers, rounds) = (8, 200)
        let topics = try await withThrowingTaskGroup(of: [String].self) { group in
            for worker in 0..<workers {
                group.addTask {
                    var topics: [String] = []
                    for round in 0..<rounds {
                        let published = (worker + round).isMultiple(of: 2) ? try fixture.put("{}") : fixture.publish("in", "{}")
                        topics += published.map(\.topic)
                        if worker == 0 && round == rounds / 2 { fixture.engine.replace(resources: other) }
                        _ = (fixture.engine.ruleStatistics(), fixture.engine.deadLetters(limit: 5), fixture.engine.counters)
                    }
                    return topics
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let all = workers * rounds
        #expect(topics.count == all)
        #expect(Set(topics) == ["a", "b"])
        let rules = fixture.engine.ruleStatistics()
        #expect(rules.map(\.matched) == [UInt64(all), UInt64(all / 2)])
        #expect(rules.map(\.delivered) == [UInt64(all), UInt64(all / 2)])
        #expect(rules.map(\.failed) == [UInt64(all), 0])
        #expect(fixture.engine.deadLetters(limit: .max).count == 1_000)
        #expect(fixture.engine.counters.deadLettersDropped == UInt64(all - 1_000))
    }
}
