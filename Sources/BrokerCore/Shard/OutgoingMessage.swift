import MQTTCodec
import NIOCore

/// A message on its way out, with what is made of it at most once however many receive it.
struct OutgoingMessage {
    let message: Message
    /// The session that published it, if it is one of this shard's.
    var publisher: Session?
    private let now: Instant
    /// The PUBLISH as QoS 0 subscribers get it, by version and RETAIN.
    private var frames: [4 of ByteBuffer?] = [nil, nil, nil, nil]
    private var own: Message?

    init(_ message: Message, now: Instant) {
        self.message = message
        self.now = now
    }

    /// Gives the bytes of the publisher's own packet, where subscribers of its version get the same.
    mutating func take(frame: ByteBuffer, version: ProtocolVersion) { frames[Self.place(version, retain: false)] = frame }

    mutating func frameAtQoS0(_ version: ProtocolVersion, retain: Bool) -> ByteBuffer {
        let place = Self.place(version, retain: retain)
        if let frame = frames[place] { return frame }
        var buffer = ByteBuffer()
        // Whatever flags the publisher set [MQTT-3.3.1-3] [MQTT-3.3.1-9] [MQTT-4.3.1-1] [MQTT5-3.3.1-3] [MQTT5-4.3.1-1].
        switch version {
        case .v311:
            buffer.writePublish(
                topic: message.topic, payload: message.payload, qos: .atMostOnce, retain: retain, duplicate: false, packetID: 0)
        case .v5:
            buffer.writePublish(
                topic: message.topic, payload: message.payload, qos: .atMostOnce, retain: retain, duplicate: false, packetID: 0,
                properties: message.publishProperties(at: now))
        }
        frames[place] = buffer
        return buffer
    }

    private static func place(_ version: ProtocolVersion, retain: Bool) -> Int { (version == .v5 ? 2 : 0) + (retain ? 1 : 0) }

    /// The message in storage of its own, for whoever keeps it: a slice would keep the publisher's whole read alive.
    mutating func stored() -> Message {
        if let own { return own }
        var storage = ByteBuffer()
        storage.reserveCapacity(message.topic.readableBytes + message.payload.readableBytes)
        storage.writeImmutableBuffer(message.topic)
        storage.writeImmutableBuffer(message.payload)
        var copy = message
        copy.topic = storage.readSlice(length: message.topic.readableBytes) ?? message.topic
        copy.payload = storage
        copy.properties = message.properties?.stored()
        own = copy
        return copy
    }
}

extension Message {
    /// What MQTT 5 subscribers get beside topic and payload, before what differs from one to the other.
    func publishProperties(at now: Instant) -> PublishProperties {
        guard let properties else { return PublishProperties() }
        return PublishProperties(forwarded: properties.forwarded, messageExpiryInterval: properties.secondsLeft(at: now))
    }
}
