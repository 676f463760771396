import Foundation
import Testing

@testable import EventBus

@Suite struct WallClockTests {
    @Test(
        "Timestamps are ISO 8601 in UTC, to the second",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_782_400_000, "2000-02-29T00:00:00Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59Z"), (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (1_767_323_045_500, "2026-01-02T03:04:05Z"), (-62_135_596_800_000, "0001-01-01T00:00:00Z"),
        ] as [(Int64, String)]
    )
    func timestamps(milliseconds: Int64, expected: String) {
        #expect(timestamp(milliseconds: milliseconds) == expected)
    }

    @Test func anyTimeOfTheWireHasAText() {
        #expect(timestamp(milliseconds: .max).hasSuffix("Z"))
        #expect(timestamp(milliseconds: .min).hasSuffix("Z"))
    }

    @Test func theSystemsIdentifiersAreRandomUUIDs() throws {
        let ids = (0..<100).map { _ in EventSource.system.makeID() }
        #expect(Set(ids).count == 100)
        for id in ids {
            #expect(UUID(uuidString: id) != nil)
            #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        }
    }

    @Test func theSystemsClockIsTheWallClock() {
        let difference = Double(EventSource.system.nowMilliseconds()) / 1_000 - Date().timeIntervalSince1970
        #expect(abs(difference) < 60)
    }
}

@Suite struct DeadLetterQueueTests {
    private func letter(_ name: String, bytes: Int) -> DeadLetter {
        DeadLetter(
            timeMilliseconds: 0, rule: name, bus: nil, target: "", errorCode: "", errorMessage: "",
            event: Array(repeating: 0x20, count: bytes))
    }

    /// Against the obvious, slow way to do it.
    @Test func itKeepsTheNewestWithinBothLimits() {
        var generator = SystemRandomNumberGenerator()
        var queue = DeadLetterQueue(countMax: 7, bytesMax: 100)
        var model: [DeadLetter] = []
        for step in 0..<2_000 {
            let new = letter("\(step)", bytes: Int.random(in: 0...120, using: &generator))
            var dropped = 0
            if new.event.count > 100 {
                dropped = 1
            } else {
                model.append(new)
                while model.count > 7 || model.reduce(0, { $0 + $1.event.count }) > 100 {
                    model.removeFirst()
                    dropped += 1
                }
            }
            #expect(queue.append(new).dropped == dropped)
            #expect(queue.newest(limit: 100).map(\.letter.rule) == model.reversed().map(\.rule))
            #expect(queue.newest(limit: 2).map(\.letter.rule) == model.suffix(2).reversed().map(\.rule))
        }
    }

    @Test("A letter is taken once, and goes back to where it was")
    func takenAndPutBack() throws {
        var queue = DeadLetterQueue(countMax: 3, bytesMax: 100)
        for name in ["a", "b", "c", "d"] { _ = queue.append(letter(name, bytes: 20)) }
        let numbers = queue.newest(limit: 10).map(\.number)
        #expect(numbers == [4, 3, 2])
        let found = queue.take(3)
        let again = [queue.take(3), queue.take(1)]
        let taken = try #require(found)
        #expect(taken.rule == "c" && again == [nil, nil])
        let back = queue.restore(taken, number: 3)
        #expect(back.removed.isEmpty)
        #expect(queue.newest(limit: 10).map(\.letter.rule) == ["d", "c", "b"])
        // What was taken has made room for one more, and for its bytes.
        _ = queue.take(4)
        let kept = queue.append(letter("e", bytes: 60))
        let full = queue.append(letter("f", bytes: 1))
        #expect(kept.removed.isEmpty && full.removed == [2])
    }

    @Test func aLimitOfZeroKeepsNothing() {
        var queue = DeadLetterQueue(countMax: 0, bytesMax: 100)
        #expect(queue.append(letter("a", bytes: 1)).dropped == 1)
        #expect(queue.newest(limit: 10).isEmpty)
        #expect(queue.newest(limit: -1).isEmpty)
    }
}

@Suite struct EngineTextTests {
    @Test func oneLineIsAdmittedInAnInterval() {
        let interval = LogInterval(seconds: 1)
        #expect(interval.admit("a", at: 0) == 0)
        #expect(interval.admit("a", at: 999) == nil)
        #expect(interval.admit("b", at: 999) == 0)
        #expect(interval.admit("a", at: 1_000) == 1)
        #expect(interval.admit("a", at: 1_001) == nil)
        #expect(interval.admit("a", at: 0) == 1)
    }

    @Test("Names that come and go leave nothing behind") func subjectsAreBounded() {
        let interval = LogInterval(seconds: 1)
        for number in 0..<10_000 { #expect(interval.admit("queue \(number)", at: Int64(number)) == 0) }
        #expect(interval.subjects <= LogInterval.subjectsMax)
        // What is young is remembered.
        #expect(interval.admit("queue 9999", at: 10_000) == nil)
        for number in 0..<10_000 { #expect(interval.admit("bus \(number)", at: 20_000) == 0) }
        #expect(interval.subjects <= LogInterval.subjectsMax)
    }
}
