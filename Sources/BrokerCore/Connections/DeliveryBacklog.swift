import DequeModule

/// QoS 0 messages that wait for a transport that takes nothing now, oldest first.
///
/// Not encoded: one that expires meanwhile is not sent, and the others tell what is left of their time [MQTT5-3.3.2-5]
/// [MQTT5-3.3.2-6]. Each is in storage of its own, shared by all clients for which it waits.
struct DeliveryBacklog {
    private var waiting = Deque<Delivery>()
    private(set) var bytes = 0

    var count: Int { waiting.count }
    var isEmpty: Bool { waiting.isEmpty }

    mutating func append(_ delivery: Delivery) {
        waiting.append(delivery)
        bytes += delivery.message.size
    }

    mutating func popFirst() -> Delivery? {
        guard let first = waiting.popFirst() else { return nil }
        bytes -= first.message.size
        return first
    }
}
