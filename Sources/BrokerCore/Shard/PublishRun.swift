import MQTTCodec
import NIOCore

/// Messages at QoS 0 that came one behind the other from one client on one topic, as their packets (record 0033).
///
/// They are routed together, and a subscriber of the publisher's version gets their bytes by one copy.
package struct PublishRun: Sendable {
    let topic: ByteBuffer
    /// Whole PUBLISH packets, without properties.
    let packets: ByteBuffer
    let version: ProtocolVersion
    let messages: Int
    let payloadBytes: Int
    /// Bytes of the largest packet.
    let largestPacket: Int
    let acceptedAt: AcceptTime

    /// Bytes that it takes wherever it waits.
    var size: Int { topic.readableBytes + packets.readableBytes }

    /// The same in storage of its own, for whoever keeps it: a slice would keep the publisher's whole read alive.
    fileprivate func stored() -> PublishRun {
        PublishRun(
            topic: topic, packets: ByteBuffer(bytes: packets.readableBytesView), version: version, messages: messages,
            payloadBytes: payloadBytes, largestPacket: largestPacket, acceptedAt: acceptedAt)
    }

    /// Each message by itself, with the packet that it came in.
    fileprivate func forEachMessage(at now: Instant, _ body: (inout OutgoingMessage) -> Void) {
        var rest = packets
        while let header = try? FixedHeader(reading: rest.readableBytesUInt8Span, at: 0, packetBytesMax: .max, version: version),
            let packet = rest.readSlice(length: header.packetLength),
            let layout = try? PublishLayout(reading: packet.readableBytesUInt8Span, at: 0, header: header, version: version),
            let payload = packet.getSlice(at: packet.readerIndex + layout.payloadStart, length: layout.payloadLength)
        {
            var message = Message(topic: topic, payload: payload, qos: .atMostOnce)
            message.acceptedAt = acceptedAt
            var outgoing = OutgoingMessage(message, now: now)
            outgoing.take(frame: packet, version: version)
            body(&outgoing)
        }
    }
}

extension Shard {
    /// Bytes of a run, so that a client that fills its socket is not read far past what its subscribers, or other shards, have room for.
    private var runBytesMax: Int { min(65_536, limits.outboundBytesMax / 4, limits.handOffBytesMax / 4) }

    /// Takes the messages that follow each other and that nobody need look at one by one.
    ///
    /// Answers false when the next packet is none of those.
    func receiveRun(_ buffer: inout ByteBuffer, on connection: ClientConnection) -> Bool {
        guard let route = connection.lastRoute, route.generation == index.generation, route.takesRuns,
            !connection.isTraced, !connection.isAWS, !connection.limits.paces, !(route.record?.wantsPayload(at: now) ?? false)
        else { return false }
        let topic = route.topic
        guard
            let layout = PublishRunLayout(
                reading: buffer.readableBytesUInt8Span, topic: topic.readableBytesUInt8Span, version: connection.version,
                packetBytesMax: connection.limits.values.packetBytesMax, bytesMax: runBytesMax),
            authorizer.isUnrestricted
                || authorizer.refusal(ofPublish: route.topicName, retain: false, by: connection.publisher) == nil,
            let packets = buffer.readSlice(length: layout.length)
        else { return false }
        turns?.begin()
        counters.packetsReceived &+= UInt64(layout.messages)
        counters.publishReceived[0] &+= UInt64(layout.messages)
        counters.publishBytesReceived &+= UInt64(layout.payloadBytes)
        connection.listener.figures.messagesReceived &+= UInt64(layout.messages)
        route.record?.count(messages: layout.messages, bytes: layout.payloadBytes, at: now)
        let run = PublishRun(
            topic: topic, packets: packets, version: connection.version, messages: layout.messages,
            payloadBytes: layout.payloadBytes, largestPacket: layout.largestPacket, acceptedAt: AcceptTime(now))
        deliver(run, along: route)
        if !taps.isEmpty { tap(run, along: route, of: connection) }
        return true
    }

    private func deliver(_ run: PublishRun, along route: Route) {
        deliverLocally(run, along: route)
        var shards = route.shards
        guard !shards.isEmpty else { return }
        // In storage of its own: another loop may come to it late, and a slice would keep the publisher's whole read until then.
        let own = run.stored()
        while let shard = shards.popFirst() {
            handOver(.deliverRun(own), bytes: own.size + takeVisits(), to: shard)
            if congestedPeers.contains(shard) || handOffs.full.contains(shard) { holdPublisher() }
        }
    }

    func deliverLocally(_ run: PublishRun, along route: Route) {
        changes &+= UInt64(route.recipients.count / Self.recipientsPerVisit)
        if route.hasNoLocal {  // where the message was accepted, that may not have been known yet
            return run.forEachMessage(at: now) { deliverLocally(&$0, along: route) }
        }
        var shared: SharedFrames?
        for recipient in route.recipients {
            guard let connection = recipient.session.connection, takesWhole(run, recipient, on: connection) else {
                offerOneByOne(run, to: recipient)
                continue
            }
            if route.recipients.count > 1 {
                let frames = shared ?? share(run)
                shared = frames
                connection.outbound.append(lastOf: frames)
            } else {
                append(run.packets, to: connection)
            }
            counters.publishSent[0] &+= UInt64(run.messages)
            counters.packetsSent &+= UInt64(run.messages)
            counters.publishBytesSent &+= UInt64(run.payloadBytes)
            tally.delivered(run.acceptedAt, messages: UInt64(run.messages), now: now)
            markDirty(connection)
            // Does not wait for the turn's end.
            if connection.outbound.count >= min(limits.outboundBytesMax, Self.uncopiedBytesMin) { flush(connection) }
        }
    }

    /// Bytes of a run that are sent from where they came, and at once: a system call costs less than to copy them.
    private static let uncopiedBytesMin = 32_768

    private func append(_ packets: ByteBuffer, to connection: ClientConnection) {
        if packets.readableBytes >= Self.uncopiedBytesMin {
            flush(connection)
            if connection.outbound.count == 0 { return connection.outbound.begin(with: packets) }
        }
        connection.outbound.buffer.writeImmutableBuffer(packets)
    }

    private func offerOneByOne(_ run: PublishRun, to recipient: Route.Recipient) {
        if recipient.session.connection == nil, !recipient.session.isTraced, authorizer.isUnrestricted {
            return counters.drop(.offlineAtQoS0, run.messages)
        }
        run.forEachMessage(at: now) { offer(&$0, to: recipient) }
    }

    /// Whether a client gets the packets as they came.
    private func takesWhole(_ run: PublishRun, _ recipient: Route.Recipient, on connection: ClientConnection) -> Bool {
        guard connection.isWritable, connection.version == run.version, run.largestPacket <= connection.packetBytesMax else { return false }
        if let terms = connection.terms, recipient.identifiers != nil || terms.outboundAliases.isUsed { return false }
        if authorizer.isUnrestricted { return true }
        // Traced or not, and allowed or not: what is asked for each message is told for each.
        return !recipient.session.isTraced
            && authorizer.allowsDelivery(of: String(buffer: run.topic), to: recipient.session.subscriber)
    }

    private func share(_ run: PublishRun) -> SharedFrames {
        let place = FrameForm(version: run.version, retain: false).index
        if sharedFrames[place].isFull { sharedFrames[place] = SharedFrames() }
        sharedFrames[place].append(run.packets)
        return sharedFrames[place]
    }

    /// Shows those of the messages that somebody wants to see.
    private func tap(_ run: PublishRun, along route: Route, of connection: ClientConnection) {
        if route.taps.version != tapsVersion { findTaps(of: route) }
        for tap in route.taps.taps {
            var next = tap.next(among: run.messages, at: now)
            guard next != nil else { continue }
            var place = 0
            run.forEachMessage(at: now) { outgoing in
                if place == next {
                    transport.tapped(tap.id, message: outgoing.message, publisher: connection.publisher, skipped: tap.takeSkipped())
                    next = tap.next(among: run.messages - place - 1, at: now).map { place + 1 + $0 }
                }
                place += 1
            }
        }
    }
}
