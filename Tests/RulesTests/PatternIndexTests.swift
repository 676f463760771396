import Rules
import Testing

@Suite struct PatternIndexTests {
    @Test func resultsComeInTheOrderOfInsertion() throws {
        let pattern = try EventPattern(parsing: Array(#"{"a":[1]}"#.utf8))
        var index = PatternIndex()
        for rule in [3, 1, 4, 2] { index.insert(pattern, for: rule) }
        index.remove(1)
        index.insert(pattern, for: 5)
        #expect(index.matches(try json(#"{"a":1}"#)) == [3, 4, 2, 5])
    }

    @Test func anInsertionReplacesTheRulesPattern() throws {
        var index = PatternIndex()
        index.insert(try EventPattern(parsing: Array(#"{"a":[1]}"#.utf8)), for: 7)
        index.insert(try EventPattern(parsing: Array(#"{"a":[2]}"#.utf8)), for: 7)
        #expect(index.matches(try json(#"{"a":[1]}"#)) == [])
        #expect(index.matches(try json(#"{"a":[2]}"#)) == [7])
        index.remove(8)
        #expect(index.count == 1)
    }

    @Test func anEventIsComparedWithFewOfManyRules() throws {
        var index = PatternIndex()
        for rule in 0..<2_000 {
            // All share the source and the kind; what tells them apart lies in the detail.
            let pattern = #"{"source":["shop"],"detail-type":[{"prefix":"Order"}],"detail":{"user":["u\#(rule)"],"state":["new"]}}"#
            index.insert(try EventPattern(parsing: Array(pattern.utf8)), for: rule)
        }
        let event = try json(#"{"source":"shop","detail-type":"OrderPlaced","detail":{"user":"u1321","state":"new"}}"#)
        #expect(index.matches(event) == [1_321])
        #expect(index.candidateCount(event) <= 10)
    }

    @Test(arguments: [
        (#"{"u":[{"prefix":"user-N-"}]}"#, #"{"u":"user-77-x"}"#), (#"{"u":[{"suffix":"-N"}]}"#, #"{"u":"user-77"}"#),
        (#"{"u":[{"wildcard":"user-N-*"}]}"#, #"{"u":"user-77-x"}"#), (#"{"u":[{"wildcard":"*-N"}]}"#, #"{"u":"user-77"}"#),
        (#"{"u":[{"wildcard":"*er-N-*"}]}"#, #"{"u":"user-77-x"}"#), (#"{"u":[{"equals-ignore-case":"USER-N"}]}"#, #"{"u":"user-77"}"#),
        (#"{"u":[{"prefix":{"equals-ignore-case":"USER-N-"}}]}"#, #"{"u":"user-77-x"}"#),
        (#"{"u":[{"suffix":{"equals-ignore-case":"R-N"}}]}"#, #"{"u":"USER-77"}"#),
        (#"{"u":[{"numeric":[">=",N,"<",N.5]}]}"#, #"{"u":77.25}"#), (#"{"u":[{"numeric":["=",N]}]}"#, #"{"u":77}"#),
        (#"{"u":["N"],"s":[{"anything-but":["x","N"]}]}"#, #"{"u":"77","s":"y"}"#),
        (#"{"u":["N"],"s":["y"],"c":[{"exists":false}]}"#, #"{"u":"77","s":"y"}"#),
        (#"{"s":["y"],"$or":[{"u":["N"]},{"v":["N"]}]}"#, #"{"u":"77","s":"y"}"#),
    ])
    func anEventIsComparedWithFewOfManyRulesOfAnyOperator(pattern: String, event: String) async throws {
        var index = PatternIndex()
        await Task.yield()
        for rule in 0..<400 {
            index.insert(try EventPattern(parsing: Array(pattern.replacing("N", with: "\(rule)").utf8)), for: rule)
        }
        #expect(index.matches(try json(event)) == [77])
        #expect(index.candidateCount(try json(event)) <= 10)
    }

    @Test func anEventIsNotComparedWithNetworksAndOpenRangesThatDoNotHoldIt() throws {
        var index = PatternIndex()
        for rule in 0..<1_000 {
            index.insert(try EventPattern(parsing: Array(#"{"ip":[{"cidr":"10.\#(rule / 256).\#(rule % 256).0/24"}]}"#.utf8)), for: rule)
            index.insert(try EventPattern(parsing: Array(#"{"n":[{"numeric":[">",\#(rule)]}]}"#.utf8)), for: 10_000 + rule)
        }
        #expect(index.candidateCount(try json(#"{"ip":"10.1.2.3","n":0}"#)) == 1)
        #expect(index.matches(try json(#"{"ip":"10.1.2.3","n":2}"#)) == [10_000, 10_001, 258])
        #expect(index.candidateCount(try json(#"{"n":2}"#)) == 2)
    }

    @Test func aCopyStaysAsItWas() throws {
        var index = PatternIndex()
        for rule in 0..<300 {
            index.insert(try EventPattern(parsing: Array(#"{"n":[{"numeric":[">",\#(rule)]}],"u":[{"prefix":"a"}]}"#.utf8)), for: rule)
        }
        let copy = index
        let event = try json(#"{"n":1000,"u":"abc","x":1}"#)
        for rule in stride(from: 0, to: 300, by: 2) { index.remove(rule) }
        index.insert(try EventPattern(parsing: Array(#"{"x":[1]}"#.utf8)), for: 999)
        #expect(copy.matches(event) == Array(0..<300))
        #expect(index.matches(event) == Array(stride(from: 1, to: 300, by: 2)) + [999])
    }

    @Test func prefixesAreFoundByWalkingTheValueOnce() throws {
        var index = PatternIndex()
        for rule in 0..<2_000 {
            index.insert(try EventPattern(parsing: Array(#"{"topic":[{"prefix":"device-\#(rule)-"}]}"#.utf8)), for: rule)
        }
        let event = try json(#"{"topic":"device-77-temperature"}"#)
        #expect(index.candidateCount(event) == 1)
        #expect(index.matches(event) == [77])
    }
}
