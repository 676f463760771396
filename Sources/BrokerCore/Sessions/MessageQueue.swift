import DequeModule
import MQTTCodec
import NIOCore

/// Messages that wait for room in a session's window, or for its client to come back, oldest first.
///
/// Bounded in number and bytes.
package struct MessageQueue {
    private var waiting = Deque<Delivery>()
    private(set) var bytes = 0
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
        forget(first)
        return first
    }

    /// Takes out what `shouldLeave` picks, in order.
    mutating func remove(where shouldLeave: (Delivery) -> Bool) -> [Delivery] {
        guard waiting.contains(where: shouldLeave) else { return [] }
        var left: [Delivery] = []
        var rest = Deque<Delivery>()
        for delivery in waiting {
            if shouldLeave(delivery) {
                left.append(delivery)
                forget(delivery)
            } else {
                rest.append(delivery)
            }
        }
        waiting = rest
        return left
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
