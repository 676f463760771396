import DequeModule
import MQTTCodec
import NIOCore

/// CONNECT: who is this, which session is theirs, and on which shard (MQTT 3.1.1 and MQTT 5 sections 3.1 and 3.2).
extension Shard {
    func receiveConnect(_ packet: Connect, on connection: ClientConnection) {
        var connect = packet
        let limits = connection.limits.values
        connection.begin(connect)
        if connection.isAWS, connect.version == .v31 {
            let text = "MQTT 3.1 (dialect: aws): connect with MQTT 3.1.1 or MQTT 5"
            return refuse(connect.clientID, on: connection, .unsupportedProtocolVersion, text)
        }
        let clientIDBytesMax = max(limits.clientIDBytesMax, BrokerLimits.clientIDBytesAlways)  // [MQTT-3.1.3-5] [MQTT5-3.1.3-5]
        guard connect.clientID.utf8.count <= clientIDBytesMax else {
            let text = "the client identifier is longer than \(clientIDBytesMax) bytes (clientIDBytesMax)"
            return refuse(connect.clientID, on: connection, .clientIdentifierNotValid, text)  // [MQTT-3.1.3-9] [MQTT5-3.1.3-8]
        }
        let isAssigned = connect.clientID.isEmpty
        if isAssigned {
            guard connect.version != .v31 else {  // V3.1 section 3.1
                return refuse("", on: connection, .clientIdentifierNotValid, "no client identifier, which MQTT 3.1 asks for")
            }
            guard connect.cleanStart || connect.version == .v5 else {  // [MQTT-3.1.3-7] [MQTT-3.1.3-8]
                return refuse("", on: connection, .clientIdentifierNotValid, "no client identifier, and no clean session")
            }
            connect.clientID = unusedName(for: connection)  // [MQTT-3.1.3-6] [MQTT5-3.1.3-6] [MQTT5-3.1.3-7]
        }
        if !traces.isEmpty { traceConnect(connect, bytes: connection.packetBytesKept, on: connection) }
        if let will = connect.will, let problem = topicProblem(will.topic, of: connection) {
            return refuse(connect.clientID, on: connection, .topicNameInvalid, "the will has \(problem)")
        }
        if let will = connect.will, will.properties.payloadFormatIndicator == .utf8,
            (try? UTF8Span(validating: will.payload.readableBytesUInt8Span)) == nil
        {
            return refuse(connect.clientID, on: connection, .payloadFormatInvalid, "the will is said to be UTF-8, and is not")
        }
        if connection.isAWS, let (code, problem) = awsProblem(with: connect) {
            return refuse(connect.clientID, on: connection, code, problem)
        }
        if let network = connection.info.network, admission.isBlocked(network, now: now) {
            return refuse(connect.clientID, on: connection, .banned, "the address failed too often (failedAuthenticationsMax)")
        }
        if let method = connect.properties.authenticationMethod {  // only then is AUTH sent [MQTT5-4.12.0-6]
            return beginAuthentication(method: method, of: connect, isAssignedClientID: isAssigned, on: connection)
        }
        switch authorizer.authenticate(connect, on: connection.info) {
        case .refused(let code, let text): refuseUnproved(connect, on: connection, code, text)  // [MQTT5-3.1.4-2]
        case .accepted(let principal, let credential):
            claim(
                AcceptedConnect(connect: connect, principal: principal, isAssignedClientID: isAssigned, credential: credential),
                on: connection)
        case .toBeChecked(let check): beginCheck(check, of: connect, isAssignedClientID: isAssigned, on: connection)
        case .proved(let principal, let proof):
            var accepted = AcceptedConnect(connect: connect, principal: principal, isAssignedClientID: isAssigned)
            accepted.take(proof, at: now)
            claim(accepted, on: connection)
        }
    }

    /// A name that no session has [MQTT5-3.2.2-16], whatever others call themselves.
    private func unusedName(for connection: ClientConnection) -> String {
        var name = "auto-\(String(directory.nameNumber(connection.id), radix: 36))"
        while directory.isOwned(name) { name += "-" }
        return name
    }

    func claim(_ connect: AcceptedConnect, on connection: ClientConnection) {
        var accepted = connect
        if !accepted.isHandedOver {
            // Which certificate it showed is known in any case: rights that come later have to know whom they are about.
            let attributes =
                authorizer.wantsAttributes ? authorizer.attributes(of: accepted.connect, on: connection.info) : connection.info.attributes
            if !attributes.isEmpty { accepted.attributes.merge(attributes) { proved, _ in proved } }
        }
        if !accepted.isHandedOver, connection.info.network != nil, !accepted.isAssignedClientID,
            !admission.admits(accepted.clientID, principal: accepted.principal, now: now)
        {
            let text = "the client identifier connects too often (connectsPerSecondPerClientMax)"
            return refuse(accepted.clientID, on: connection, .connectionRateExceeded, text)
        }
        // Also when another shard hands it over: what was right there may have been taken back on the way.
        if let refusal = refusal(of: accepted, on: connection) {
            return refuse(accepted.clientID, on: connection, .notAuthorized, refusal)
        }
        // Who can be told nothing is not let in, and changes nothing [MQTT5-3.1.4-5].
        if let most = connection.terms?.packetBytesMax, most != .max {
            let connack = connack(isResumed: false, accepted, on: connection)
            if connack.encodedSize(version: connection.version) > most { return send(connack, on: connection) }
        }
        if accepted.attempt == 0 { accepted.attempt = directory.nextAttempt() }
        if refusesForWantOfStore(accepted, on: connection) { return }
        // What the client's session has now goes, or is replaced.
        let willBytesOfOthers = willBytes - (sessions[ExactText(accepted.clientID)]?.willBytesCounted ?? 0)
        if let will = accepted.connect.will, willBytesOfOthers + will.size > willBytesShare {
            let text = "there is no room for one more will (willBytesInAllMax)"
            return refuse(accepted.clientID, on: connection, .quotaExceeded, text)
        }
        let claim = directory.claim(
            accepted.clientID, for: id, principal: accepted.principal, cleanStart: accepted.connect.cleanStart,
            attempt: accepted.attempt)
        switch claim {
        case .refused:
            refuse(accepted.clientID, on: connection, .notAuthorized, "the session belongs to another principal")
        case .superseded:
            // Its proof took longer than that of a later connection of the client, or it is on its way from another shard: the newer one stays.
            end(connection, reason: .sessionTakenOver(byPeer: ""), closingTransport: true)
        case .full:
            let text = "there are as many sessions as there may be (sessionsMax)"
            refuse(accepted.clientID, on: connection, .quotaExceeded, text)
        case .ownedBy(let shard):
            handOver(accepted, on: connection, to: shard)
        case .taken(let epoch, let shard, let previous):
            tell(
                shard,
                .evict(
                    clientID: accepted.clientID, epoch: previous, newPeer: connection.info.peer, slot: connection.slot,
                    connectionID: connection.id))
            turns?.tell(shard)
            connection.isAwaitingPeers = true
            open(accepted, epoch: epoch, on: connection)
        case .granted(let epoch), .ownedHere(let epoch), .renewed(let epoch):
            open(accepted, epoch: epoch, on: connection)
        }
    }

    /// Why the client may not connect, or not with that will: which would be refused only when nobody is there to be told.
    private func refusal(of accepted: AcceptedConnect, on connection: ClientConnection) -> String? {
        if let refusal = refusal(of: accepted.credential, by: accepted.principal, on: connection) { return refusal }
        if authorizer.isUnrestricted { return nil }
        let client = accepted.client
        if let refusal = authorizer.refusal(ofConnect: client) { return refusal }
        guard let will = accepted.connect.will else { return nil }
        return authorizer.refusal(ofPublish: String(buffer: will.topic), retain: will.retain, by: client).map { "the will: \($0)" }
    }

    /// The client identifier is this shard's: resumes its session or begins one.
    private func open(_ accepted: AcceptedConnect, epoch: UInt64, on connection: ClientConnection) {
        let connect = accepted.connect
        let key = ExactText(connect.clientID)
        var nextPlace: UInt64 = 1
        if let known = sessions[key] {  // [MQTT-3.1.3-2] [MQTT5-3.1.3-2]
            if known.epoch == epoch, known.lastAttempt > accepted.attempt {
                // It was handed over by another shard, and the client has come back by itself meanwhile: the newer connection stays.
                return end(connection, reason: .sessionTakenOver(byPeer: known.connection?.info.peer ?? ""), closingTransport: true)
            }
            known.isReplaced = known.epoch == epoch  // the identifier stays this shard's throughout
            meetOverdue(of: known)
            if let old = known.connection {
                transport.report(.takenOver(clientID: connect.clientID, oldPeer: old.info.peer, newPeer: connection.info.peer))
                // [MQTT-3.1.4-2] [MQTT5-3.1.4-3]
                end(old, reason: .sessionTakenOver(byPeer: connection.info.peer), closingTransport: true)
            }
            let isStale = known.epoch != epoch  // another shard took it in between, and its eviction is still under way
            if connect.cleanStart || isStale, sessions[key] === known {  // [MQTT-3.1.4-3] [MQTT5-3.1.4-4]
                discard(known, dropping: .sessionEnded)  // [MQTT-3.1.2-6] [MQTT5-3.1.2-4]
            }
            // Its will, and what goes on to other members of its groups, have had places, too.
            nextPlace = known.keeping.nextPlace
        }
        let resumed = sessions[key]  // [MQTT-3.1.2-4] [MQTT5-3.1.2-5] [MQTT5-3.1.2-6]
        resumed?.isReplaced = false
        let session = resumed ?? makeSession(accepted, epoch: epoch)
        // What an attribute granted is not granted by another one.
        if session.notes.renew(attributes: accepted.attributes), resumed != nil, !authorizer.isUnrestricted { takeBackFilters(of: session) }
        // The store knows a message by the epoch and its place: those of the session before are not used again.
        if resumed == nil { session.keeping.nextPlace = nextPlace }
        attach(session, to: connection, accepted)
        if !traces.isEmpty { traceLetIn(session, isResumed: resumed != nil, on: connection) }
        gate(connection)
        // Before anything else [MQTT-3.1.4-4] [MQTT-3.2.0-1] [MQTT5-3.1.4-5] [MQTT5-3.2.0-1].
        send(connack(isResumed: resumed != nil, accepted, on: connection), on: connection)
        if connection.isClosed { return }
        transport.report(
            .connected(
                clientID: session.clientID, connection.info, principal: accepted.principal, userName: connection.shown(connect.userName),
                cleanSession: connect.cleanStart, sessionPresent: resumed != nil))
        reportLifecycle(.connected, of: connection)
        restart(session)
        pump(session)
    }

    /// What is due of a session that nobody was connected to is not undone by a client that comes just before somebody looks.
    private func meetOverdue(of session: Session) {
        publishDelayedWill(of: session)  // [MQTT5-3.1.3-9]: only a connection before it was due keeps it back
        guard let since = session.disconnectedAt, since.advanced(bySeconds: Double(session.expirySeconds)) <= now else { return }
        expire(session)  // [MQTT5-4.1.0-2]
    }

    private func traceLetIn(_ session: Session, isResumed: Bool, on connection: ClientConnection) {
        markTraced(session)
        let name = isResumed ? "session resumed" : "session begun"
        traceDecision(
            name, of: session.clientID,
            [
                .text("principal", session.principal ?? "none"), .text("peer", connection.info.peer),
                .number("keepAlive", connection.keepAliveSeconds), .number("sessionExpirySeconds", session.expirySeconds),
            ])
    }

    private func makeSession(_ accepted: AcceptedConnect, epoch: UInt64) -> Session {
        let session = Session(clientID: accepted.clientID, principal: accepted.principal, epoch: epoch, expirySeconds: 0)
        sessions[ExactText(accepted.clientID)] = session
        return session
    }

    private func attach(_ session: Session, to connection: ClientConnection, _ accepted: AcceptedConnect) {
        let connect = accepted.connect
        session.connection = connection
        session.lastAttempt = accepted.attempt
        connection.attempt = accepted.attempt
        session.expirySeconds = accepted.sessionExpirySeconds(on: connection)
        session.disconnectedAt = nil
        session.delayedWill = nil  // [MQTT5-3.1.3-9]
        session.awaitingPubrel.beginConnection()
        session.slowConsumer = connection.info.terms.slowConsumer
        connection.session = session
        connection.phase = .connected
        connection.will = connect.will?.stored()  // [MQTT5-3.1.2-7]
        countWills(of: session)
        connection.userName = connection.shown(connect.userName)
        connection.credential = accepted.credential
        connection.proofEndsAt = accepted.proofEndsAt
        connection.provedNames = accepted.provedNames
        scheduleProofEnd(of: connection)
        connection.keepAliveSeconds = keepAlive(of: connect, on: connection)
        scheduleKeepAlive(of: connection)
        recordSession(session)
        counters.clientsConnected += 1
        counters.connectsAccepted &+= 1
        counters.clientsMaximum = max(counters.clientsMaximum, counters.clientsConnected)
        announceMembership(of: session, isOnline: true)
    }

    /// The keep alive in force: what a client of MQTT 5 asks for, at most `keepAliveSecondsMax`.
    ///
    /// MQTT 3.1.1 has no way to tell the client another one, so there it is the client's.
    private func keepAlive(of connect: Connect, on connection: ClientConnection) -> UInt16 {
        if connect.version != .v5, !connection.isAWS { return connect.keepAlive }
        let maximum = UInt16(clamping: connection.limits.values.keepAliveSecondsMax)
        let asked = connect.keepAlive == 0 ? maximum : min(connect.keepAlive, maximum)
        return connection.isAWS ? max(asked, UInt16(clamping: AWSQuotas.keepAliveSeconds.lowerBound)) : asked  // [MQTT5-3.2.2-22]
    }

    /// What a client is told that is let in.
    private func connack(isResumed: Bool, _ accepted: AcceptedConnect, on connection: ClientConnection) -> Packet {
        // [MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT5-3.2.2-2] [MQTT5-3.2.2-3]
        var connack = Connack(sessionPresent: isResumed, reasonCode: .success)
        if let terms = connection.terms {
            let expirySeconds = accepted.sessionExpirySeconds(on: connection)
            if expirySeconds != Int(terms.sessionExpiryInterval) {
                connack.properties.sessionExpiryInterval = UInt32(clamping: expirySeconds)
            }
            let limits = connection.limits.values
            connack.properties.receiveMaximum = UInt16(clamping: limits.receiveMaximum)
            connack.properties.maximumPacketSize = UInt32(clamping: limits.packetBytesMax)
            if accepted.isAssignedClientID { connack.properties.assignedClientIdentifier = accepted.clientID }
            connack.properties.topicAliasMaximum = UInt16(clamping: limits.topicAliasesMax)
            let keepAlive = keepAlive(of: accepted.connect, on: connection)
            if keepAlive != accepted.connect.keepAlive { connack.properties.serverKeepAlive = keepAlive }
            if connection.isAWS {
                connack.properties.maximumQoS = .atLeastOnce
                connack.properties.subscriptionIdentifierAvailable = false
            }
            connack.properties.authenticationMethod = terms.authenticationMethod  // [MQTT5-4.12.0-5] [MQTT5-4.12.0-6]
            connack.properties.authenticationData = accepted.authenticationData
        }
        return .connack(connack)
    }

    /// The session lives on another shard: from now on this half only passes bytes.
    private func handOver(_ connect: AcceptedConnect, on connection: ClientConnection, to shard: ShardID) {
        var accepted = connect
        accepted.isHandedOver = true
        connection.phase = .relaying(to: shard, peerID: nil)
        relays[connection.id] = connection
        tell(shard, .adopt(id: connection.id, info: connection.info, accepted))
    }

    // MARK: Refusals

    /// Refuses a client that did not prove who it is, later with each failure of its address.
    func refuseUnproved(_ connect: Connect, on connection: ClientConnection, _ code: ReasonCode, _ text: String) {
        let delay = admission.failed(connection.info.network, now: now)
        guard delay > 0 else { return refuse(connect.clientID, on: connection, code, text) }
        connection.terms?.exchange = nil
        connection.phase = .refusing(clientID: connect.clientID, code, text)
        schedule(.refusal(slot: connection.slot, connectionID: connection.id), at: now.advanced(bySeconds: delay))
    }

    func finishRefusal(of connection: ClientConnection) {
        guard case .refusing(let clientID, let code, let text) = connection.phase else { return }
        refuse(clientID, on: connection, code, text)
    }

    /// CONNACK with a reason, then the end; in the language of the CONNECT, as far as it was understood.
    func refuse(_ clientID: String, on connection: ClientConnection, _ code: ReasonCode, _ text: String) {
        refuse(clientID, on: connection, code, text, version: connection.version)
    }

    func refuse(_ clientID: String, on connection: ClientConnection, _ code: ReasonCode, _ text: String, version: ProtocolVersion) {
        // [MQTT-3.2.2-4] [MQTT5-3.2.2-6] [MQTT5-3.1.4-2]
        let connack = Packet.connack(Connack(sessionPresent: false, reasonCode: code))
        if version != .v5, connection.isAWS, code == .notAuthorized {
            connection.outbound.buffer.writeBytes(Self.awsNotAuthorized)
            counters.packetsSent &+= 1
        } else if version != .v5, code == .connectionRateExceeded {
            // No return code says this, and clients that are only closed try again [MQTT-3.2.2-6].
        } else if connack.encodedSize(version: version) <= connection.packetBytesMax {
            connack.encode(into: &connection.outbound.buffer, version: version)
            counters.packetsSent &+= 1
        }
        counters.connectionsRefused["\(code)", default: 0] += 1
        if !traces.isEmpty {
            traceDecision(
                "connect refused", of: clientID,
                [PacketDetail.code(code), .text("reason", text), .text("peer", connection.info.peer)])
        }
        transport.report(.refused(clientID: clientID, connection.info, code, text))
        end(connection, reason: .refused(code, text), closingTransport: true)  // [MQTT-3.2.2-5] [MQTT5-3.2.2-7]
    }

    /// IoT Core's CONNACK of MQTT 3.1.1 for a client that may not connect: a return code that the standard does not have.
    private static let awsNotAuthorized: [UInt8] = [0x20, 2, 0, 7]

    /// What IoT Core does not take of a CONNECT.
    private func awsProblem(with connect: Connect) -> (ReasonCode, String)? {
        if connect.clientID.utf8.first == UInt8(ascii: "$") { return (.clientIdentifierNotValid, "the client identifier begins with $") }
        if connect.will?.qos == .exactlyOnce { return (.qosNotSupported, "a will with QoS 2 (dialect: aws)") }
        if connect.properties.authenticationMethod != nil {
            return (.badAuthenticationMethod, "enhanced authentication (dialect: aws)")
        }
        return nil
    }

    /// A level that is none of the protocol's name: of the past, or of the future.
    func refuseLevel(_ level: UInt8, ofOldName isOfOldName: Bool, on connection: ClientConnection) {
        let text = "protocol level \(level) is not supported with that protocol name: connect with MQTT 3.1, 3.1.1 or 5"
        // [MQTT-3.1.2-2] [MQTT5-3.1.2-2]
        refuse("", on: connection, .unsupportedProtocolVersion, text, version: isOfOldName ? .v311 : Self.versionOfRefusal(level))
    }

    /// Levels 3 and 4 with the highest bit are how mosquitto's bridges begin, which understand the answers of MQTT 3.1.1, and try without it
    /// then.
    private static func versionOfRefusal(_ level: UInt8) -> ProtocolVersion {
        level > 5 && level != 0x83 && level != 0x84 ? .v5 : .v311
    }
}
