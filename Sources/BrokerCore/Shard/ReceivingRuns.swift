import MQTTCodec
import NIOCore

/// Packets of one kind that follow each other and that nobody need look at one by one (record 0033).
extension Shard {
    /// Bytes of a run, so that a client that fills its socket is not read far past what its subscribers, or other shards, have room for.
    private var runBytesMax: Int { min(65_536, limits.outboundBytesMax / 4, limits.handOffBytesMax / 4) }
    /// Bytes of a run at QoS 1 or 2, whose messages lie in one storage until the last of them is acknowledged.
    private static let keptRunBytesMax = 4_096
    /// Messages of a run times clients that get them: a part of what a turn has time for.
    private static let offersMax = Int(visitsPerTurn) * recipientsPerVisit / 4

    /// Takes what may be taken together from the front of a connected client's bytes.
    ///
    /// Answers false when the next packet is nothing of the kind.
    func receiveTogether(_ buffer: inout ByteBuffer, on connection: ClientConnection) -> Bool {
        guard connection.isConnected, !connection.isTraced, buffer.readableBytes > 0 else { return false }
        let first = buffer.readableBytesUInt8Span[0]
        if PublishRunLayout.mayBegin(with: first) { return receiveRun(&buffer, on: connection) }
        return receiveAcknowledgements(&buffer, on: connection)
    }

    private func receiveRun(_ buffer: inout ByteBuffer, on connection: ClientConnection) -> Bool {
        guard let route = connection.lastRoute, route.generation == index.generation, route.takesRuns,
            !connection.isAWS, !connection.limits.paces, !(route.record?.wantsPayload(at: now) ?? false)
        else { return false }
        let topic = route.topic
        let packetBytesMax = connection.limits.values.packetBytesMax
        // All that may speak against the first is asked before the others are looked at: who is refused must not have them looked at again
        // and again.
        guard
            let first = PublishRunLayout.First(
                reading: buffer.readableBytesUInt8Span, topic: topic.readableBytesUInt8Span, version: connection.version,
                packetBytesMax: packetBytesMax),
            mayComeTogether(first, along: route, on: connection),
            var layout = PublishRunLayout(
                reading: buffer.readableBytesUInt8Span, topic: topic.readableBytesUInt8Span, version: connection.version,
                packetBytesMax: packetBytesMax, bytesMax: first.qos == .atMostOnce ? runBytesMax : min(runBytesMax, Self.keptRunBytesMax),
                messagesMax: max(1, Self.offersMax / max(1, route.recipients.count))),
            layout.qos != .exactlyOnce || keepIdentifiers(of: &layout, in: buffer, on: connection),
            let packets = buffer.readSlice(length: layout.length)
        else { return false }
        turns?.begin()
        counters.packetsReceived &+= UInt64(layout.messages)
        counters.publishReceived[Int(layout.qos.rawValue)] &+= UInt64(layout.messages)
        counters.publishBytesReceived &+= UInt64(layout.payloadBytes)
        connection.listener.figures.messagesReceived &+= UInt64(layout.messages)
        route.record?.count(messages: layout.messages, bytes: layout.payloadBytes, at: now)
        var run = PublishRun(topic: topic, packets: packets, version: connection.version, layout: layout, acceptedAt: AcceptTime(now))
        if layout.qos != .atMostOnce { run = run.stored() }
        deliver(run, along: route)
        if !taps.isEmpty { tap(run, along: route, of: connection) }
        if layout.qos != .atMostOnce, !connection.isClosed { acknowledge(run, on: connection) }
        return true
    }

    /// Whether the first message may be one of many: allowed, with nothing to be noted on disk, and with the answer that all get.
    private func mayComeTogether(_ first: PublishRunLayout.First, along route: Route, on connection: ClientConnection) -> Bool {
        if first.qos != .atMostOnce, turns != nil || route.isEmpty { return false }
        if first.qos == .exactlyOnce {
            guard let session = connection.session, !session.awaitingPubrel.hasRoom(for: first.packetID),
                roomForPubrel(of: session, on: connection) > 0
            else { return false }
        }
        return authorizer.isUnrestricted
            || authorizer.refusal(ofPublish: route.topicName, retain: false, by: connection.publisher) == nil
    }

    /// Takes as many messages at QoS 2 as are new and may be received, and keeps their identifiers [MQTT-4.3.3-2] [MQTT5-4.3.3-9].
    ///
    /// Answers false when the first is none of those: it is looked at by itself.
    private func keepIdentifiers(of layout: inout PublishRunLayout, in buffer: ByteBuffer, on connection: ClientConnection) -> Bool {
        guard let session = connection.session else { return false }
        let bytes = buffer.readableBytesUInt8Span
        var count = 0
        let room = roomForPubrel(of: session, on: connection)
        while count < min(layout.messages, room) {
            let packetID = layout.packetID(of: count, in: bytes)
            if session.awaitingPubrel.hasRoom(for: packetID) { break }
            session.awaitingPubrel.receive(packetID)
            count += 1
        }
        countAwaitingPubrel(of: session)
        layout.keepFirst(count, connection.version)
        return count > 0
    }

    /// PUBACK or PUBREC for each message, in the order in which they came [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT5-4.6.0-2] [MQTT5-4.6.0-3].
    private func acknowledge(_ run: PublishRun, on connection: ClientConnection) {
        let before = connection.outbound.count
        connection.outbound.buffer.writeAcknowledgements(run.qos == .exactlyOnce ? .pubrec : .puback, of: run.layout, in: run.packets)
        connection.noteAnswer(behind: before)
        counters.packetsSent &+= UInt64(run.messages)
        markDirty(connection)
    }

    private func deliver(_ run: PublishRun, along route: Route) {
        deliverLocally(run, along: route)
        var shards = route.shards
        guard !shards.isEmpty else { return }
        // In storage of its own: another loop may come to it late, and a slice would keep the publisher's whole read until then.
        let own = run.qos == .atMostOnce ? run.stored() : run
        while let shard = shards.popFirst() {
            let bytes = own.size + (own.messages - 1) * HandOffs.messageBytes + takeVisits()
            handOver(.deliverRun(own), bytes: bytes, to: shard)
            if congestedPeers.contains(shard) || handOffs.full.contains(shard) { holdPublisher() }
        }
    }

    /// Shows those of the messages that somebody wants to see.
    private func tap(_ run: PublishRun, along route: Route, of connection: ClientConnection) {
        if route.taps.version != tapsVersion { findTaps(of: route) }
        for tap in route.taps.taps {
            var next = tap.next(among: run.messages, at: now)
            guard next != nil else { continue }
            run.forEachMessage(at: now) { place, outgoing in
                guard place == next else { return }
                transport.tapped(tap.id, message: outgoing.message, publisher: connection.publisher, skipped: tap.takeSkipped())
                next = tap.next(among: run.messages - place - 1, at: now).map { place + 1 + $0 }
            }
        }
    }
}
