package import NIOCore

/// What one topic carried since start, at one moment.
package struct TopicSnapshot: Sendable {
    package var topic: ByteBuffer
    package var messages: UInt64
    package var bytes: UInt64
    package var lastSeen: Instant
    package var messagesPerSecond: Double
    package var sample: PayloadSample

    package init(
        topic: ByteBuffer, messages: UInt64, bytes: UInt64, lastSeen: Instant, messagesPerSecond: Double, sample: PayloadSample
    ) {
        self.topic = topic
        self.messages = messages
        self.bytes = bytes
        self.lastSeen = lastSeen
        self.messagesPerSecond = messagesPerSecond
        self.sample = sample
    }

    /// The same topic, as another shard saw it.
    mutating func merge(_ other: TopicSnapshot) {
        messages &+= other.messages
        bytes &+= other.bytes
        messagesPerSecond += other.messagesPerSecond
        if other.lastSeen > lastSeen { (lastSeen, sample) = (other.lastSeen, other.sample) }
    }
}

/// The beginning of a payload of a topic, with how much of it that is.
package struct PayloadSample: Sendable {
    /// At most `topicSampleBytesMax`.
    package var bytes: ByteBuffer
    /// Of the whole payload.
    package var payloadBytes: Int
    /// Messages that came after it and were not looked at: 0 where it is the topic's last.
    package var messagesSince: UInt64

    package init(bytes: ByteBuffer, payloadBytes: Int, messagesSince: UInt64 = 0) {
        self.bytes = bytes
        self.payloadBytes = payloadBytes
        self.messagesSince = messagesSince
    }
}

extension TopicSnapshot {
    /// The topics of several shards, each once.
    package static func merged(_ parts: [[TopicSnapshot]]) -> [TopicSnapshot] {
        if parts.count == 1 { return parts[0] }
        var places: [ByteBuffer: Int] = [:]
        var all: [TopicSnapshot] = []
        for snapshot in parts.joined() {
            if let place = places[snapshot.topic] {
                all[place].merge(snapshot)
            } else {
                places[snapshot.topic] = all.count
                all.append(snapshot)
            }
        }
        return all
    }
}
