import MQTTCodec
import NIOCore

/// A message on its way out, with what is made of it at most once however many receive it.
struct OutgoingMessage {
    let message: Message
    /// The PUBLISH as QoS 0 subscribers get it; the bytes of the publisher's own packet where those are the same.
    var frame: ByteBuffer?
    private var own: Message?

    init(_ message: Message) { self.message = message }

    mutating func frameAtQoS0() -> ByteBuffer {
        if let frame { return frame }
        var buffer = ByteBuffer()
        // Whatever flags the publisher set [MQTT-3.3.1-3] [MQTT-3.3.1-9] [MQTT-4.3.1-1].
        buffer.writePublish(
            topic: message.topic, payload: message.payload, qos: .atMostOnce, retain: false, duplicate: false, packetID: 0)
        frame = buffer
        return buffer
    }

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
        own = copy
        return copy
    }
}
