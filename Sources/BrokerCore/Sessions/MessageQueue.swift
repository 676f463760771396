import DequeModule
import MQTTCodec
import NIOCore

/// Messages that wait for room in a session's window, or for its client to come back, oldest first.
///
/// Bounded in number and bytes. Messages that came as a run wait as one (record 0033), and leave together or one by one.
package struct MessageQueue {
    private enum Waiting {
        case message(Delivery)
        /// From the message with this place in the run on.
        indirect case run(PublishRun, from: Int)
    }

    private var waiting = Deque<Waiting>()
    private var runs = 0
    /// Messages of the run at the front that have left.
    private var taken = 0
    package private(set) var count = 0
    /// How many messages have to have left before something else gets its turn.
    private var mark: UInt64 = 0
    private(set) var bytes = 0
    /// Messages that left from its front, since it was made.
    private var left: UInt64 = 0
    /// How often all of it was looked through, which costs by the number of what waits.
    private(set) var passes = 0
    /// Messages that will expire.
    private(set) var expiring = 0

    package init() {}

    var isEmpty: Bool { count == 0 }
    /// Of every waiting message.
    var topics: some Sequence<ByteBuffer> {
        waiting.lazy.map { entry in
            switch entry {
            case .message(let delivery): delivery.message.topic
            case .run(let run, _): run.topic
            }
        }
    }

    /// There will be so many messages.
    mutating func reserve(_ count: Int) { waiting.reserveCapacity(count) }

    /// Adds a message; limits are for the shard to keep.
    mutating func append(_ delivery: Delivery) {
        waiting.append(.message(delivery))
        count += 1
        bytes += delivery.message.size
        if delivery.message.properties?.expiresAt != nil { expiring += 1 }
    }

    /// Adds the messages of a run at QoS 1 or 2 from one place on.
    mutating func append(_ run: PublishRun, from first: Int) {
        guard first < run.messages - 1 else {
            guard first < run.messages else { return }
            let last = run.message(first)
            return append(Delivery(message: first == 0 ? last : last.stored(), qos: run.qos))
        }
        waiting.append(.run(run, from: first))
        runs += 1
        count += run.messages - first
        bytes += run.size(of: first..<run.messages)
    }

    mutating func popFirst() -> Delivery? {
        if let (run, first) = frontRun {
            takeFromFrontRun(1)
            return Delivery(message: run.message(first), qos: run.qos)
        }
        // Every topic is ordered [MQTT-4.6.0-5] [MQTT5-4.6.0-5] [MQTT5-4.6.0-6].
        guard case .message(let first) = waiting.popFirst() else { return nil }
        left += 1
        forget(first)
        return first
    }

    /// The run whose messages leave next, and the place of the first that is left of it; `nil` when a message by itself leaves next.
    var frontRun: (run: PublishRun, first: Int)? {
        guard runs > 0, case .run(let run, let first) = waiting.first else { return nil }
        return (run, first + taken)
    }

    /// The first messages that are left of the run at the front leave.
    mutating func takeFromFrontRun(_ number: Int) {
        guard let (run, first) = frontRun else { return }
        left += UInt64(number)
        count -= number
        bytes -= run.size(of: first..<first + number)
        taken += number
        let rest = run.messages - first - number
        if rest > 1 { return }
        waiting.removeFirst()
        runs -= 1
        taken = 0
        // In storage of its own: it would keep all of the run.
        if rest == 1 { waiting.prepend(.message(Delivery(message: run.message(first + number).stored(), qos: run.qos))) }
    }

    /// Takes out, in order, what `shouldLeave` picks of the messages that wait by themselves.
    ///
    /// Messages of a run are not looked at: they have neither a shared subscription nor an expiry, which is what others are taken out for.
    mutating func remove(where shouldLeave: (Delivery) -> Bool) -> [Delivery] {
        passes += 1
        let isPicked = { (entry: Waiting) in
            if case .message(let delivery) = entry { shouldLeave(delivery) } else { false }
        }
        guard waiting.contains(where: isPicked) else { return [] }
        var removed: [Delivery] = []
        var rest = Deque<Waiting>()
        var position = left
        let place = mark
        for (number, entry) in waiting.enumerated() {
            switch entry {
            case .message(let delivery) where shouldLeave(delivery):
                if position < place { mark -= 1 }
                removed.append(delivery)
                forget(delivery)
                position += 1
                continue
            case .message: position += 1
            case .run(let run, let first): position += UInt64(run.messages - first - (number == 0 ? taken : 0))
            }
            rest.append(entry)
        }
        waiting = rest
        return removed
    }

    /// What waits now is before the mark, what comes from now on behind it.
    mutating func setMark() { mark = left + UInt64(count) }

    /// Whether everything before the mark has left, one way or another.
    var isMarkReached: Bool { left >= mark || isEmpty }

    /// When the first of the waiting messages expires.
    var firstExpiry: Instant? {
        if expiring == 0 { return nil }
        return waiting.lazy.compactMap { entry in
            if case .message(let delivery) = entry { delivery.message.properties?.expiresAt } else { nil }
        }.min()
    }

    private mutating func forget(_ delivery: Delivery) {
        count -= 1
        bytes -= delivery.message.size
        if delivery.message.properties?.expiresAt != nil { expiring -= 1 }
    }
}
