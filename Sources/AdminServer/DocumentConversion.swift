import BrokerCore
import EventBus
import FoundationEssentials
import MQTTCodec
import NIOCore

extension ClientDocument {
    init(_ client: ClientSummary) {
        self.init(
            clientID: client.clientID, connected: client.connected, principal: client.principal, userName: client.userName,
            peer: client.peer, listener: client.listener, protocolVersion: client.protocolVersion, cleanSession: client.cleanSession,
            keepAliveSeconds: client.keepAliveSeconds, connectedSeconds: client.connectedSeconds, subscriptions: client.subscriptions,
            queued: client.queued, inFlight: client.inFlight, dropped: client.dropped, drops: client.drops)
    }
}

extension TopicDocument {
    init(_ topic: TopicSummary) {
        self.init(
            topic: topic.topic, messages: topic.messages, bytes: topic.bytes, lastSeenSeconds: topic.lastSeenSeconds,
            retained: topic.retained)
    }
}

extension RuleDocument {
    init(_ rule: RuleStatistics) {
        self.init(
            name: rule.name, kind: rule.kind.rawValue, bus: rule.bus, enabled: rule.enabled, definition: rule.definition,
            location: "\(rule.location)", matched: rule.matched, delivered: rule.delivered, failed: rule.failed,
            retried: rule.retried, pending: rule.pending, lastError: rule.lastError)
    }
}

extension DeadLetterDocument {
    init(_ letter: DeadLetter) {
        self.init(
            time: timestamp(milliseconds: letter.timeMilliseconds), rule: letter.rule, bus: letter.bus, target: letter.target,
            errorCode: letter.errorCode, errorMessage: letter.errorMessage,
            retries: letter.trying.retries, exhausted: letter.trying.exhaustion?.rawValue,
            event: String(decoding: letter.event, as: UTF8.self))
    }
}

extension TailDocument {
    /// Cuts the payload at `bytesMax`; a cut inside a UTF-8 character moves back to its start.
    init(_ tailed: TailedMessage, payloadBytesMax bytesMax: Int) {
        let message = tailed.message
        let payload = message.payload.readableBytesView
        let text = Self.text(payload, bytesMax: bytesMax)
        self.init(
            topic: message.topicName,
            payload: text ?? Data(payload.prefix(bytesMax)).base64EncodedString(),
            encoding: text == nil ? .base64 : .utf8,
            bytes: payload.count,
            truncated: payload.count > bytesMax,
            qos: Int(message.qos.rawValue),
            retain: message.retain,
            clientID: tailed.publisher.clientID,
            principal: tailed.publisher.principal,
            skipped: tailed.skipped)
    }

    private static func text(_ payload: ByteBufferView, bytesMax: Int) -> String? {
        var end = payload.prefix(bytesMax).endIndex
        if end < payload.endIndex {
            while end > payload.startIndex, payload[end] & 0xC0 == 0x80 { end -= 1 }
        }
        return String(validating: payload[payload.startIndex..<end], as: UTF8.self)
    }
}
