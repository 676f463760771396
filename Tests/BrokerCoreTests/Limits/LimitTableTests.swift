import BrokerCore
import Testing

/// Every limit at its value, one below and one above.
@Suite struct LimitTableTests {
    @Test("One below the limit is served", arguments: LimitRow.all)
    func below(row: LimitRow) throws {
        #expect(try row.use(row.trial(amount: row.limit - 1)) == "")
    }

    @Test("The limit itself is served, unless it is a time that is over or a room that is full", arguments: LimitRow.all)
    func exactly(row: LimitRow) throws {
        #expect(try row.use(row.trial(amount: row.limit)) == (row.servesLimit ? "" : row.beyond))
    }

    @Test("One above the limit meets what its row says, and is counted", arguments: LimitRow.all)
    func above(row: LimitRow) throws {
        #expect(try row.use(row.trial(amount: row.limit + 1)) == row.beyond)
    }

    @Test("The table has a row for every limit, once")
    func isComplete() {
        #expect(LimitRow.all.map(\.name).sorted() == BrokerLimits.names.map(\.name).sorted())
    }

    @Test("Every name sets a limit of its own")
    func namesAreDistinct() {
        var values: Set<Int> = []
        for (offset, entry) in BrokerLimits.names.enumerated() {
            var limits = BrokerLimits()
            limits[keyPath: entry.path] = 1_000_000_007 + offset
            for other in BrokerLimits.names where other.name != entry.name {
                #expect(limits[keyPath: other.path] == BrokerLimits()[keyPath: other.path], "\(entry.name) and \(other.name)")
            }
            values.insert(limits[keyPath: entry.path])
        }
        #expect(values.count == BrokerLimits.names.count)
    }
}
