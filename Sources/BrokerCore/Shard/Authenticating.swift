import MQTTCodec
import NIOCore

/// Enhanced authentication: an exchange of AUTH packets before CONNACK, or again on an open connection (MQTT 5 section 4.12).
extension Shard {
    func beginAuthentication(method: String, of connect: Connect, isAssignedClientID: Bool, on connection: ClientConnection) {
        guard let exchange = authorizer.exchange(method: method, on: connection.info) else {
            // [MQTT5-4.12.0-1]
            return refuse(connect.clientID, on: connection, .badAuthenticationMethod, "the authentication method is not known here")
        }
        connection.terms?.exchange = exchange
        connection.phase = .authenticating(connect, isAssignedClientID: isAssignedClientID)
        proceed(exchange.receive(connect.properties.authenticationData), on: connection)
    }

    /// AUTH before CONNACK; anything else is an error there [MQTT5-3.1.2-30].
    func receiveWhileAuthenticating(_ packet: Packet, on connection: ClientConnection) {
        switch packet {
        case .auth(let auth): receiveAuth(auth, on: connection)
        case .disconnect: end(connection, reason: .disconnected, closingTransport: true)
        default:
            end(connection, reason: .protocolViolation("a packet other than AUTH before CONNACK"), closingTransport: true)
        }
    }

    func receiveAuth(_ auth: Auth, on connection: ClientConnection) {
        guard let terms = connection.terms, let method = terms.authenticationMethod else {
            // [MQTT5-4.12.0-7]
            return end(connection, reason: .protocolViolation("AUTH, and CONNECT named no authentication method"), closingTransport: true)
        }
        guard auth.properties.authenticationMethod == method else {  // [MQTT5-4.12.0-5] [MQTT5-4.12.1-1]
            return end(connection, reason: .protocolViolation("AUTH with another authentication method"), closingTransport: true)
        }
        // Also a proof that was begun before: else every connection that is open would be a guess more.
        if case .authenticating(let connect, _) = connection.phase, let network = connection.info.network,
            admission.isBlocked(network, now: now)
        {
            terms.exchange = nil
            return refuse(connect.clientID, on: connection, .banned, "the address failed too often (failedAuthenticationsMax)")
        }
        switch (auth.reasonCode, connection.isConnected, terms.exchange) {
        case (.continueAuthentication, _, let exchange?):  // [MQTT5-4.12.0-3]
            proceed(exchange.receive(auth.properties.authenticationData), on: connection)
        case (.reauthenticate, true, nil):
            guard let exchange = authorizer.exchange(method: method, on: connection.info) else {
                return fail(.badAuthenticationMethod, "the authentication method is not known here any more", on: connection)
            }
            terms.exchange = exchange
            proceed(exchange.receive(auth.properties.authenticationData), on: connection)
        default:
            end(connection, reason: .protocolViolation("AUTH that nothing led to"), closingTransport: true)
        }
    }

    private func proceed(_ step: AuthenticationStep, on connection: ClientConnection) {
        switch step {
        case .challenge(let data): sendAuth(.continueAuthentication, data, on: connection)  // [MQTT5-4.12.0-2]
        case .refused(let code, let text):
            if case .authenticating(let connect, _) = connection.phase {
                return refuseUnproved(connect, on: connection, code, text)  // [MQTT5-4.12.0-4]
            }
            _ = admission.failed(connection.info.network, now: now)
            fail(code, text, on: connection)
        case .accepted(let principal, let data, let credential):
            accept(principal, Proof(credential: credential), data, on: connection)
        case .proved(let principal, let proof): accept(principal, proof, nil, on: connection)
        }
    }

    private func accept(_ principal: String, _ proof: Proof, _ data: ByteBuffer?, on connection: ClientConnection) {
        connection.terms?.exchange = nil
        switch connection.phase {
        case .authenticating(let connect, let isAssigned):
            var accepted = AcceptedConnect(
                connect: connect, principal: principal, isAssignedClientID: isAssigned, authenticationData: data)
            accepted.take(proof, at: now)
            claim(accepted, on: connection)
        case .connected:
            guard let session = connection.session, session.principal.map(ExactText.init) == ExactText(principal) else {
                return fail(.notAuthorized, "re-authentication by another principal", on: connection)
            }
            if let problem = refusal(of: proof.credential, by: principal, on: connection) {
                return fail(.notAuthorized, problem, on: connection)
            }
            renew(proof, of: session, on: connection)
            sendAuth(.success, data, on: connection)
        default: break
        }
    }

    /// Takes another proof of the same principal: it holds until its own end, and what it says of the client counts from now on.
    private func renew(_ proof: Proof, of session: Session, on connection: ClientConnection) {
        connection.credential = proof.credential
        let endsAt = proof.seconds.map { now.advanced(bySeconds: Double($0)) }
        if endsAt != connection.proofEndsAt {
            connection.proofEndsAt = endsAt
            scheduleProofEnd(of: connection)
        }
        var attributes = session.notes.attributes.filter { !connection.provedNames.contains($0.key) }
        attributes.merge(proof.attributes) { _, proved in proved }
        connection.provedNames = Set(proof.attributes.keys)
        // As for a client that comes back: what an attribute granted is not granted by another one.
        if session.notes.renew(attributes: attributes), !authorizer.isUnrestricted { takeBackFilters(of: session) }
    }

    /// Why what the client proved counts no more, though it did when the proof began; `nil` when it does.
    func refusal(of credential: CredentialFingerprint?, by principal: String?, on connection: ClientConnection) -> String? {
        (credential ?? connection.info.credential).flatMap { authorizer.refusal(ofCredential: $0, by: principal, on: connection.info) }
    }

    private func sendAuth(_ code: ReasonCode, _ data: ByteBuffer?, on connection: ClientConnection) {
        var auth = Auth(reasonCode: code)
        auth.properties.authenticationMethod = connection.terms?.authenticationMethod  // [MQTT5-4.12.0-5]
        auth.properties.authenticationData = data
        send(.auth(auth), on: connection)
    }

    private func fail(_ code: ReasonCode, _ text: String, on connection: ClientConnection) {
        if case .authenticating(let connect, _) = connection.phase {
            refuse(connect.clientID, on: connection, code, text)  // [MQTT5-4.12.0-4]
        } else {
            // Not every code of CONNACK is one of DISCONNECT [MQTT5-3.14.2-1].
            let told = code.isAllowed(in: .disconnect, from: .server) ? code : .notAuthorized
            end(connection, reason: .limitExceeded(told, text), closingTransport: true)  // [MQTT5-4.12.1-2]
        }
    }
}
