import MQTTCodec
import NIOCore

/// Somebody who sees messages pass, and how many of them.
///
/// Costs a message that nobody wants to see one comparison, and one that is left out two; only what is shown is copied.
final class Tap {
    /// Messages that are shown of one turn: of more, nobody reads each.
    static let messagesPerTurn = 64

    let id: UInt64
    let filter: String
    private let every: Int
    private var untilNext = 0
    private var turn = Instant(nanoseconds: .min)
    private var left = 0
    /// Messages that had no room in their turn since the last one that is shown.
    private(set) var skipped: UInt64 = 0

    init(id: UInt64, filter: String, every: Int) {
        (self.id, self.filter, self.every) = (id, filter, max(1, every))
    }

    /// Whether the message at hand is shown.
    func takesNext(at now: Instant) -> Bool { next(among: 1, at: now) != nil }

    /// Which of the next `count` messages is shown first; `nil` when none is.
    ///
    /// Those up to it are done with. One that the reader did not ask for, of every so many, is not skipped.
    func next(among count: Int, at now: Instant) -> Int? {
        guard untilNext < count else {
            untilNext -= count
            return nil
        }
        let place = untilNext
        if turn != now { (turn, left) = (now, Self.messagesPerTurn) }
        guard left > 0 else {
            skipped &+= UInt64(count - place)
            untilNext = 0
            return nil
        }
        left -= 1
        untilNext = every - 1
        return place
    }

    /// What was skipped before the message that is shown now.
    func takeSkipped() -> UInt64 {
        defer { skipped = 0 }
        return skipped
    }
}

/// The taps that match a route's topic, by the version of all taps that they were found in.
struct RouteTaps {
    var version: UInt64 = 0
    var taps: [Tap] = []
}

extension Shard {
    /// Shows a message to those who want to see it.
    ///
    /// The publisher's name is made only for what is shown.
    func tap(_ message: Message, along route: Route, _ publisher: () -> Publisher) {
        if route.taps.version != tapsVersion { findTaps(of: route) }
        for tap in route.taps.taps where tap.takesNext(at: now) {
            transport.tapped(tap.id, message: message, publisher: publisher(), skipped: tap.takeSkipped())
        }
    }

    func findTaps(of route: Route) {
        let name = String(buffer: route.topic)
        route.taps = RouteTaps(version: tapsVersion, taps: taps.filter { Topics.matches(name: name, filter: $0.filter) })
    }
}
