import DequeModule
import MQTTCodec
import NIOCore

/// PUBLISH to clients: the send window, what the client takes, and what waits (MQTT 3.1.1 and MQTT 5 sections 3.3 and 4.9).
extension Shard {
    // MARK: QoS 0

    func sendAtQoS0(_ outgoing: inout OutgoingMessage, retain: Bool, to session: Session, on connection: ClientConnection) {
        let form = FrameForm(version: connection.version, retain: retain)
        let frame = outgoing.frameAtQoS0(form)
        guard frame.readableBytes <= connection.packetBytesMax else { return drop(.packetTooLarge, of: session) }
        if !connection.isWritable {
            return sendAtQoS0(frame, toStuck: connection, of: session)
        }
        if outgoing.isForMany {
            connection.outbound.append(lastOf: share(frame, of: &outgoing, as: form))
        } else {
            connection.outbound.buffer.writeImmutableBuffer(frame)
        }
        counters.publishSent[0] &+= 1
        counters.packetsSent &+= 1
        markDirty(connection)
        if connection.outbound.count >= limits.outboundBytesMax { flush(connection) }  // does not wait for the turn's end
    }

    /// The run of frames that ends with this one.
    private func share(_ frame: ByteBuffer, of outgoing: inout OutgoingMessage, as form: FrameForm) -> SharedFrames {
        if outgoing.sharedForms.insert(form) {
            if sharedFrames[form.index].isFull { sharedFrames[form.index] = SharedFrames() }
            sharedFrames[form.index].append(frame)
        }
        return sharedFrames[form.index]
    }

    /// A PUBLISH that is this client's alone: with its subscription identifiers and topic aliases.
    func sendAtQoS0(_ delivery: Delivery, to session: Session, on connection: ClientConnection) {
        guard fits(delivery, on: connection) else { return drop(.packetTooLarge, of: session) }
        if !connection.isWritable && !mayWait(session, on: connection, bytes: delivery.message.size) { return }
        write(delivery, duplicate: false, packetID: 0, on: connection)
    }

    /// The transport takes nothing now: what may still wait for it, waits.
    private func sendAtQoS0(_ frame: ByteBuffer, toStuck connection: ClientConnection, of session: Session) {
        if !connection.backlog.isEmpty || (connection.pace == .slow && session.slowConsumer == .dropOldest) {
            return queueFrame(frame, for: session, on: connection)
        }
        guard mayWait(session, on: connection, bytes: frame.readableBytes) else { return }
        connection.outbound.buffer.writeImmutableBuffer(frame)
        counters.publishSent[0] &+= 1
        counters.packetsSent &+= 1
    }

    /// Whether a QoS 0 message may wait for a transport that takes nothing now.
    ///
    /// While its publishers wait for it, a client may have twice the limit: what they had sent already.
    private func mayWait(_ session: Session, on connection: ClientConnection, bytes: Int) -> Bool {
        let waiting = connection.outbound.count
        if waiting >= limits.outboundBytesMax { noteCongestion(of: connection) }
        // Halved, not doubled: the limit may be any number.
        let counted = connection.pace == .waitedFor ? waiting / 2 : waiting
        if counted < limits.outboundBytesMax, stuckBytes < outboundBytesShare {
            noteStuck(bytes, on: connection)
            return true
        }
        drop(.outboundFull, of: session)
        if session.slowConsumer == .disconnect { disconnectSlow(connection, limit: "outboundBytesMax") }
        return false
    }

    private func queueFrame(_ frame: ByteBuffer, for session: Session, on connection: ClientConnection) {
        connection.backlog.append(frame)
        noteStuck(frame.readableBytes, on: connection)
        while connection.backlog.bytes > limits.outboundBytesMax || stuckBytes > outboundBytesShare,
            let oldest = connection.backlog.popFirst()
        {
            noteStuck(-oldest.readableBytes, on: connection)
            drop(.outboundFull, of: session)
        }
    }

    private func noteStuck(_ bytes: Int, on connection: ClientConnection) {
        connection.stuckBytes += bytes
        stuckBytes += bytes
    }

    /// The transport takes bytes again, or never will.
    func forgetStuck(_ connection: ClientConnection) {
        stuckBytes -= connection.stuckBytes
        connection.stuckBytes = 0
    }

    /// Moves what waited behind `outbound` there.
    func drainBacklog(of connection: ClientConnection) {
        while connection.isWritable, let frame = connection.backlog.popFirst() {
            connection.outbound.buffer.writeImmutableBuffer(frame)
            counters.publishSent[0] &+= 1
            counters.packetsSent &+= 1
            if connection.outbound.count >= limits.outboundBytesMax { flush(connection) }
        }
    }

    // MARK: QoS 1 and 2

    /// QoS 1 and 2 messages that may be under way to the client [MQTT5-3.3.4-9] [MQTT5-4.9.0-1] [MQTT5-4.9.0-2].
    private func sendQuota(of connection: ClientConnection) -> Int {
        min(connection.limits.values.inflightMax, connection.terms?.receiveMaximum ?? .max)
    }

    private func hasRoom(on connection: ClientConnection) -> Bool {
        if connection.outbound.count >= limits.outboundBytesMax {
            guard connection.isWritable else { return false }
            flush(connection)
        }
        return true
    }

    func canSend(_ session: Session, on connection: ClientConnection) -> Bool {
        hasRoom(on: connection) && session.window.hasRoom(inflightMax: sendQuota(of: connection))
    }

    func send(_ delivery: Delivery, to session: Session, on connection: ClientConnection) {
        guard fits(delivery, on: connection) else { return drop(.packetTooLarge, of: session) }
        let packetID = session.window.open(delivery)
        // Whatever the publisher's DUP said [MQTT5-3.3.1-3] [MQTT5-4.3.2-2] [MQTT5-4.3.3-2].
        write(delivery, duplicate: false, packetID: packetID, on: connection)
    }

    /// Whether the client takes a packet that large; if not, the message counts as delivered [MQTT5-3.1.2-24] [MQTT5-3.1.2-25].
    func fits(_ delivery: Delivery, on connection: ClientConnection) -> Bool {
        guard let terms = connection.terms, terms.packetBytesMax != .max else { return true }
        let message = delivery.message
        let size = ByteBuffer.publishSize(
            topicBytes: message.topic.readableBytes, payloadBytes: message.payload.readableBytes, qos: delivery.qos,
            properties: properties(of: delivery))
        // Room for an alias, whichever it will be.
        return size + (terms.outboundAliases.isUsed ? 3 : 0) <= terms.packetBytesMax
    }

    private func properties(of delivery: Delivery) -> PublishProperties {
        var properties = delivery.message.publishProperties(at: now)
        if let identifiers = delivery.identifiers { properties.subscriptionIdentifiers = identifiers }
        return properties
    }

    /// Appends a packet that fits.
    func write(_ delivery: Delivery, duplicate: Bool, packetID: UInt16, on connection: ClientConnection) {
        let message = delivery.message
        if let terms = connection.terms {
            var properties = properties(of: delivery)
            var topic = message.topic
            if terms.outboundAliases.isUsed, let (alias, isKnown) = terms.outboundAliases.alias(for: topic) {
                properties.topicAlias = alias
                if isKnown { topic = ByteBuffer() }
            }
            connection.outbound.buffer.writePublish(
                topic: topic, payload: message.payload, qos: delivery.qos, retain: delivery.retain, duplicate: duplicate,
                packetID: packetID, properties: properties)
        } else {
            connection.outbound.buffer.writePublish(
                topic: message.topic, payload: message.payload, qos: delivery.qos, retain: delivery.retain, duplicate: duplicate,
                packetID: packetID)
        }
        counters.publishSent[Int(delivery.qos.rawValue)] &+= 1
        counters.packetsSent &+= 1
        markDirty(connection)
    }

    // MARK: What waits

    /// Sends what waits, as far as window and socket have room: what was sent before the client went, then retained messages for new
    /// subscriptions, as far as they are due, then the queue in order.
    func pump(_ session: Session) {
        guard let connection = session.connection else { return }
        while hasRoom(on: connection), let entry = session.window.nextResend(inflightMax: sendQuota(of: connection)) {
            resend(entry, to: session, on: connection)
        }
        while canSend(session, on: connection) {
            if sendNextRetained(to: session, on: connection) { continue }
            guard let next = session.queue.popFirst() else { break }
            queuedBytes -= next.message.size
            if next.message.isExpired(at: now) {
                drop(.messageExpired, of: session)  // [MQTT5-3.3.2-5]
                continue
            }
            guard admits(next.message.topic, to: session) else { continue }
            send(next, to: session, on: connection)  // [MQTT-4.6.0-6] [MQTT5-4.6.0-6]
        }
        checkPace(of: connection)
    }

    /// After a reconnection: everything unfinished again, with its packet identifier, in the original order.
    /// [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT5-4.4.0-1] [MQTT5-4.6.0-1]
    func restart(_ session: Session) {
        if !authorizer.isUnrestricted {
            session.window.finishAll { $0.stage != .awaitingPubcomp && !admits($0.delivery.message.topic, to: session) }
        }
        session.window.restart()
    }

    /// Also a message that has expired since it was sent first [MQTT5-4.3.3-7] [MQTT5-4.3.3-13].
    private func resend(_ entry: OutboundWindow.Entry, to session: Session, on connection: ClientConnection) {
        // [MQTT5-4.3.3-5] [MQTT5-4.3.3-6]
        if entry.stage == .awaitingPubcomp { return acknowledge(.pubrel, entry.packetID, on: connection) }
        guard fits(entry.delivery, on: connection) else {
            session.window.abandon(entry.packetID)
            return drop(.packetTooLarge, of: session)
        }
        write(entry.delivery, duplicate: true, packetID: entry.packetID, on: connection)  // [MQTT-3.3.1-1] [MQTT5-3.3.1-1]
    }
}
