import DequeModule
import MQTTCodec
import NIOCore

/// Messages that wait for room in a session's window, or for its client to come back, oldest first.
///
/// Bounded in number and bytes.
package struct MessageQueue {
    private var waiting = Deque<Delivery>()
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

    var count: Int { waiting.count }
    var isEmpty: Bool { waiting.isEmpty }
    /// Of every waiting message.
    var topics: some Sequence<ByteBuffer> { waiting.lazy.map(\.message.topic) }

    /// There will be so many messages.
    mutating func reserve(_ count: Int) { waiting.reserveCapacity(count) }

    /// Adds a message; limits are for the shard to keep.
    mutating func append(_ delivery: Delivery) {
        waiting.append(delivery)
        bytes += delivery.message.size
        if delivery.message.properties?.expiresAt != nil { expiring += 1 }
    }

    mutating func popFirst() -> Delivery? {
        guard let first = waiting.popFirst() else { return nil }  // every topic is ordered [MQTT-4.6.0-5] [MQTT5-4.6.0-5] [MQTT5-4.6.0-6]
        left += 1
        forget(first)
        return first
    }

    /// Takes out what `shouldLeave` picks, in order.
    mutating func remove(where shouldLeave: (Delivery) -> Bool) -> [Delivery] {
        passes += 1
        guard waiting.contains(where: shouldLeave) else { return [] }
        var removed: [Delivery] = []
        var rest = Deque<Delivery>()
        let place = mark
        for (position, delivery) in waiting.enumerated() {
            if shouldLeave(delivery) {
                if left + UInt64(position) < place { mark -= 1 }
                removed.append(delivery)
                forget(delivery)
            } else {
                rest.append(delivery)
            }
        }
        waiting = rest
        return removed
    }

    /// What waits now is before the mark, what comes from now on behind it.
    mutating func setMark() { mark = left + UInt64(waiting.count) }

    /// Whether everything before the mark has left, one way or another.
    var isMarkReached: Bool { left >= mark || waiting.isEmpty }

    /// When the first of the waiting messages expires.
    var firstExpiry: Instant? {
        if expiring == 0 { return nil }
        return waiting.lazy.compactMap { $0.message.properties?.expiresAt }.min()
    }

    private mutating func forget(_ delivery: Delivery) {
        bytes -= delivery.message.size
        if delivery.message.properties?.expiresAt != nil { expiring -= 1 }
    }
}
