import BrokerCore
import BrokerStore
import MQTTCodec
import NIOCore
import Synchronization
import Testing

/// Whichever write fails: nothing is said to be on disk that is not, and in the end everything is.
@Suite struct FaultTests {
    private struct DiskFault: Error {}

    /// Fails once, at the write with this number.
    private final class Fault: Sendable {
        private let left: Atomic<Int>
        init(at number: Int) { left = Atomic(number) }
        func step() throws { if left.wrappingSubtract(1, ordering: .relaxed).newValue == 0 { throw DiskFault() } }
    }

    private static let batches: [ChangeBatch] = {
        let long = Message(topic: "a", payload: Array(repeating: 7, count: 2_000), qos: .exactlyOnce)
        return [
            ChangeBatch(1, changes: [.putSession(SessionRecord(1, "one")), .putSession(SessionRecord(2, "two"))]),
            ChangeBatch(
                2, bodies: [long],
                changes: [
                    .enqueue(DeliveryRecord(1, 1, qos: .exactlyOnce, sequence: 1)), .enqueue(DeliveryRecord(2, 1)),
                    .enqueue(DeliveryRecord(1, 2)),
                ]),
            ChangeBatch(
                3,
                changes: [
                    .released(session: 1, place: 1), .remove(session: 2, place: 1),
                    .received(ReceivedRecord(session: 2, packetID: 5, cell: ShardID(0), expected: ShardSet())),
                ]),
        ]
    }()

    @Test("Nobody else gets the directory while the disk makes trouble, and everybody after the end")
    func lockedInTrouble() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let told = Told()
        store.start(fault: { throw DiskFault() }, tell: { _, progress in told.append(progress) })
        store.append(Self.batches[0])
        told.wait(for: .failing)
        for _ in 0..<20 { #expect(throws: StoreError.self) { _ = try fixture.open() } }
        // What is tried again and again waits, too.
        #expect(store.statistics.waitingChanges >= Self.batches[0].changes.count)
        store.close()
        _ = try fixture.open()
    }

    @Test("The write that fails", arguments: 1...12)
    func everyWriteMayFailOnce(number: Int) throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let told = Told()
        let fault = Fault(at: number)
        store.start(fault: { try fault.step() }, tell: { _, progress in told.append(progress) })
        for batch in Self.batches { store.append(batch) }
        told.wait(for: .committed(upTo: 3))
        store.close()
        if let failing = told.all.firstIndex(of: .failing) {
            let recovered = try #require(told.all.firstIndex(of: .recovered))
            #expect(failing < recovered && store.statistics.errors == 1)
        }
        let committed = told.all.compactMap { if case .committed(let number) = $0 { number } else { nil } }
        #expect(committed == committed.sorted() && committed.last == 3)
        let found = try fixture.read()
        #expect(found.map(\.record.clientID) == ["one", "two"])
        #expect(found[0].deliveries.map(\.place) == [1, 2] && found[0].deliveries[0].isReleased)
        #expect(found[0].deliveries[1].message.payload.readableBytes == 2_000)
        #expect(found[1].deliveries.isEmpty && found[1].received.count == 1)
    }

    @Test func retainedMessagesThatCouldNotBeWrittenAreWrittenLater() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let told = Told()
        let fault = Fault(at: 1)
        store.start(fault: { try fault.step() }, tell: { _, progress in told.append(progress) })
        #expect(fixture.retained.update(Message(topic: "t", payload: [1], qos: .atLeastOnce, retain: true)))
        var batch = ChangeBatch(changes: [])
        batch.changesRetained = true
        store.append(batch)
        told.wait(for: .committed(upTo: 1))
        store.close()
        #expect(told.all.first == .failing)
        let again = RetainedStore(isKept: true)
        _ = try fixture.open(retained: again)
        #expect(again.count == 1)
    }
}
