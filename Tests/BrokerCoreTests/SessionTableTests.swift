import CremaTesting
import Testing

@testable import BrokerCore

/// A look at all sessions takes bounded steps, whoever comes and goes meanwhile.
@Suite struct SessionTableTests {
    private func session(_ number: Int) -> Session { Session(clientID: "\(number)", principal: nil, epoch: 0, expirySeconds: 0) }

    private func looks(_ table: SessionTable, _ walk: inout SessionWalk) -> [String] {
        var seen: [String] = []
        table.visit(&walk) { seen.append($0.clientID) }
        return seen
    }

    @Test func aLookTakesAsManyStepsAsItNeeds() {
        var table = SessionTable()
        for number in 0..<2_001 { table[ExactText("\(number)")] = session(number) }
        var walk = SessionWalk()
        let parts = (0..<3).map { _ in looks(table, &walk).count }
        #expect(parts == [1_000, 1_000, 1] && walk.isOver && table.count == 2_001)
        var none = SessionWalk()
        #expect(looks(SessionTable(), &none) == [] && none.isOver)
    }

    @Test func aPlaceIsGoodForOneSessionAfterTheOther() {
        var table = SessionTable()
        for number in 0..<1_500 { table[ExactText("\(number)")] = session(number) }
        for number in 500..<1_400 { table[ExactText("\(number)")] = nil }
        // Places of those that are gone count as looked at, and are taken by those that come.
        var walk = SessionWalk()
        #expect(looks(table, &walk).count == 500 && !walk.isOver)
        #expect(looks(table, &walk).count == 100 && walk.isOver)
        for number in 2_000..<2_900 { table[ExactText("\(number)")] = session(number) }
        walk = SessionWalk()
        #expect(looks(table, &walk).count == 1_000)
        #expect(looks(table, &walk).count == 500 && walk.isOver)
        // One in the place of another of its client.
        let other = session(0)
        table[ExactText("0")] = other
        #expect(table[ExactText("0")] === other && table.count == 1_500)
        walk = SessionWalk()
        #expect(looks(table, &walk).filter { $0 == "0" }.count == 1)
    }

    @Test("Whoever stays is seen once, whatever others do between the steps", arguments: 1...10 as ClosedRange<UInt64>)
    func changes(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = SessionTable()
        let staying = Set((0..<3_000).map { "\($0 * 2)" })
        for number in 0..<6_000 { table[ExactText("\(number)")] = session(number) }
        var (walk, seen, steps) = (SessionWalk(), [String](), 0)
        while !walk.isOver {
            seen += looks(table, &walk)
            steps += 1
            for _ in 0..<400 {
                let number = Int.random(in: 0..<4_000, using: &random) * 2 + 1
                let key = ExactText("\(number)")
                table[key] = table[key] == nil || Bool.random(using: &random) ? session(number) : nil
            }
        }
        #expect(staying.isSubset(of: Set(seen)) && seen.filter(staying.contains).count == staying.count)
        #expect(steps <= 9)
        // Nothing is kept of those that are gone.
        for number in 0..<8_001 { table[ExactText("\(number)")] = nil }
        walk = SessionWalk()
        #expect(looks(table, &walk).isEmpty && walk.isOver && table.count == 0)
    }

    @Test func placesOfThoseThatHaveGoneAreGivenUp() {
        var table = SessionTable()
        for number in 0..<20_000 { table[ExactText("\(number)")] = session(number) }
        for number in 0..<19_990 { table[ExactText("\(number)")] = nil }
        var (walk, seen, steps) = (SessionWalk(), [String](), 0)
        while !walk.isOver {
            seen += looks(table, &walk)
            steps += 1
        }
        #expect(Set(seen) == Set((19_990..<20_000).map { "\($0)" }) && seen.count == 10)
        #expect(steps <= 5)
        // Those that stayed leave from where they are now.
        for number in 19_990..<19_999 { table[ExactText("\(number)")] = nil }
        table[ExactText("new")] = session(1)
        walk = SessionWalk()
        seen = []
        while !walk.isOver { seen += looks(table, &walk) }
        #expect(seen.sorted() == ["1", "19999"])
    }
}
