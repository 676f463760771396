import DequeModule
import MQTTCodec
import NIOCore

/// How connections and sessions end, and what goes out for them: DISCONNECT, the will (MQTT 3.1.1 and MQTT 5 sections 3.14 and 4.13).
extension Shard {
    /// Ends a connection for good: its will goes out unless it said goodbye, its session stays or ends as it asked.
    func end(_ connection: ClientConnection, reason: CloseReason, closingTransport: Bool) {
        if connection.isClosed { return }
        charge()
        let wasConnected = connection.isConnected
        if closingTransport, wasConnected { sendDisconnect(reason, on: connection) }  // [MQTT5-3.14.0-1]
        connection.phase = .closed  // nothing is sent on it any more [MQTT5-3.14.4-1]
        counters.connectionsClosed[reason.name, default: 0] += 1
        if wasConnected || !isRefusal(reason) {
            transport.report(.closed(clientID: connection.clientID, connection.info, reason))
        }
        if wasConnected { reportLifecycle(.disconnected(reason), of: connection) }
        if connection.isTraced, let session = connection.session {
            traceDecision(
                "connection closed", of: session.clientID, [.text("reason", reason.name), .text("detail", reason.detail)])
        }
        let publisher = connection.publisher
        // Who was not let in has left no will: it was never told that it is connected [MQTT-3.1.2-8] [MQTT5-3.1.2-7].
        let wasLetIn = connection.held.gate == nil
        let will = wasConnected && wasLetIn ? connection.will : nil
        let origin = will == nil ? nil : connection.session.flatMap(originOfWill)
        connection.will = nil  // [MQTT-3.1.2-10] [MQTT5-3.1.2-10]
        let isDelayed = will.map { postpone($0, of: publisher, on: connection) } ?? false
        if !wasLetIn { takeBackUnsent(of: connection) }
        detach(connection)
        if let session = connection.session { countWills(of: session) }
        // Also where DISCONNECT or CONNACK did not fit the client [MQTT5-3.14.4-2] [MQTT5-4.13.2-1].
        if closingTransport {
            connection.isWritable = true  // what is left goes to the transport, which closes after it
            flush(connection)
            handOff()
            switch connection.link {
            case .local: transport.close(connection, because: reason)
            case .remote(let shard, let id): tell(shard, .relayClose(id: id, reason))
            }
        }
        forget(connection)
        if let will, !isDelayed { publishWill(will, of: publisher, origin) }  // [MQTT-3.1.2-8] [MQTT-3.1.2-12] [MQTT5-3.1.2-8]
    }

    private func detach(_ connection: ClientConnection) {
        guard let session = connection.session, session.connection === connection else { return }
        settle(connection, as: .even)
        session.connection = nil
        announceMembership(of: session, isOnline: false)
        counters.clientsConnected -= 1
        if session.endsWithConnection {
            discard(session, dropping: .sessionEnded)  // [MQTT-3.1.2-6]
        } else {
            session.retainedBacklog.giveUpAll { $0.qos == .atMostOnce }  // the others are still owed
            if session.heldRetained?.options.qos == .atMostOnce { session.heldRetained = nil }
            // It stays, with its subscriptions, and takes what comes [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-4.1.0-1]
            // [MQTT5-3.1.2-23].
            session.disconnectedAt = now
            recordSession(session)
            scheduleExpiry(of: session)
        }
    }

    /// Nothing has left of what stands behind a CONNACK that waits for the disk, and nothing is to.
    private func takeBackUnsent(of connection: ClientConnection) {
        let packets = connection.outbound.take()
        let bytes = packets.readableBytesUInt8Span
        var place = 0
        while let header = try? FixedHeader(reading: bytes, at: place, packetBytesMax: .max, version: connection.version) {
            if header.type == .publish, header.flags & 0x06 == 0 { counters.drop(.offlineAtQoS0) }
            place += header.packetLength
        }
        if let session = connection.session, session.connection === connection { session.window.noteNothingLeft() }
    }

    private func isRefusal(_ reason: CloseReason) -> Bool { if case .refused = reason { true } else { false } }

    /// A client of MQTT 5 is told why [MQTT5-4.13.1-1].
    private func sendDisconnect(_ reason: CloseReason, on connection: ClientConnection) {
        guard connection.terms != nil, let code = reason.reasonCode else { return }
        var packet = Disconnect(reasonCode: code)
        packet.properties.reasonString = reason.reasonString.map { String($0.prefix(1_024)) }
        if case .serverShuttingDown(let reference) = reason { packet.properties.serverReference = reference }
        send(.disconnect(packet), on: connection)
    }

    /// DISCONNECT by the client.
    func receiveDisconnect(_ packet: Disconnect, from session: Session, on connection: ClientConnection) {
        if let interval = packet.properties.sessionExpiryInterval, let terms = connection.terms {
            if interval > 0 && terms.sessionExpiryInterval == 0 {
                let text = "DISCONNECT asks for a session expiry interval, and CONNECT asked for none"
                return end(connection, reason: .protocolViolation(text), closingTransport: true)  // section 3.14.2.2.2
            }
            session.expirySeconds = min(Int(interval), connection.limits.values.sessionExpirySecondsMax)
        }
        if packet.reasonCode == .normalDisconnection {
            connection.will = nil  // [MQTT-3.1.2-10] [MQTT-3.14.4-3] [MQTT5-3.1.2-10] [MQTT5-3.14.4-3]
        }
        end(connection, reason: .disconnected, closingTransport: true)  // [MQTT-3.14.4-1]
    }

    /// Takes the connection out of the shard's tables.
    func forget(_ connection: ClientConnection) {
        connection.phase = .closed
        if case .local = connection.link, connections[connection.slot] === connection { connection.listener.figures.connected -= 1 }
        abandonCheck(of: connection)
        connection.lastRoute = nil
        connection.inbox = ByteBuffer()
        countStranger(connection)
        countInbox(of: connection)
        dropHeld(of: connection)
        if connection.backlog.count > 0 { counters.drop(.offlineAtQoS0, connection.backlog.count) }
        connection.backlog = DeliveryBacklog()
        forgetStuck(connection)
        settle(connection, as: .even)
        connection.terms?.exchange = nil
        relays[connection.id] = nil
        if case .remote(_, let id) = connection.link { adopted[id] = nil }
        if connections[connection.slot] === connection {
            connections[connection.slot] = nil
            freeSlots.append(connection.slot)
        }
    }

    /// Ends a session with everything in it, which retained messages are not [MQTT-3.1.2-7].
    ///
    /// `reason` counts what its queue held; what the client had not acknowledged counts as such.
    func discard(_ session: Session, dropping reason: ShardCounters.Drop) {
        charge()
        if session.isTraced {
            traceDecision(
                "session ended", of: session.clientID, [.text("reason", reason.rawValue), .number("queued", session.queue.count)])
        }
        let origin = session.delayedWill == nil ? nil : originOfWill(of: session)
        let wasKept = session.keeping.isKept
        recordEnd(of: session)
        let orphans = orphans(of: session)
        abandonSubscriptions(of: session)
        if session.queue.count > 0 { counters.drop(reason, session.queue.count) }
        let unacknowledged = session.window.unacknowledged
        if unacknowledged > 0 { counters.drop(.unacknowledged, unacknowledged) }
        // So that nothing of it is counted again, whoever still has the session.
        session.window = OutboundWindow()
        session.queue = MessageQueue()
        session.retainedBacklog = RetainedBacklog()
        countWaiting(of: session)
        session.awaitingPubrel = InboundExactlyOnce()  // [MQTT-3.1.2-6]
        countAwaitingPubrel(of: session)
        session.connection = nil
        if sessions.holds(session) { sessions[ExactText(session.clientID)] = nil }
        if !session.isReplaced {
            handOff()  // the client may be on another shard next
            directory.release(session.clientID, epoch: session.epoch, isEnding: wasKept && turns != nil)
        }
        passOn(orphans, of: session)
        if let delayed = session.delayedWill {  // [MQTT5-3.1.2-8]: the delay ends with the session at the latest
            session.delayedWill = nil  // [MQTT5-3.1.2-10]
            countWills(of: session)
            publishWill(delayed.will, of: delayed.publisher, origin)
        }
    }

    // MARK: Wills

    /// Keeps a will for its delay, if it has one and the session outlives the connection.
    private func postpone(_ will: Will, of publisher: Publisher, on connection: ClientConnection) -> Bool {
        guard let delay = will.properties.willDelayInterval, delay > 0, let session = connection.session, !session.endsWithConnection else {
            return false
        }
        let due = now.advanced(bySeconds: Double(delay))
        session.delayedWill = Session.DelayedWill(will: will, publisher: publisher, due: due)
        schedule(.will(clientID: session.clientID, epoch: session.epoch), at: due)
        return true
    }

    func publishDelayedWill(of session: Session) {
        guard let delayed = session.delayedWill, delayed.due <= now else { return }
        session.delayedWill = nil
        countWills(of: session)
        recordSession(session)
        publishWill(delayed.will, of: delayed.publisher, originOfWill(of: session))
    }

    private func publishWill(_ will: Will, of publisher: Publisher, _ origin: KeptOrigin?) {
        let properties = MessageProperties(
            forwarded: will.properties.forwarded,  // in their order [MQTT5-3.1.3-10]
            expiryInterval: will.properties.messageExpiryInterval, now: now)
        // Retained if and only if the client asked for it [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT5-3.1.2-14] [MQTT5-3.1.2-15].
        var message = Message(topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain, properties: properties)
        guard mayPublish(message.topic, retain: message.retain, publisher) else { return }
        if will.properties.forwarded != nil, followTrace(&message) { tellTrace(of: message) }
        accept(message, from: publisher, origin: message.qos == .atMostOnce ? nil : origin)
    }

    /// Closes every connection, as when the broker stops; `reference` names a server that clients of MQTT 5 may use instead.
    ///
    /// Those whose session is on another shard are closed by that one, which has the last words for them.
    package func closeAll(reference: String? = nil, now: Instant) {
        self.now = now
        let reason = CloseReason.serverShuttingDown(reference: reference)
        for connection in connections {
            guard let connection else { continue }
            if case .relaying = connection.phase { continue }
            end(connection, reason: reason, closingTransport: true)
        }
        publishOwnMessages()
    }
}
