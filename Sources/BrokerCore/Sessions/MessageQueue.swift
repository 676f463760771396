import DequeModule
import MQTTCodec
import NIOCore

/// Messages that wait for room in a session's window, or for its client to come back, oldest first.
///
/// Bounded in number and bytes.
package struct MessageQueue {
    private var waiting = Deque<Delivery>()
    /// Retained messages that have their places between those that wait.
    private var owed = Deque<OwedRetained>()
    /// Of the messages that wait, and of the retained ones that are kept for their places.
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
        // Retained messages wait for those before them that stay.
        var nextOwed = 0
        for (position, delivery) in waiting.enumerated() {
            while nextOwed < owed.count, owed[nextOwed].isBehind <= left + UInt64(position) {
                owed[nextOwed].isBehind -= UInt64(removed.count)
                nextOwed += 1
            }
            if shouldLeave(delivery) {
                removed.append(delivery)
                forget(delivery)
            } else {
                rest.append(delivery)
            }
        }
        while nextOwed < owed.count {
            owed[nextOwed].isBehind -= UInt64(removed.count)
            nextOwed += 1
        }
        waiting = rest
        return removed
    }

    /// Gives a retained message its place behind all that waits now.
    mutating func append(_ retained: OwedRetained) {
        var retained = retained
        retained.isBehind = left + UInt64(waiting.count)
        owed.append(retained)
        bytes += retained.kept?.size ?? 0
    }

    /// The retained message whose place it is: what waited when it came has left.
    mutating func popOwed() -> OwedRetained? {
        guard let first = owed.first, waiting.isEmpty || left >= first.isBehind else { return nil }
        owed.removeFirst()
        bytes -= first.kept?.size ?? 0
        return first
    }

    mutating func removeOwed(where shouldLeave: (OwedRetained) -> Bool) {
        owed.removeAll { retained in
            guard shouldLeave(retained) else { return false }
            bytes -= retained.kept?.size ?? 0
            return true
        }
    }

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
