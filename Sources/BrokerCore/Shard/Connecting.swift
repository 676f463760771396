import DequeModule
import MQTTCodec
import NIOCore

/// CONNECT: who is this, which session is theirs, and on which shard (MQTT 3.1.1 sections 3.1 and 3.2).
extension Shard {
    func receiveConnect(_ packet: Connect, on connection: ClientConnection) {
        var connect = packet
        let clientIDBytesMax = max(limits.clientIDBytesMax, BrokerLimits.clientIDBytesAlways)  // [MQTT-3.1.3-5]
        guard connect.clientID.utf8.count <= clientIDBytesMax else {
            let text = "the client identifier is longer than \(clientIDBytesMax) bytes (clientIDBytesMax)"
            return refuse(connect.clientID, on: connection, .identifierRejected, text)  // [MQTT-3.1.3-9]
        }
        if connect.clientID.isEmpty {
            guard connect.cleanSession else {  // [MQTT-3.1.3-7] [MQTT-3.1.3-8]
                return refuse("", on: connection, .identifierRejected, "no client identifier, and no clean session")
            }
            connect.clientID = unusedName(for: connection)  // [MQTT-3.1.3-6]
        }
        switch authorizer.authenticate(connect, on: connection.info) {
        case .refused(let code):
            refuse(connect.clientID, on: connection, code, "the listener takes no client without a certificate")
        case .accepted(let principal):
            if let will = connect.will, topicProblem(will.topic) != nil {
                return refuse(connect.clientID, on: connection, .notAuthorized, "the will's topic is too long")
            }
            claim(connect, principal: principal, on: connection)
        }
    }

    /// A name that no client holds: somebody may have guessed the one that comes next.
    private func unusedName(for connection: ClientConnection) -> String {
        var name = "auto-\(String(connection.id, radix: 36))"
        while directory.isOwned(name) { name += "-" }
        return name
    }

    private func claim(_ connect: Connect, principal: String?, on connection: ClientConnection) {
        let claim = directory.claim(connect.clientID, for: id, principal: principal, cleanSession: connect.cleanSession)
        switch claim {
        case .refused:
            refuse(connect.clientID, on: connection, .notAuthorized, "the session belongs to another principal")
        case .ownedBy(let shard):
            handOver(connect, on: connection, to: shard)
        case .taken(let epoch, let shard, let previous):
            tell(shard, .evict(clientID: connect.clientID, epoch: previous, newPeer: connection.info.peer))
            open(connect, principal: principal, epoch: epoch, on: connection)
        case .granted(let epoch), .ownedHere(let epoch):
            open(connect, principal: principal, epoch: epoch, on: connection)
        }
    }

    /// The client identifier is this shard's: resumes its session or begins one.
    private func open(_ connect: Connect, principal: String?, epoch: UInt64, on connection: ClientConnection) {
        if let known = sessions[ExactText(connect.clientID)] {  // [MQTT-3.1.3-2]
            known.isReplaced = known.epoch == epoch  // the identifier stays this shard's throughout
            if let old = known.connection {
                transport.report(.takenOver(clientID: connect.clientID, oldPeer: old.info.peer, newPeer: connection.info.peer))
                end(old, reason: .sessionTakenOver(byPeer: connection.info.peer), closingTransport: true)  // [MQTT-3.1.4-2]
            }
            let isStale = known.epoch != epoch  // another shard took it in between, and its eviction is still under way
            if connect.cleanSession || isStale, sessions[ExactText(connect.clientID)] === known {  // [MQTT-3.1.4-3]
                discard(known, dropping: .sessionEnded)  // [MQTT-3.1.2-6]
            }
        }
        let resumed = sessions[ExactText(connect.clientID)]  // [MQTT-3.1.2-4]
        resumed?.isReplaced = false
        let session = resumed ?? makeSession(connect, principal: principal, epoch: epoch)
        attach(session, to: connection, connect: connect)
        let isPresent = resumed != nil  // [MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3]
        connection.outbound.writeConnack(Connack(sessionPresent: isPresent, returnCode: .accepted))  // [MQTT-3.1.4-4] [MQTT-3.2.0-1]
        counters.packetsSent &+= 1
        transport.report(
            .connected(
                clientID: session.clientID, connection.info, principal: principal, userName: connect.userName,
                cleanSession: connect.cleanSession, sessionPresent: isPresent))
        resendUnfinished(session, on: connection)
        pump(session)
        markDirty(connection)
    }

    private func makeSession(_ connect: Connect, principal: String?, epoch: UInt64) -> Session {
        let session = Session(clientID: connect.clientID, principal: principal, epoch: epoch, isClean: connect.cleanSession)
        sessions[ExactText(connect.clientID)] = session
        return session
    }

    private func attach(_ session: Session, to connection: ClientConnection, connect: Connect) {
        session.connection = connection
        session.disconnectedAt = nil
        connection.session = session
        connection.phase = .connected
        connection.will = connect.will
        connection.userName = connect.userName
        connection.keepAliveSeconds = connect.keepAlive
        if let deadline = connection.keepAliveDeadline { schedule(.keepAlive, of: connection, at: deadline) }
        counters.clientsConnected += 1
        counters.clientsMaximum = max(counters.clientsMaximum, counters.clientsConnected)
    }

    /// The session lives on another shard: from now on this half only passes bytes.
    private func handOver(_ connect: Connect, on connection: ClientConnection, to shard: ShardID) {
        connection.phase = .relaying(to: shard, peerID: nil)
        relays[connection.id] = connection
        tell(shard, .adopt(id: connection.id, info: connection.info, connect: connect))
    }

    // MARK: Refusals

    func refuse(_ clientID: String, on connection: ClientConnection, _ code: ConnectReturnCode, _ text: String) {
        connection.outbound.writeConnack(Connack(sessionPresent: false, returnCode: code))  // [MQTT-3.2.2-4]
        counters.packetsSent &+= 1
        counters.connectionsRefused["\(code)", default: 0] += 1
        transport.report(.refused(clientID: clientID, connection.info, code, text))
        end(connection, reason: .refused(code, text), closingTransport: true)  // [MQTT-3.2.2-5]
    }

    func refuseLevel(_ level: UInt8, on connection: ClientConnection) {
        let text = "protocol level \(level) is not supported: connect with MQTT 3.1.1"
        guard level == 5 else { return refuse("", on: connection, .unacceptableProtocolVersion, text) }  // [MQTT-3.1.2-2]
        // A client of MQTT 5 understands its own CONNACK: reason 0x84, no properties.
        connection.outbound.writeBytes([PacketType.connack.rawValue << 4, 3, 0, 0x84, 0])
        counters.packetsSent &+= 1
        let code = ConnectReturnCode.unacceptableProtocolVersion
        counters.connectionsRefused["\(code)", default: 0] += 1
        transport.report(.refused(clientID: "", connection.info, code, text))
        end(connection, reason: .refused(code, text), closingTransport: true)
    }

    // MARK: Endings

    /// Ends a connection for good: its will goes out unless it said goodbye, its session stays or ends as it asked.
    func end(_ connection: ClientConnection, reason: CloseReason, closingTransport: Bool) {
        if connection.isClosed { return }
        let wasConnected = connection.isConnected
        connection.phase = .closed
        counters.connectionsClosed[reason.name, default: 0] += 1
        if wasConnected || !isRefusal(reason) {
            transport.report(.closed(clientID: connection.clientID, connection.info, reason))
        }
        let publisher = connection.publisher
        if let session = connection.session, session.connection === connection {
            session.connection = nil
            counters.clientsConnected -= 1
            if session.isClean {
                discard(session, dropping: .sessionEnded)  // [MQTT-3.1.2-6]
            } else {
                // It stays, with its subscriptions, and takes what comes [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-4.1.0-1].
                session.retainedBacklog.removeAll { $0.qos == .atMostOnce }  // the others are still owed
                session.disconnectedAt = now
                scheduleExpiry(of: session)
            }
        }
        if closingTransport {
            connection.isWritable = true  // what is left goes to the transport, which closes after it
            flush(connection)
            switch connection.link {
            case .local: transport.close(connection)
            case .remote(let shard, let id): tell(shard, .relayClose(id: id, reason))
            }
        }
        forget(connection)
        if wasConnected, let will = connection.will { publishWill(will, of: publisher) }  // [MQTT-3.1.2-8] [MQTT-3.1.2-12]
        connection.will = nil  // [MQTT-3.1.2-10]
    }

    private func isRefusal(_ reason: CloseReason) -> Bool { if case .refused = reason { true } else { false } }

    /// Takes the connection out of the shard's tables.
    func forget(_ connection: ClientConnection) {
        connection.phase = .closed
        connection.lastRoute = nil
        connection.inbox = ByteBuffer()
        relays[connection.id] = nil
        if case .remote(_, let id) = connection.link { adopted[id] = nil }
        if connections[connection.slot] === connection {
            connections[connection.slot] = nil
            freeSlots.append(connection.slot)
        }
    }

    /// Ends a session with everything in it, which retained messages are not [MQTT-3.1.2-7].
    ///
    /// `reason` counts what its queue held.
    func discard(_ session: Session, dropping reason: ShardCounters.Drop) {
        for filter in session.subscriptions.keys.sorted() { removeSubscription(of: session, filter: filter.text) }
        if session.queue.count > 0 { counters.drop(reason, session.queue.count) }
        session.connection = nil
        if sessions[ExactText(session.clientID)] === session { sessions[ExactText(session.clientID)] = nil }
        if !session.isReplaced { directory.release(session.clientID, epoch: session.epoch) }
    }

    private func publishWill(_ will: Will, of publisher: Publisher) {
        // Retained if and only if the client asked for it [MQTT-3.1.2-16] [MQTT-3.1.2-17].
        let message = Message(topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain)
        guard mayPublish(message.topic, publisher) else { return }
        accept(message, from: publisher)
    }

    /// Closes every connection, as when the broker stops.
    package func closeAll(now: Instant) {
        self.now = now
        for connection in connections { if let connection { end(connection, reason: .serverShuttingDown, closingTransport: true) } }
        for connection in relays.values.sorted(by: { $0.id < $1.id }) {
            if case .local = connection.link { transport.close(connection) }
        }
        publishOwnMessages()
    }
}
