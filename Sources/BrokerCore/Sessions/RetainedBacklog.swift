import DequeModule
import MQTTCodec
import NIOCore

/// A topic whose retained message is still to be sent for new subscriptions.
struct OwedRetained {
    let topic: ByteBuffer
    /// What each of the filters that asked for it was granted last.
    var wanted: [(filter: ExactText, options: SubscriptionOptions)]
    /// Messages on its topic wait in the queue, and have to go first.
    fileprivate(set) var isOvertaken = false
    /// The message as it was when it got its place in the queue; otherwise it is looked up when it is sent.
    var kept: Message?
    /// How many messages have to have left the queue before it is its turn.
    var isBehind: UInt64 = 0

    init(topic: ByteBuffer, wanted: [(filter: ExactText, options: SubscriptionOptions)]) {
        self.topic = topic
        self.wanted = wanted
    }

    /// The highest of them [MQTT-3.3.5-1].
    var qos: QoS { wanted.map(\.options.qos).max() ?? .atMostOnce }
    var identifiers: [UInt32]? {
        let identifiers = wanted.map(\.options.identifier).filter { $0 != 0 }
        return identifiers.isEmpty ? nil : identifiers
    }
}

/// What a session is owed of retained messages and has no place in its queue: each topic once, and sent before what waits there.
struct RetainedBacklog {
    /// Oldest first; also topics that are owed no more.
    private var order = Deque<ByteBuffer>()
    private var owed: [ByteBuffer: OwedRetained] = [:]
    /// Those to which messages on their topics have come.
    private var overtaken: [ByteBuffer] = []

    var isEmpty: Bool { owed.isEmpty }

    /// Adds a topic that is not there.
    mutating func append(_ new: OwedRetained) {
        order.append(new.topic)
        owed[new.topic] = new
    }

    mutating func popFirst() -> OwedRetained? {
        while let topic = order.popFirst() {
            if let first = owed.removeValue(forKey: topic) { return first }
        }
        return nil
    }

    /// A message on this topic waits in the queue.
    mutating func overtake(_ topic: ByteBuffer) {
        guard owed[topic]?.isOvertaken == false else { return }
        owed[topic]?.isOvertaken = true
        overtaken.append(topic)
    }

    /// One that has to wait for messages in the queue.
    mutating func popOvertaken() -> OwedRetained? {
        while let topic = overtaken.popLast() {
            if owed[topic]?.isOvertaken == true { return owed.removeValue(forKey: topic) }
        }
        return nil
    }

    mutating func removeAll(where shouldLeave: (OwedRetained) -> Bool) {
        owed = owed.filter { !shouldLeave($0.value) }
        order.removeAll { owed[$0] == nil }
        overtaken.removeAll { owed[$0] == nil }
    }
}
