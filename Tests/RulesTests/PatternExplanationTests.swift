import Rules
import Testing

@Suite struct PatternExplanationTests {
    private func explain(_ pattern: String, _ event: String) throws -> PatternExplanation {
        try EventPattern(parsing: Array(pattern.utf8)).explain(try json(event))
    }

    @Test func aMatchSaysWhichValueMetWhichCondition() throws {
        let explanation = try explain(
            #"{"source":["shop","cafe"],"detail":{"amount":[{"numeric":[">",5,"<=",10]}],"note":[{"exists":false}]}}"#,
            #"{"source":"cafe","detail":{"amount":7.5}}"#)
        #expect(explanation.matches)
        #expect(
            explanation.description == """
                matches
                  ok    detail.amount: 7.5 meets {"numeric":[">",5,"<=",10]}
                  ok    detail.note: is missing, as {"exists":false} wants it
                  ok    source: "cafe" meets "cafe"
                """)
    }

    @Test func aMissSaysWhatWasFoundAndWhatWasWanted() throws {
        let explanation = try explain(
            #"{"a":[{"prefix":"x"},1],"b":["y"],"c":[{"anything-but":{"suffix":["z"]}}],"d":{"e":[true]}}"#,
            #"{"a":[2,"y","y","y","y","y",null],"b":{"f":1},"c":"z"}"#)
        #expect(!explanation.matches)
        #expect(
            explanation.description == """
                does not match
                  MISS  a: found 2, "y", "y", "y", "y" and 2 more; wanted {"prefix":"x"} or 1
                  MISS  b: holds an object or an empty array, which is no value; wanted "y"
                  MISS  c: found "z"; wanted {"anything-but":[{"suffix":"z"}]}
                  MISS  d.e: is missing; wanted true
                """)
    }

    @Test func valuesInTwoElementsAreNamed() throws {
        let explanation = try explain(
            #"{"items":{"size":["S"],"sku":["latte"]}}"#, #"{"items":[{"sku":"latte","size":"L"},{"sku":"mocha","size":"S"}]}"#)
        #expect(explanation.alternatives.map(\.needsTwoElements) == [true])
        #expect(explanation.description.contains("but not together: the values lie in different elements of one array"))
    }

    @Test func eachAlternativeIsExplained() throws {
        let explanation = try explain(#"{"$or":[{"a":[1]},{"b":[{"wildcard":"x*\\*"}]}]}"#, #"{"a":2,"b":"xy*"}"#)
        #expect(
            explanation.description == """
                matches
                  alternative 1 of 2: does not match
                    MISS  a: found 2; wanted 1
                  alternative 2 of 2: matches
                    ok    b: "xy*" meets {"wildcard":"x*\\\\*"}
                """)
    }

    @Test func explanationsAgreeWithMatching() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var generator = PatternGenerator(random: SeededGenerator(seed: seed))
        for _ in 0..<500 {
            let source = generator.pattern()
            let pattern = try EventPattern(parsing: Array(source.utf8))
            let event = try json(generator.event(dots: true))
            let explanation = pattern.explain(event)
            #expect(explanation.matches == pattern.matches(event), "seed \(seed): \(source)")
            for alternative in explanation.alternatives where alternative.matches {
                #expect(!alternative.fields.contains { !$0.isMet }, "seed \(seed): \(source)")
            }
        }
    }
}
