import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
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

    @Test(
        "A limit that a reload brings holds as one of the start does",
        arguments: LimitRow.all.filter { !BrokerLimits.keptUntilRestart.contains($0.name) })
    func reloaded(row: LimitRow) throws {
        #expect(try row.use(row.trial(amount: row.limit - 1, isReloaded: true)) == "")
        #expect(try row.use(row.trial(amount: row.limit + 1, isReloaded: true)) == row.beyond)
    }

    @Test("A reload changes what it names, and leaves what was laid out at the start")
    func reloadNames() {
        var next = BrokerLimits()
        for (_, path) in BrokerLimits.names { next[keyPath: path] = 77 }
        let (limits, changed) = BrokerLimits().reloaded(as: next)
        let kept = BrokerLimits.keptUntilRestart
        #expect(changed == BrokerLimits.names.map(\.name).filter { !kept.contains($0) }.sorted())
        for (name, path) in BrokerLimits.names {
            #expect(limits[keyPath: path] == (kept.contains(name) ? BrokerLimits()[keyPath: path] : 77), "\(name)")
        }
        #expect(limits.reloaded(as: limits).changed.isEmpty)
    }

    @Test("What a client was told holds until its connection ends, and what was kept stays")
    func reloadedUnderAClient() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        for topic in ["one", "two"] { client.send(message(topic, "x", retain: true)) }
        broker.settle()
        var limits = BrokerLimits()
        (limits.packetBytesMax, limits.retainedMessagesMax, limits.sessionsMax) = (100, 1, 1)
        broker.take(limits)
        broker.publish(packetBytes: 150, from: client)
        #expect(client.isConnected && broker.refusals == "")
        #expect(broker.retained.count == 2)
        _ = try SimulatedClient("b", of: broker).connect()
        #expect(broker.refusals == "refused: quotaExceeded", "there are as many sessions as there may be now")
        client.lose()
        broker.settle()
        broker.publish(packetBytes: 150, from: try broker.client("b"))
        #expect(broker.refusals.contains("closed: malformed_packet"))
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
