import MQTTCodec

/// Rights that change while clients are here.
extension Shard {
    /// Takes back what the authorizer does not grant any more.
    ///
    /// Clients whose credential is gone, or is another one now, are closed with the reason. Subscriptions that would be refused now are
    /// removed, also of clients that are away, unless nothing is known of them since a restart: those are asked for when they come back, and
    /// at each delivery until then. Clients that lost one, or that may not connect any more, are closed likewise; everybody else
    /// stays. What is queued is asked for when it is sent.
    package func rightsChanged(now: Instant) {
        self.now = now
        closeUnproved()
        if !authorizer.isUnrestricted { takeBack() }
        publishOwnMessages()
    }

    /// Closes a connection whose client would not be let in any more by what it proved itself with, as when its certificate is revoked.
    ///
    /// Also one whose session is on another shard, which has the last words for it. `refusal` goes to the log.
    package func proofLost(_ connection: ClientConnection, refusal: String, now: Instant) {
        self.now = now
        if case .relaying(let shard, _) = connection.phase {
            tell(shard, .relayProofLost(id: connection.id, refusal: refusal))
        } else {
            end(connection, reason: .notPermitted(refusal), closingTransport: true)
            publishOwnMessages()
        }
    }

    private func closeUnproved() {
        for session in sessions.all {
            guard let connection = session.connection,
                let refusal = refusal(of: connection.credential, by: session.principal, on: connection)
            else { continue }
            end(connection, reason: .notPermitted(refusal), closingTransport: true)
        }
    }

    /// Removes the subscriptions of one client that would be refused now.
    ///
    /// - Returns: why the first of them would be; `nil` where none is.
    @discardableResult
    func takeBackFilters(of session: Session) -> String? {
        var refusal: String?
        var refused: [String] = []
        for filter in session.subscriptions.keys.map(\.text) {
            let wanted = (try? SharedFilter(parsing: filter))?.filter ?? filter
            guard let problem = authorizer.refusal(ofSubscribe: wanted, by: session.subscriber) else { continue }
            refused.append(filter)
            _ = session.refusals.note(.subscribe, filter, problem)
            transport.report(.subscribeDenied(clientID: session.clientID, filter: filter, problem))
            refusal = refusal ?? problem
        }
        removeSubscriptions(of: session, filters: refused)
        return refusal
    }

    /// What the policies do not grant any more.
    func takeBack() {
        for session in sessions.all {
            var refusal = session.connection == nil ? nil : authorizer.refusal(ofConnect: session.subscriber)
            // What it proved is not known any more, and would be taken for nothing.
            if session.connection == nil, !session.notes.isKnown, authorizer.judgesByAttributes { continue }
            let lost = takeBackFilters(of: session)
            refusal = refusal ?? lost
            if let refusal, let connection = session.connection {
                end(connection, reason: .notPermitted(refusal), closingTransport: true)
            }
        }
    }
}
