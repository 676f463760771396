import MQTTCodec
import NIOCore

/// A run of messages to the sessions that want them: whole where a client gets the same bytes, otherwise message by message (record 0033).
extension Shard {
    func deliverLocally(_ run: PublishRun, along route: Route) {
        if route.hasNoLocal {  // where the message was accepted, that may not have been known yet
            return run.forEachMessage(at: now) { _, outgoing in deliverLocally(&outgoing, along: route) }
        }
        var shared: SharedFrames?
        var others: [Remainder] = []
        for recipient in route.recipients {
            guard let connection = recipient.session.connection, takesWhole(run, recipient, on: connection) else {
                others.append(Remainder(recipient: recipient, first: 0))
                continue
            }
            if run.qos != .atMostOnce {
                let sent = sendAcknowledged(run, to: recipient.session, on: connection)
                if sent < run.messages { others.append(Remainder(recipient: recipient, first: sent)) }
                continue
            }
            if route.recipients.count > 1 {
                let frames = shared ?? share(run)
                shared = frames
                connection.outbound.append(lastOf: frames)
            } else {
                append(run.packets, to: connection)
            }
            countSent(run.messages, of: run, payloadBytes: run.layout.payloadBytes, on: connection)
            // Does not wait for the turn's end.
            if connection.outbound.count >= min(limits.outboundBytesMax, Self.uncopiedBytesMin) { flush(connection) }
        }
        // A copy for each is the work of one message; what is made for each message of each client is more.
        let offers = route.recipients.count + others.count * run.messages
        let work = run.qos == .atMostOnce ? offers : max(offers, route.recipients.count * run.messages)
        changes &+= UInt64(work / Self.recipientsPerVisit)
        if !others.isEmpty { offerOneByOne(run, to: others) }
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
    private func takesWhole(_ run: PublishRun, _ recipient: Route.Recipient, on connection: ClientConnection) -> Bool {
        guard connection.isWritable, connection.version.hasProperties == run.version.hasProperties,
            run.layout.largestPacket <= connection.packetBytesMax, min(recipient.qos, run.qos) == run.qos
        else { return false }
        if let terms = connection.terms, terms.outboundAliases.isUsed { return false }
        // A client of MQTT 3.1.1 is told none; but what is unfinished may be sent again, when it comes back with MQTT 5.
        if recipient.identifiers != nil, connection.terms != nil || run.qos != .atMostOnce { return false }
        if authorizer.isUnrestricted { return true }
        // What is asked for each message of a client that is traced is told for each.
        return !recipient.session.isTraced
            && authorizer.allowsDelivery(of: String(buffer: run.topic), to: recipient.session.subscriber)
    }

    private func countSent(_ count: Int, of run: PublishRun, payloadBytes: Int, on connection: ClientConnection) {
        counters.publishSent[Int(run.qos.rawValue)] &+= UInt64(count)
        counters.packetsSent &+= UInt64(count)
        counters.publishBytesSent &+= UInt64(payloadBytes)
        tally.delivered(run.acceptedAt, messages: UInt64(count), now: now)
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

    /// Sends as many of the messages as the session's window has room for, and answers how many: the others go one by one.
    private func sendAcknowledged(_ run: PublishRun, to session: Session, on connection: ClientConnection) -> Int {
        guard session.queue.isEmpty, hasRoomInAll(for: run.size + run.messages * Self.deliveryBytes), hasRoom(on: connection) else {
            return 0
        }
        var count = 0
        var payloadBytes = 0
        let first = session.window.nextPacketID
        let quota = sendQuota(of: connection)
        while count < run.messages, session.window.hasRoom(inflightMax: quota, bytesMax: limits.inflightBytesMax) {
            let message = run.message(count)
            payloadBytes += message.payload.readableBytes
            _ = session.window.open(Delivery(message: message, qos: run.qos))
            count += 1
        }
        guard count > 0 else { return 0 }
        connection.outbound.buffer.writePublishes(count, of: run.layout, in: run.packets, firstPacketID: first)
        countWaiting(of: session)
        countSent(count, of: run, payloadBytes: payloadBytes, on: connection)
        return count
    }
}
