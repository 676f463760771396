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
            queued: client.queued, inFlight: client.inFlight, dropped: client.dropped, drops: client.drops,
            refusals: client.refusals.map {
                RefusalDocument(kind: $0.kind.rawValue, resource: $0.resource, reason: $0.reason, count: $0.count)
            })
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
            retried: rule.retried, pending: rule.pending, lastError: rule.lastError, pattern: rule.pattern, schedule: rule.schedule,
            sqlVersion: rule.sqlVersion)
    }
}

extension ArchivesDocument {
    init(_ engine: EventEngine) {
        self.init(
            archives: engine.archives().map { archive in
                let declaration = archive.declaration
                return Archive(
                    name: declaration.name, bus: declaration.bus, pattern: declaration.patternText,
                    retentionDays: declaration.retentionDays, events: archive.eventCount, bytes: archive.bytes,
                    created: timestamp(milliseconds: archive.createdMilliseconds), location: "\(declaration.location)",
                    left: archive.isLeft)
            },
            replays: engine.replays().map { Replay($0) })
    }
}

extension ArchivesDocument.Replay {
    init(_ replay: EventBus.Replay) {
        self.init(
            name: replay.name, archive: replay.archive, bus: replay.bus, state: replay.state.rawValue,
            from: timestamp(milliseconds: replay.range.lowerBound), to: timestamp(milliseconds: replay.range.upperBound),
            started: timestamp(milliseconds: replay.startedMilliseconds),
            ended: replay.endedMilliseconds.map { timestamp(milliseconds: $0) },
            lastReplayed: replay.lastReplayedMilliseconds.map { timestamp(milliseconds: $0) })
    }
}

extension DestinationsDocument {
    init(_ engine: EventEngine) {
        self.init(
            connections: engine.connectionSummaries().map {
                Connection(
                    name: $0.name, authorizationType: $0.authorizationType, authorized: $0.isAuthorized, location: "\($0.location)")
            },
            destinations: engine.destinationSummaries().map {
                Destination(
                    name: $0.name, active: $0.lack == nil, reason: $0.lack, method: $0.method, endpoint: $0.endpoint,
                    connection: $0.connection, location: "\($0.location)")
            })
    }
}

extension DeadLetterDocument {
    init(_ letter: DeadLetter, number: UInt64) {
        self.init(
            id: "\(number)", time: timestamp(milliseconds: letter.timeMilliseconds), rule: letter.rule, bus: letter.bus,
            target: letter.target,
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
