import BrokerCore
import MQTTCodec
import NIOCore

// What the admin API answers of topics and retained messages. A member may be added, none renamed.

/// A row of `GET /api/v1/topics`.
package struct TopicDocument: Codable, Sendable, Equatable {
    package var topic: String
    package var messages: UInt64
    package var bytes: UInt64
    package var lastSeenSeconds: Int
    package var retained: Bool
    /// Over about the last ten seconds; absent in answers of older versions.
    package var messagesPerSecond: Double?
}

/// A row of `GET /api/v1/topics/tree`: one name on a level, which may be a topic and have topics below it.
package struct TopicBranchDocument: Codable, Sendable, Equatable {
    package var name: String
    /// From the root to here.
    package var topic: String
    /// Names one level below, at least.
    package var children: Int
    /// Topics that carried messages: this one, if it is one, and those below.
    package var topics: Int
    /// Of all of them, as the three below.
    package var messages: UInt64
    package var bytes: UInt64
    package var messagesPerSecond: Double
    /// Absent where none of them carried a message.
    package var lastSeenSeconds: Int?
    /// Whether it is a topic itself.
    package var isTopic: Bool
    /// Whether the topic has a retained message.
    package var retained: Bool
    /// The beginning of the topic's last payload; absent, as the four below, where it is none.
    package var lastPayload: String?
    package var encoding: TailDocument.Encoding?
    /// Whether ``lastPayload`` is only the beginning (`topicSampleBytesMax`).
    package var truncated: Bool?
    /// Of the whole payload.
    package var payloadBytes: Int?
    /// Messages that came after it whose payload was not looked at: 0 where it is the last one's.
    package var messagesSince: UInt64?
}

/// A row of `GET /api/v1/retained`.
package struct RetainedDocument: Codable, Sendable, Equatable {
    package var topic: String
    package var payload: String
    package var encoding: TailDocument.Encoding
    /// Whether ``payload`` is only the beginning (`tailPayloadBytesMax`).
    package var truncated: Bool
    /// Of the whole payload.
    package var bytes: Int
    package var qos: Int
    /// Since it was retained, or since the start where it was retained before.
    package var ageSeconds: Int
    /// Until it expires; absent for one that does not.
    package var expiresSeconds: Int?
    /// The client that published it; absent for what the broker or a caller over HTTP did.
    package var publisher: String?
}

/// The answer to `DELETE /api/v1/retained`.
package struct RetainedRemovalDocument: Codable, Sendable, Equatable {
    package var matched: Int
    /// 0 for a preview.
    package var removed: Int
    /// The first hundred of what matched.
    package var topics: [String]
}

/// The body of `POST /api/v1/publish`.
package struct PublishDocument: Codable, Sendable, Equatable {
    package var topic: String
    package var payload: String
    /// Of ``payload``; UTF-8 where it is absent.
    package var encoding: TailDocument.Encoding?
    /// 0 where it is absent.
    package var qos: Int?
    package var retain: Bool?

    package init(topic: String, payload: String, encoding: TailDocument.Encoding? = nil, qos: Int? = nil, retain: Bool? = nil) {
        self.topic = topic
        self.payload = payload
        self.encoding = encoding
        self.qos = qos
        self.retain = retain
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case topic
        case payload
        case encoding
        case qos
        case retain
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys where CodingKeys(stringValue: key.stringValue) == nil {
            throw DecodingError.dataCorrupted(.init(codingPath: [key], debugDescription: "is no member of it"))
        }
        let members = try decoder.container(keyedBy: CodingKeys.self)
        topic = try members.decode(String.self, forKey: .topic)
        payload = try members.decode(String.self, forKey: .payload)
        encoding = try members.decodeIfPresent(TailDocument.Encoding.self, forKey: .encoding)
        qos = try members.decodeIfPresent(Int.self, forKey: .qos)
        retain = try members.decodeIfPresent(Bool.self, forKey: .retain)
    }
}

/// The answer to `POST /api/v1/publish`.
package struct PublishedDocument: Codable, Sendable, Equatable {
    package var published: Bool
}

extension TopicDocument {
    init(_ topic: TopicSummary) {
        self.init(
            topic: topic.topic, messages: topic.messages, bytes: topic.bytes, lastSeenSeconds: topic.lastSeenSeconds,
            retained: topic.retained, messagesPerSecond: rounded(topic.messagesPerSecond))
    }
}

extension TopicBranchDocument {
    init(_ branch: TopicBranch, now: Instant) {
        let payload = branch.sample.map { PayloadText($0.bytes, payloadBytes: $0.payloadBytes) }
        self.init(
            name: branch.name, topic: branch.topic, children: branch.children, topics: branch.topics, messages: branch.messages,
            bytes: branch.bytes, messagesPerSecond: rounded(branch.messagesPerSecond),
            lastSeenSeconds: branch.lastSeen.map { now.seconds(since: $0) }, isTopic: branch.isTopic, retained: branch.retained,
            lastPayload: payload?.text, encoding: payload?.encoding, truncated: payload?.isCut,
            payloadBytes: branch.sample?.payloadBytes, messagesSince: branch.sample?.messagesSince)
    }
}

extension RetainedDocument {
    init(_ retained: RetainedSummary, now: Instant, payloadBytesMax: Int) {
        let message = retained.message
        let payload = PayloadText(message.payload, bytesMax: payloadBytesMax)
        self.init(
            topic: message.topicName, payload: payload.text, encoding: payload.encoding, truncated: payload.isCut,
            bytes: message.payload.readableBytes, qos: Int(message.qos.rawValue), ageSeconds: retained.ageMilliseconds / 1_000,
            expiresSeconds: message.properties?.expiresAt.map { $0.seconds(since: now) }, publisher: retained.publisher.clientID)
    }
}

/// Hundredths are enough for people.
private func rounded(_ rate: Double) -> Double { (rate * 100).rounded() / 100 }
