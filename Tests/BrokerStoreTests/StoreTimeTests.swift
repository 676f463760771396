import BrokerCore
import BrokerStore
import Foundation
import Logging
import MQTTCodec
import NIOCore
import Synchronization
import Testing

/// A clock that is set, while the broker runs or while it does not, makes nothing immortal and kills nothing.
@Suite struct StoreTimeTests {
    private final class TimeOfDay: Sendable {
        private let milliseconds: Atomic<Int64>
        init(_ start: Int64) { milliseconds = Atomic(start) }
        var now: Int64 { milliseconds.load(ordering: .relaxed) }
        func pass(seconds: Int64) { milliseconds.wrappingAdd(seconds * 1_000, ordering: .relaxed) }
    }

    private static let year: Int64 = 31_536_000
    private let fixture = StoreFixture()
    private let time = TimeOfDay(1_790_000_000_000)

    private func open() throws -> DurableStore {
        let time = time
        return try DurableStore(
            directory: fixture.directory, durability: .strict, retained: RetainedStore(isKept: true), log: Logger(label: "test"),
            timeOfDay: { time.now })
    }

    private var now: Instant { Instant(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds)) }

    /// A session that is alone since now, with a message that expires in a minute.
    private func write(to store: DurableStore, _ epoch: UInt64 = 1) {
        var record = SessionRecord(epoch, "c\(epoch)")
        record.disconnectedAt = now
        var message = Message(topic: "a", payload: [1], qos: .atLeastOnce)
        message.properties = MessageProperties(forwarded: nil, expiresAt: now.advanced(bySeconds: 60))
        store.append(
            ChangeBatch(epoch, bodies: [message], changes: [.putSession(record), .enqueue(DeliveryRecord(epoch, 1))]))
    }

    /// How long the sessions were alone, and how long their messages last.
    private func read() throws -> [(alone: Int, left: Int)] {
        let store = try open()
        let sessions = store.takeSessions()
        store.start { _, _ in }
        store.close()
        return try sessions.map { session in
            let since = try #require(session.record.disconnectedAt)
            let expiry = try #require(session.deliveries.first?.message.properties?.expiresAt)
            return (seconds(from: since, to: now), seconds(from: now, to: expiry))
        }
    }

    private func seconds(from earlier: Instant, to later: Instant) -> Int {
        Int((Double(later.nanoseconds - earlier.nanoseconds) / 1_000_000_000).rounded())
    }

    private func begin() throws {
        let store = try open()
        store.start { _, _ in }
        write(to: store)
        store.close()
    }

    @Test func timeThatPassesBetweenTwoProcessesCounts() throws {
        try begin()
        time.pass(seconds: 20)
        let found = try #require(try read().first)
        #expect((19...22).contains(found.alone) && (37...41).contains(found.left))
    }

    @Test func aClockThatIsSetBackMeanwhileStopsTimeAndNoMore() throws {
        try begin()
        time.pass(seconds: -Self.year)
        let found = try #require(try read().first)
        #expect((0...2).contains(found.alone) && (57...60).contains(found.left))
        time.pass(seconds: 20)
        let later = try #require(try read().first)
        #expect((19...23).contains(later.alone) && (36...41).contains(later.left))
    }

    @Test("A clock that is set while the broker runs changes nothing of what it keeps", arguments: [year * 50, -year * 20])
    func aStep(seconds: Int64) throws {
        let store = try open()
        store.start { _, _ in }
        write(to: store, 1)
        time.pass(seconds: seconds)
        write(to: store, 2)
        store.close()
        time.pass(seconds: 20)
        let found = try read()
        #expect(found.count == 2)
        for session in found { #expect((19...23).contains(session.alone) && (36...41).contains(session.left)) }
    }

    @Test func whatLastedAYearIsOver() throws {
        try begin()
        time.pass(seconds: Self.year)
        let found = try #require(try read().first)
        #expect(found.alone >= Int(Self.year) && found.left < 0)
    }
}
