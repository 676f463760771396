import DequeModule
import MQTTCodec
import NIOCore

/// Messages that wait for room in a session's window, or for its client to come back, oldest first.
///
/// Bounded in number and bytes.
package struct MessageQueue {
    struct Waiting {
        var message: Message
        var qos: QoS
    }

    private var waiting = Deque<Waiting>()
    private(set) var bytes = 0

    package init() {}

    var count: Int { waiting.count }
    var isEmpty: Bool { waiting.isEmpty }

    /// Answers false, and keeps nothing, when a limit is reached.
    mutating func append(_ message: Message, qos: QoS, limits: BrokerLimits) -> Bool {
        let size = Self.size(of: message)
        guard waiting.count < limits.queueMessagesMax, bytes + size <= limits.queueBytesMax else { return false }
        waiting.append(Waiting(message: message, qos: qos))
        bytes += size
        return true
    }

    mutating func popFirst() -> Waiting? {
        guard let first = waiting.popFirst() else { return nil }  // every topic is ordered [MQTT-4.6.0-5]
        bytes -= Self.size(of: first.message)
        return first
    }

    private static func size(of message: Message) -> Int {
        message.topic.readableBytes + message.payload.readableBytes
    }
}
