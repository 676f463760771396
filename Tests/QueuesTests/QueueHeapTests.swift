import Testing

@testable import Queues

@Suite struct QueueHeapTests {
    @Test func aMessageThatIsReceivedAgainAndAgainHasOnePlace() throws {
        var queue = Queue(number: 1, settings: QueueSettings(), tags: [:], now: 0)
        let message = StoredMessage(
            id: "m", body: "b", attributes: [:], identity: MessageIdentity(), traceHeader: nil, sentMilliseconds: 0)
        for sequence in 1...3 { queue.insert(message, as: UInt64(sequence), availableAt: nil) }
        for turn in 1...1_000 {
            let now = Int64(turn)
            let found = queue.oldestVisible()
            let oldest = try #require(found)
            #expect(oldest == 1)
            _ = queue.receive(oldest, receipt: "r\(turn)", until: now, now: now)
            _ = queue.advance(to: now)
        }
        #expect(queue.visibleEntries == 3)
        #expect(queue.visibleCount == 3)
    }
}
