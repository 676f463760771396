import MQTTCodec
import NIOCore

/// `traceparent` among the properties of a message of MQTT 5.
enum TracedProperties {
    /// What the publisher said, if it said so once and as the standard has it; the properties without what is dropped or replaced.
    ///
    /// `nil` where nothing of it is there, which costs a walk over the properties.
    static func read(_ forwarded: ByteBuffer) -> (parent: TraceParent?, rest: Properties)? {
        let properties = Properties(forwarded: forwarded)
        let found = properties.userProperties.filter { $0.name == TraceContext.name }
        guard let first = found.first else { return nil }
        let parent = found.count == 1 ? TraceParent(first.value.utf8) : nil
        var rest = Properties()
        for property in properties.all {
            if case .textPair(let name, _) = property.value {
                // A state without a parent it belongs to means nothing.
                if name == TraceContext.name || (parent == nil && name == TraceContext.stateName) { continue }
            }
            rest.append(property)
        }
        return (parent, rest)
    }
}

extension Message {
    /// The step of Crema's that sends it, of a message that belongs to a trace.
    package var trace: TraceContext? { properties?.trace }

    /// The same as a step in a trace: subscribers of MQTT 5 get that step's `traceparent` in place of any other.
    package func traced(_ context: TraceContext) -> Message {
        var rest = Properties()
        if let forwarded = properties?.forwarded { rest = TracedProperties.read(forwarded)?.rest ?? Properties(forwarded: forwarded) }
        rest.append(Property(.userProperty, .textPair(TraceContext.name, context.parent.text)))
        var message = self
        message.properties = MessageProperties(forwarded: rest.encoded, expiresAt: properties?.expiresAt, trace: context)
        return message
    }
}

extension Shard {
    /// Makes of a client's message that belongs to a trace a step of Crema's in it; answers false where nothing changes.
    ///
    /// A `traceparent` that is none is dropped, and no trace is begun in its place.
    func followTrace(_ message: inout Message) -> Bool {
        following = nil
        guard let spans, let properties = message.properties, let forwarded = properties.forwarded,
            let (parent, rest) = TracedProperties.read(forwarded)
        else { return false }
        guard let parent else {
            message.properties = MessageProperties(forwarded: rest.isEmpty ? nil : rest.encoded, expiresAt: properties.expiresAt)
            return true
        }
        message = message.traced(TraceContext(below: parent, recorder: spans))
        following = (parent, spans.nowNanoseconds)
        return true
    }

    /// Tells of the step that ``followTrace(_:)`` made, now that the message is taken: nobody without a right to publish tells of anything.
    func tellTrace(of message: Message) {
        guard let (parent, began) = following else { return }
        following = nil
        message.trace?.ended(
            "receive", .consumer, below: parent, began: began,
            attributes: [("messaging.system", "mqtt"), ("messaging.destination.name", message.topicName)])
    }
}
