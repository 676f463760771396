import DequeModule
import MQTTCodec
import NIOCore

/// PUBLISH to clients: the send window, what the client takes, and what waits (MQTT 3.1.1 and MQTT 5 sections 3.3 and 4.9).
extension Shard {
    // MARK: QoS 0

    func sendAtQoS0(_ outgoing: inout OutgoingMessage, retain: Bool, to session: Session, on connection: ClientConnection) {
        let form = FrameForm(version: connection.version, retain: retain)
        guard let frame = outgoing.frameAtQoS0(form), frame.readableBytes <= connection.packetBytesMax else {
            return drop(.packetTooLarge, of: session)
        }
        if !takesMore(connection) {
            guard mayFollow(&outgoing, retain: retain, identifiers: nil, bytes: frame.readableBytes, to: session, on: connection) else {
                return
            }
            connection.outbound.buffer.writeImmutableBuffer(frame)
        } else if outgoing.isForMany {
            connection.outbound.append(lastOf: share(frame, of: &outgoing, as: form))
        } else {
            connection.outbound.buffer.writeImmutableBuffer(frame)
        }
        counters.publishSent[0] &+= 1
        counters.packetsSent &+= 1
        counters.publishBytesSent &+= UInt64(outgoing.message.payload.readableBytes)
        countDelivery(acceptedAt: outgoing.message.acceptedAt, on: connection)
        markDirty(connection)
        if connection.outbound.count >= limits.outboundBytesMax { flush(connection) }  // does not wait for the turn's end
    }

    /// Whether what is written for a client leaves with the turn, or there is not much yet that waits for the disk with its CONNACK.
    func takesMore(_ connection: ClientConnection) -> Bool {
        connection.isWritable && (connection.held.gate == nil || connection.outbound.count < limits.outboundBytesMax)
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
    func sendAtQoS0(_ delivery: Delivery, of outgoing: inout OutgoingMessage, to session: Session, on connection: ClientConnection) {
        guard let form = topicForm(of: delivery, on: connection) else { return drop(.packetTooLarge, of: session) }
        if !takesMore(connection) {
            let bytes = delivery.message.size
            guard
                mayFollow(
                    &outgoing, retain: delivery.retain, identifiers: delivery.identifiers, bytes: bytes, to: session, on: connection)
            else { return }
        }
        write(delivery, form, duplicate: false, packetID: 0, on: connection)
        if connection.outbound.count >= limits.outboundBytesMax { flush(connection) }
    }

    /// The transport takes nothing now: whether a message may follow what waits for it already, as bytes that are sent whatever happens.
    ///
    /// If not, it has got its place in the backlog, or was dropped.
    private func mayFollow(
        _ outgoing: inout OutgoingMessage, retain: Bool, identifiers: [UInt32]?, bytes: Int, to session: Session,
        on connection: ClientConnection
    ) -> Bool {
        let message = outgoing.message
        let makesRoom = connection.pace == .slow && session.slowConsumer == .dropOldest
        if !makesRoom {
            let followsBytes = connection.backlog.isEmpty && message.properties?.expiresAt == nil
            guard mayWait(session, on: connection, bytes: followsBytes ? bytes : message.size) else { return false }
            if followsBytes { return true }
        }
        connection.backlog.append(
            Delivery(message: outgoing.stored(), qos: .atMostOnce, retain: retain, identifiers: identifiers, share: nil))
        if makesRoom {
            noteStuck(message.size, on: connection)
            trimBacklog(of: connection, session)
        }
        return false
    }

    /// Whether a QoS 0 message may wait for a transport that takes nothing now.
    ///
    /// While its publishers wait for it, a client may have twice the limit: what they had sent already.
    private func mayWait(_ session: Session, on connection: ClientConnection, bytes: Int) -> Bool {
        let waiting = connection.outbound.count + connection.backlog.bytes
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

    private func trimBacklog(of connection: ClientConnection, _ session: Session) {
        while connection.backlog.bytes > limits.outboundBytesMax || stuckBytes > outboundBytesShare,
            let oldest = connection.backlog.popFirst()
        {
            noteStuck(-oldest.message.size, on: connection)
            drop(oldest.message.isExpired(at: now) ? .messageExpired : .outboundFull, of: session)
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
        guard !connection.backlog.isEmpty, let session = connection.session else { return }
        while connection.isWritable, let delivery = connection.backlog.popFirst() {
            if delivery.message.isExpired(at: now) {
                drop(.messageExpired, of: session)  // [MQTT5-3.3.2-5]
                continue
            }
            guard admits(delivery.message.topic, to: session) else { continue }
            guard let form = topicForm(of: delivery, on: connection) else {
                drop(.packetTooLarge, of: session)
                continue
            }
            write(delivery, form, duplicate: false, packetID: 0, on: connection)
            if connection.outbound.count >= limits.outboundBytesMax { flush(connection) }
        }
        noteStuck(connection.backlog.bytes, on: connection)
    }

    // MARK: QoS 1 and 2

    /// QoS 1 and 2 messages that may be under way to the client [MQTT5-3.3.4-9] [MQTT5-4.9.0-1] [MQTT5-4.9.0-2].
    func sendQuota(of connection: ClientConnection) -> Int {
        min(connection.limits.values.inflightMax, connection.terms?.receiveMaximum ?? .max)
    }

    /// Never past what waits in the backlog.
    func hasRoom(on connection: ClientConnection) -> Bool {
        guard connection.backlog.isEmpty else { return false }
        if connection.outbound.count >= limits.outboundBytesMax {
            guard takesMore(connection) else { return false }
            flush(connection)
        }
        return true
    }

    func canSend(_ session: Session, on connection: ClientConnection) -> Bool {
        hasRoom(on: connection)
            && session.window.hasRoom(inflightMax: sendQuota(of: connection), bytesMax: limits.inflightBytesMax)
    }

    func send(_ delivery: Delivery, to session: Session, on connection: ClientConnection) {
        guard let form = topicForm(of: delivery, on: connection) else {
            recordRemoval(of: delivery, from: session)
            return drop(.packetTooLarge, of: session)
        }
        var delivery = delivery
        recordSent(&delivery, to: session)
        let packetID = session.window.open(delivery)
        countWaiting(of: session)
        // Its identifier has to be known after a crash, or the client would take another message for this one.
        if isHeld(packetID, delivery.qos, duplicate: false, of: session, on: connection) { return }
        // Whatever the publisher's DUP said [MQTT5-3.3.1-3] [MQTT5-4.3.2-2] [MQTT5-4.3.3-2].
        write(delivery, form, duplicate: false, packetID: packetID, on: connection)
    }

    /// How a PUBLISH tells its topic.
    enum TopicForm {
        case name
        case alias(UInt16)
        /// By name, with an alias that the client is given by it.
        case nameAndAlias
    }

    /// The form in which the client takes the packet: with an alias where there is one and the packet is not too large with it.
    ///
    /// `nil` when it is too large for the client, or for the protocol, in every form: then the message counts as delivered
    /// [MQTT5-3.1.2-24] [MQTT5-3.1.2-25].
    func topicForm(of delivery: Delivery, on connection: ClientConnection) -> TopicForm? {
        let (message, qos) = (delivery.message, delivery.qos)
        guard let terms = connection.terms else { return message.hasPacket(qos: qos, properties: nil) ? .name : nil }
        let known = terms.outboundAliases.isUsed ? terms.outboundAliases.known(for: message.topic) : nil
        let preferred = known.map { TopicForm.alias($0) } ?? (terms.outboundAliases.hasFree ? .nameAndAlias : .name)
        let bytesMax = min(terms.packetBytesMax, BrokerLimits.packetBytesAlwaysMax)
        if terms.packetBytesMax == .max, message.hasPacket(qos: qos, properties: properties(of: delivery)) { return preferred }
        var told = properties(of: delivery)
        let nameBytes = message.packetBytes(qos: qos, properties: told)
        told.topicAlias = 1  // as long as any other
        if message.packetBytes(qos: qos, isTopicNamed: known == nil, properties: told) <= bytesMax { return preferred }
        return nameBytes <= bytesMax ? .name : nil
    }

    private func properties(of delivery: Delivery) -> PublishProperties {
        var properties = delivery.message.publishProperties(at: now)
        if let identifiers = delivery.identifiers { properties.subscriptionIdentifiers = identifiers }
        return properties
    }

    /// Appends a packet that fits.
    func write(
        _ delivery: Delivery, _ form: TopicForm, duplicate: Bool, packetID: UInt16, on connection: ClientConnection
    ) {
        let message = delivery.message
        if let terms = connection.terms {
            var properties = properties(of: delivery)
            var topic = message.topic
            switch form {
            case .name: break
            case .alias(let alias):
                properties.topicAlias = alias
                topic = ByteBuffer()
            case .nameAndAlias: properties.topicAlias = terms.outboundAliases.give(to: topic)
            }
            connection.outbound.buffer.writePublish(
                topic: topic, payload: message.payload, qos: delivery.qos, retain: delivery.retain, duplicate: duplicate,
                packetID: packetID, properties: properties)
        } else {
            connection.outbound.buffer.writePublish(
                topic: message.topic, payload: message.payload, qos: delivery.qos, retain: delivery.retain, duplicate: duplicate,
                packetID: packetID)
        }
        counters.publishBytesSent &+= UInt64(message.payload.readableBytes)
        if !duplicate { countDelivery(acceptedAt: message.acceptedAt, on: connection) }
        counters.publishSent[Int(delivery.qos.rawValue)] &+= 1
        counters.packetsSent &+= 1
        markDirty(connection)
    }

    // MARK: What waits

    /// Sends what waits, as far as window and socket have room: what was sent before the client went, then retained messages for new
    /// subscriptions, as far as they are due, then the queue in order.
    func pump(_ session: Session) {
        countWaiting(of: session)
        guard let connection = session.connection else { return }
        while hasRoom(on: connection), let entry = session.window.nextResend(inflightMax: sendQuota(of: connection)) {
            resend(entry, to: session, on: connection)
        }
        while canSend(session, on: connection) {
            if sendNextRetained(to: session, on: connection) || sendQueuedRun(of: session, on: connection) { continue }
            guard var next = session.queue.popFirst() else { break }
            next.message.acceptedAt = countedTime(next.message.acceptedAt, on: connection)
            if next.message.isExpired(at: now) {
                recordRemoval(of: next, from: session)
                drop(.messageExpired, of: session)  // [MQTT5-3.3.2-5]
                continue
            }
            guard admits(next.message.topic, to: session) else {
                recordRemoval(of: next, from: session)
                continue
            }
            send(next, to: session, on: connection)  // [MQTT-4.6.0-6] [MQTT5-4.6.0-6]
        }
        countWaiting(of: session)
        checkPace(of: connection)
    }

    /// After a reconnection: everything unfinished again, with its packet identifier, in the original order.
    /// [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT5-4.4.0-1] [MQTT5-4.6.0-1]
    func restart(_ session: Session) {
        if !authorizer.isUnrestricted {
            var givenUp: [Delivery] = []
            session.window.finishAll { entry in
                guard entry.stage != .awaitingPubcomp, !admits(entry.delivery.message.topic, to: session) else { return false }
                givenUp.append(entry.delivery)
                return true
            }
            for delivery in givenUp { recordGivenUp(delivery, by: session) }
        }
        session.window.restart()
    }

    /// Also a message that has expired since it was sent first [MQTT5-4.3.3-7] [MQTT5-4.3.3-13].
    private func resend(_ entry: OutboundWindow.Entry, to session: Session, on connection: ClientConnection) {
        // [MQTT5-4.3.3-5] [MQTT5-4.3.3-6]
        if entry.stage == .awaitingPubcomp { return acknowledge(.pubrel, entry.packetID, after: need(of: session), on: connection) }
        let isNew = session.window.takeNew(entry.packetID)
        if isNew, entry.delivery.message.isExpired(at: now) {  // [MQTT5-3.3.2-5]: nobody has begun to get it
            session.window.abandon(entry.packetID)
            countWaiting(of: session)
            recordGivenUp(entry.delivery, by: session)
            return drop(.messageExpired, of: session)
        }
        guard let form = topicForm(of: entry.delivery, on: connection) else {
            session.window.abandon(entry.packetID)
            countWaiting(of: session)
            recordGivenUp(entry.delivery, by: session)
            return drop(.packetTooLarge, of: session)
        }
        let duplicate = !isNew
        if isHeld(entry.packetID, entry.delivery.qos, duplicate: duplicate, of: session, on: connection) { return }
        write(entry.delivery, form, duplicate: duplicate, packetID: entry.packetID, on: connection)  // [MQTT-3.3.1-1] [MQTT5-3.3.1-1]
    }

    /// Whether a message waits for the disk: at QoS 2 by itself, and at QoS 1 behind one that does, which was sent before it
    /// [MQTT-4.6.0-1] [MQTT-4.6.0-6] [MQTT5-4.6.0-1] [MQTT5-4.6.0-6].
    private func isHeld(_ packetID: UInt16, _ qos: QoS, duplicate: Bool, of session: Session, on connection: ClientConnection) -> Bool {
        guard qos == .exactlyOnce || connection.held.publishes > 0 else { return false }
        let need = qos == .exactlyOnce ? need(of: session) : CommitNeed()
        return holds(.publish(packetID, duplicate: duplicate), until: need, on: connection)
    }
}
