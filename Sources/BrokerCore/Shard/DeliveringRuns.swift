import MQTTCodec
import NIOCore

/// A run of messages to the sessions that want them: whole where a client gets the same bytes, otherwise message by message (record 0033).
extension Shard {
    func deliverLocally(_ run: PublishRun, along route: Route) {
        if route.hasNoLocal {  // where the message was accepted, that may not have been known yet
            return run.forEachMessage(at: now) { _, outgoing in deliverLocally(&outgoing, along: route) }
        }
        let others = run.qos == .atMostOnce ? deliverAtQoS0(run, along: route) : deliverAcknowledged(run, along: route)
        // A copy for each is the work of one message; what is made for each message of each client is more.
        let offers = route.recipients.count + others.count * run.messages
        let work = run.qos == .atMostOnce ? offers : max(offers, route.recipients.count * run.messages)
        changes &+= UInt64(work / Self.recipientsPerVisit)
        if !others.isEmpty { offerOneByOne(run, to: others) }
    }

    private func deliverAtQoS0(_ run: PublishRun, along route: Route) -> [Remainder] {
        var shared: SharedFrames?
        var others: [Remainder] = []
        let isShared = route.recipients.count > 1
        for recipient in route.recipients {
            guard let connection = recipient.session.connection, takesPackets(of: run, on: connection),
                recipient.identifiers == nil || connection.terms == nil,  // a client of MQTT 3.1.1 is told none
                isAllowed(run, recipient.session)
            else {
                others.append(Remainder(recipient: recipient, first: 0))
                continue
            }
            if isShared {
                let frames = shared ?? share(run)
                shared = frames
                connection.outbound.append(lastOf: frames)
            } else {
                append(run.packets, to: connection)
            }
            countSent(run.messages, of: run, payloadBytes: run.layout.payloadBytes, acceptedAt: run.acceptedAt, on: connection)
            // Does not wait for the turn's end.
            if connection.outbound.count >= min(limits.outboundBytesMax, Self.uncopiedBytesMin) { flush(connection) }
        }
        return others
    }

    private func deliverAcknowledged(_ run: PublishRun, along route: Route) -> [Remainder] {
        var others: [Remainder] = []
        for recipient in route.recipients {
            // At its QoS, and with nothing of its own: what is unfinished may be sent again when a client comes back with MQTT 5.
            let isPlain = min(recipient.qos, run.qos) == run.qos && recipient.identifiers == nil
            let first = isPlain ? giveAcknowledged(run, to: recipient.session) : 0
            if first < run.messages { others.append(Remainder(recipient: recipient, first: first)) }
        }
        return others
    }

    /// Who does not take a run as it is, and the message from which on.
    private struct Remainder {
        let recipient: Route.Recipient
        let first: Int
    }

    /// Each message once, for all who get it by itself: what is made of it is shared as if it had come alone.
    private func offerOneByOne(_ run: PublishRun, to others: [Remainder]) {
        run.forEachMessage(at: now) { number, outgoing in
            outgoing.isForMany = others.count > 1
            for other in others where other.first <= number { offer(&outgoing, to: other.recipient) }
        }
    }

    /// Whether a client gets the packets as they came, but for their identifiers.
    private func takesPackets(of run: PublishRun, on connection: ClientConnection) -> Bool {
        guard takesMore(connection), connection.version.hasProperties == run.version.hasProperties,
            run.layout.largestPacket <= connection.packetBytesMax
        else { return false }
        return !(connection.terms?.outboundAliases.isUsed ?? false)
    }

    /// Whether a session may have the messages: asked once for all, unless somebody wants to see each answer.
    private func isAllowed(_ run: PublishRun, _ session: Session) -> Bool {
        if authorizer.isUnrestricted { return true }
        return !session.isTraced && authorizer.allowsDelivery(of: String(buffer: run.topic), to: session.subscriber)
    }

    private func countSent(
        _ count: Int, of run: PublishRun, payloadBytes: Int, acceptedAt: AcceptTime, on connection: ClientConnection
    ) {
        counters.publishSent[Int(run.qos.rawValue)] &+= UInt64(count)
        counters.packetsSent &+= UInt64(count)
        counters.publishBytesSent &+= UInt64(payloadBytes)
        tally.delivered(acceptedAt, messages: UInt64(count), now: now)
        markDirty(connection)
    }

    // MARK: QoS 0

    /// Bytes of a run that are sent from where they came, and at once: a system call costs less than to copy them.
    private static let uncopiedBytesMin = 32_768

    private func append(_ packets: ByteBuffer, to connection: ClientConnection) {
        if packets.readableBytes >= Self.uncopiedBytesMin {
            flush(connection)
            // Only where it leaves at once: others' bytes are not kept for a client that takes none.
            if connection.isWritable, connection.held.gate == nil, connection.outbound.count == 0 {
                return connection.outbound.begin(with: packets)
            }
        }
        connection.outbound.buffer.writeImmutableBuffer(packets)
    }

    private func share(_ run: PublishRun) -> SharedFrames {
        let place = FrameForm(version: run.version, retain: false).index
        if sharedFrames[place].isFull { sharedFrames[place] = SharedFrames() }
        sharedFrames[place].append(run.packets)
        return sharedFrames[place]
    }

    // MARK: QoS 1 and 2

    /// Sends as many of the messages as the session's window has room for, and lets the rest wait where there is room for all of it.
    ///
    /// Answers how many are taken care of: the others go one by one.
    private func giveAcknowledged(_ run: PublishRun, to session: Session) -> Int {
        guard isAllowed(run, session) else { return 0 }
        var sent = 0
        if let connection = session.connection {
            if session.queue.isEmpty, takesPackets(of: run, on: connection),
                hasRoomInAll(for: run.size + run.messages * Self.deliveryBytes), hasRoom(on: connection)
            {
                sent = send(run, from: 0, acceptedAt: run.acceptedAt, to: session, on: connection)
                if sent > 0 { countWaiting(of: session) }
            }
            guard sent < run.messages, !session.queue.isEmpty || !canSend(session, on: connection) else { return sent }
        }
        return enqueue(run, from: sent, for: session) ? run.messages : sent
    }

    /// Sends messages of a run from one place on, by one copy, as many as the window has room for; answers how many.
    private func send(
        _ run: PublishRun, from start: Int, acceptedAt: AcceptTime, to session: Session, on connection: ClientConnection
    ) -> Int {
        var end = start
        var payloadBytes = 0
        let first = session.window.nextPacketID
        let quota = sendQuota(of: connection)
        while end < run.messages, session.window.hasRoom(inflightMax: quota, bytesMax: limits.inflightBytesMax) {
            var message = run.message(end)
            message.acceptedAt = acceptedAt
            payloadBytes += message.payload.readableBytes
            _ = session.window.open(Delivery(message: message, qos: run.qos))
            end += 1
        }
        guard end > start else { return 0 }
        connection.outbound.buffer.writePublishes(start..<end, of: run.layout, in: run.packets, firstPacketID: first)
        countSent(end - start, of: run, payloadBytes: payloadBytes, acceptedAt: acceptedAt, on: connection)
        return end - start
    }

    /// Puts messages of a run into a session's queue, from one place on, if there is room for all of them.
    private func enqueue(_ run: PublishRun, from first: Int, for session: Session) -> Bool {
        let (count, bytes) = (run.messages - first, run.size(of: first..<run.messages))
        guard turns == nil, !session.isTraced, session.queue.count + count <= limits.queueMessagesMax,
            session.queue.bytes + bytes <= limits.queueBytesMax, hasRoomInAll(for: bytes + count * Self.deliveryBytes)
        else { return false }
        session.queue.append(run, from: first)
        noteQueued(run.topic, for: session)
        return true
    }

    /// Sends what is left of a run at the front of a session's queue, as far as the window has room; answers false where its messages go
    /// one by one.
    func sendQueuedRun(of session: Session, on connection: ClientConnection) -> Bool {
        guard let (run, first) = session.queue.frontRun, takesPackets(of: run, on: connection), isAllowed(run, session) else {
            return false
        }
        let acceptedAt = countedTime(run.acceptedAt, on: connection)
        let count = send(run, from: first, acceptedAt: acceptedAt, to: session, on: connection)
        session.queue.takeFromFrontRun(count)
        return count > 0
    }
}
