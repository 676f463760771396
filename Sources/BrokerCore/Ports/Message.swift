package import MQTTCodec
package import NIOCore

/// An application message on its way through the broker, from whoever published it to whoever is subscribed.
///
/// Topic and payload are slices of the buffer in which they arrived: copying a `Message` copies no bytes.
package struct Message: Sendable {
    /// The topic name: checked UTF-8, without wildcards.
    package var topic: ByteBuffer
    package var payload: ByteBuffer
    package var qos: QoS
    /// Whether the publisher asked for the message to be kept for later subscribers.
    package var retain: Bool
    /// How many rules this message has already passed through; bounded by `ruleHopsMax`.
    package var hops: UInt8

    package init(topic: ByteBuffer, payload: ByteBuffer, qos: QoS, retain: Bool = false, hops: UInt8 = 0) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.hops = hops
    }

    package init(topic: String, payload: some Sequence<UInt8>, qos: QoS, retain: Bool = false, hops: UInt8 = 0) {
        self.init(topic: ByteBuffer(string: topic), payload: ByteBuffer(bytes: payload), qos: qos, retain: retain, hops: hops)
    }

    /// The topic name as text, for logs, rules and people; the hot path never asks for it.
    package var topicName: String { String(buffer: topic) }
}
