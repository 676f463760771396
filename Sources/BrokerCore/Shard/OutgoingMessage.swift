import MQTTCodec
import NIOCore

/// What a QoS 0 PUBLISH depends on beside its message.
struct FrameForm: Hashable {
    var hasProperties: Bool
    var retain: Bool

    init(version: ProtocolVersion, retain: Bool) {
        hasProperties = version.hasProperties
        self.retain = retain
    }

    static let count = 4

    /// Less than ``count``.
    var index: Int { (hasProperties ? 2 : 0) + (retain ? 1 : 0) }

    /// Some of the forms.
    struct Group {
        private var bits: UInt8 = 0

        /// Answers false when it was there.
        mutating func insert(_ form: FrameForm) -> Bool {
            let bit = UInt8(1) << UInt8(form.index)
            if bits & bit != 0 { return false }
            bits |= bit
            return true
        }
    }
}

/// A message on its way out, with what is made of it at most once however many receive it.
struct OutgoingMessage {
    let message: Message
    /// The session that published it, if it is one of this shard's.
    var publisher: Session?
    /// Of a message that is known to the store where it comes from.
    var origin: KeptOrigin?
    /// Its place among the bodies that a turn gives the store, once a session that is kept gets it.
    var body: SharedBody?
    private let now: Instant
    /// Whether more than one session gets it, so that it is worth to be shared.
    var isForMany = false
    /// The forms in which it is at the end of the shard's shared frames.
    var sharedForms = FrameForm.Group()
    /// The PUBLISH as QoS 0 subscribers get it, in the form that was asked for first: mostly there is no other.
    private var frame: ByteBuffer?
    private var form: FrameForm
    /// The other forms.
    private var otherFrames: [FrameForm: ByteBuffer]?
    private var own: Message?

    init(_ message: Message, now: Instant) {
        self.message = message
        self.now = now
        form = FrameForm(version: .v311, retain: false)
    }

    /// Gives the bytes of the publisher's own packet, where subscribers of its version get the same.
    mutating func take(frame: ByteBuffer, version: ProtocolVersion) {
        self.frame = frame
        form = FrameForm(version: version, retain: false)
    }

    /// `nil` when it would be longer than a packet can be.
    mutating func frameAtQoS0(_ wanted: FrameForm) -> ByteBuffer? {
        if let frame {
            if form == wanted { return frame }
            if let other = otherFrames?[wanted] { return other }
            guard let other = encoded(wanted) else { return nil }
            otherFrames = otherFrames ?? [:]
            otherFrames?[wanted] = other
            return other
        }
        guard let first = encoded(wanted) else { return nil }
        frame = first
        form = wanted
        return first
    }

    private func encoded(_ form: FrameForm) -> ByteBuffer? {
        guard message.hasPacket(qos: .atMostOnce, properties: form.hasProperties ? message.publishProperties(at: now) : nil) else {
            return nil
        }
        var buffer = ByteBuffer()
        // Whatever flags the publisher set [MQTT-3.3.1-3] [MQTT-3.3.1-9] [MQTT-4.3.1-1] [MQTT5-3.3.1-3] [MQTT5-4.3.1-1].
        if form.hasProperties {
            buffer.writePublish(
                topic: message.topic, payload: message.payload, qos: .atMostOnce, retain: form.retain, duplicate: false, packetID: 0,
                properties: message.publishProperties(at: now))
        } else {
            buffer.writePublish(
                topic: message.topic, payload: message.payload, qos: .atMostOnce, retain: form.retain, duplicate: false, packetID: 0)
        }
        return buffer
    }

    /// The message in storage of its own, for whoever keeps it: a slice would keep the publisher's whole read alive.
    mutating func stored() -> Message {
        if let own { return own }
        let copy = message.stored()
        own = copy
        return copy
    }
}

extension Message {
    /// The message in storage of its own.
    func stored() -> Message {
        var storage = ByteBuffer()
        storage.reserveCapacity(topic.readableBytes + payload.readableBytes)
        storage.writeImmutableBuffer(topic)
        storage.writeImmutableBuffer(payload)
        var copy = self
        copy.topic = storage.readSlice(length: topic.readableBytes) ?? topic
        copy.payload = storage
        copy.properties = properties?.stored()
        return copy
    }

    /// Bytes of a message whose PUBLISH is as short as the protocol asks, whatever is added to it.
    private static let bytesWithPacket = 134_217_728

    /// Whether the protocol has a packet that long: what one client sent may be longer in the form of another's version.
    func hasPacket(qos: QoS, properties: @autoclosure () -> PublishProperties?) -> Bool {
        size <= Self.bytesWithPacket || packetBytes(qos: qos, properties: properties()) <= BrokerLimits.packetBytesAlwaysMax
    }

    /// Bytes of its PUBLISH; `properties` are `nil` for MQTT 3.1.1.
    func packetBytes(qos: QoS, isTopicNamed: Bool = true, properties: PublishProperties?) -> Int {
        ByteBuffer.publishSize(
            topicBytes: isTopicNamed ? topic.readableBytes : 0, payloadBytes: payload.readableBytes, qos: qos, properties: properties)
    }

    /// What MQTT 5 subscribers get beside topic and payload, before what differs from one to the other.
    func publishProperties(at now: Instant) -> PublishProperties {
        guard let properties else { return PublishProperties() }
        return PublishProperties(forwarded: properties.forwarded, messageExpiryInterval: properties.secondsLeft(at: now))
    }
}
