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
    /// When it was accepted, for how long deliveries take.
    package var acceptedAt = AcceptTime.unknown
    /// What only MQTT 5 has; `nil` when there is nothing of it.
    package var properties: MessageProperties?

    package init(
        topic: ByteBuffer, payload: ByteBuffer, qos: QoS, retain: Bool = false, hops: UInt8 = 0, properties: MessageProperties? = nil
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.hops = hops
        self.properties = properties
    }

    package init(topic: String, payload: some Sequence<UInt8>, qos: QoS, retain: Bool = false, hops: UInt8 = 0) {
        self.init(topic: ByteBuffer(string: topic), payload: ByteBuffer(bytes: payload), qos: qos, retain: retain, hops: hops)
    }

    /// Nothing, where a message was and is not needed any more.
    static let none = Message(topic: ByteBuffer(), payload: ByteBuffer(), qos: .atMostOnce)

    /// The topic name as text, for logs, rules and people; the hot path never asks for it.
    package var topicName: String { String(buffer: topic) }

    /// Bytes that the message takes wherever it waits.
    package var size: Int { topic.readableBytes + payload.readableBytes + (properties?.forwarded?.readableBytes ?? 0) }

    func isExpired(at now: Instant) -> Bool { properties?.expiresAt.map { $0 <= now } ?? false }
}

/// What a message of MQTT 5 carries beside topic and payload.
///
/// One object however many sessions the message waits in, and none for a message that has no properties.
package final class MessageProperties: Sendable {
    /// The properties that subscribers get as the publisher wrote them and in that order: payload format indicator, content type, response
    /// topic, correlation data, user properties.
    package let forwarded: ByteBuffer?
    /// When the message is no longer worth delivering [MQTT5-3.3.2-5].
    package let expiresAt: Instant?
    /// Crema's own step in the trace that the message belongs to; its `traceparent` is among those that are `forwarded`.
    package let trace: TraceContext?

    package init(forwarded: ByteBuffer?, expiresAt: Instant?, trace: TraceContext? = nil) {
        self.forwarded = forwarded
        self.expiresAt = expiresAt
        self.trace = trace
    }

    /// `nil` when both are missing.
    package convenience init?(forwarded: ByteBuffer?, expiryInterval: UInt32?, now: Instant) {
        if forwarded == nil && expiryInterval == nil { return nil }
        self.init(forwarded: forwarded, expiresAt: expiryInterval.map { now.advanced(bySeconds: Double($0)) })
    }

    /// The message expiry interval that a subscriber is told: what was received less the time that the message has waited
    /// [MQTT5-3.3.2-6].
    func secondsLeft(at now: Instant) -> UInt32? {
        guard let expiresAt else { return nil }
        let left = max(0, expiresAt.nanoseconds.subtractingReportingOverflow(now.nanoseconds).partialValue)
        return UInt32(clamping: left / 1_000_000_000 + (left % 1_000_000_000 == 0 ? 0 : 1))
    }

    /// The same in storage of its own, for whoever keeps it: a slice would keep the publisher's whole read alive.
    func stored() -> MessageProperties {
        MessageProperties(forwarded: forwarded.map { ByteBuffer(bytes: $0.readableBytesView) }, expiresAt: expiresAt, trace: trace)
    }
}
