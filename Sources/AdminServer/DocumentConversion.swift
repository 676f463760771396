import BrokerCore
import EventBus
import FoundationEssentials
import MQTTCodec
import NIOCore

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
            event: String(decoding: letter.event, as: UTF8.self), traceID: letter.trace?.traceID)
    }
}

extension TailDocument {
    /// Cuts the payload at `bytesMax`; a cut inside a UTF-8 character moves back to its start.
    init(_ tailed: TailedMessage, payloadBytesMax bytesMax: Int) {
        let message = tailed.message
        let payload = PayloadText(message.payload, bytesMax: bytesMax)
        self.init(
            topic: message.topicName,
            payload: payload.text,
            encoding: payload.encoding,
            bytes: message.payload.readableBytes,
            truncated: payload.isCut,
            qos: Int(message.qos.rawValue),
            retain: message.retain,
            clientID: tailed.publisher.clientID,
            principal: tailed.publisher.principal,
            skipped: tailed.skipped)
    }
}
