import MQTTCodec
import NIOCore

/// What operators ask a shard about its clients and their subscriptions, and what they do to them.
extension Shard {
    /// Looks at the next of the sessions that are here.
    package func visitSessions(on walk: inout SessionWalk, _ look: (Session) -> Void) { sessions.visit(&walk, look) }

    /// The summary of a session that fits the query; `nil` of another, and of one that has ended meanwhile.
    package func summary(of session: Session, fitting query: ClientQuery, _ search: SearchedText?) -> ClientSummary? {
        guard sessions.holds(session) else { return nil }
        let connection = session.connection
        switch query.state {
        case .connected where connection == nil, .offline where connection != nil: return nil
        default: break
        }
        if let search {
            let texts = [session.clientID, session.principal, connection?.userName, connection?.info.peer]
            guard texts.contains(where: { $0.map { search.isIn($0.utf8) } ?? false }) else { return nil }
        }
        return summary(of: session)
    }

    /// One client's session, if it is here.
    package func client(_ clientID: String) -> ClientSummary? { sessions[ExactText(clientID)].map { summary(of: $0) } }

    func summary(of session: Session) -> ClientSummary {
        let connection = session.connection
        var summary = ClientSummary(
            clientID: session.clientID, connected: connection != nil, principal: session.principal,
            userName: connection?.userName, peer: connection?.info.peer, listener: connection?.info.listener,
            protocolVersion: connection.map(\.version.name) ?? "", cleanSession: session.endsWithConnection,
            keepAliveSeconds: Int(connection?.keepAliveSeconds ?? 0),
            connectedSeconds: connection.map { now.seconds(since: $0.openedAt) } ?? 0,
            subscriptions: session.subscriptions.count, queued: session.queue.count, inFlight: session.window.unfinished,
            drops: Dictionary(uniqueKeysWithValues: session.drops.map { ($0.key.rawValue, $0.value) }),
            refusals: session.refusals.all)
        summary.tls = connection?.info.tls
        summary.queuedBytes = session.queue.bytes + (connection.map { $0.outbound.count + $0.backlog.bytes } ?? 0)
        summary.isSlow = connection.map { $0.pace != .even } ?? false
        summary.connectedMilliseconds = connection.map { Int(max(0, now.nanoseconds - $0.openedAt.nanoseconds) / 1_000_000) } ?? 0
        return summary
    }

    // MARK: Subscriptions

    /// The subscriptions of one client that fit the query, in no order, as many as it wants; `nil` when its session is not here.
    package func subscriptions(of clientID: String, fitting query: SubscriptionQuery) -> [SubscriptionSummary]? {
        guard let session = sessions[ExactText(clientID)] else { return nil }
        let wanted = query.filter.map { ExactText($0) }
        var found: [SubscriptionSummary] = []
        for (filter, subscription) in session.subscriptions {
            if found.count >= query.limit { break }
            if let wanted, wanted != filter { continue }
            if let topic = query.topic, !Self.leads(topic, by: filter.text, subscription.options) { continue }
            found.append(SubscriptionSummary(filter.text, subscription.options, of: session))
        }
        return found
    }

    /// Whether a subscription, shared or not, matches a topic's name.
    private static func leads(_ topic: String, by text: String, _ options: SubscriptionOptions) -> Bool {
        let filter = (try? SharedFilter(parsing: text))?.filter ?? text
        return Topics.matches(name: topic, filter: options.excludesParent ? Topics.withoutParent(filter) : filter)
    }

    /// The subscriptions of one session, unless it has ended; in no order, at most `limit`.
    package func subscriptions(of session: Session, limit: Int) -> [SubscriptionSummary] {
        session.subscriptions.prefix(limit).map { SubscriptionSummary($0.key.text, $0.value.options, of: session) }
    }

    /// Who of this shard's sessions has subscribed to exactly this filter, as one of its own or with others, and with it gets `topic`, if one
    /// is given; at most `limit`, in no order.
    package func subscribers(to filter: String, getting topic: String? = nil, limit: Int) -> [SubscriptionSummary] {
        if (try? SharedFilter(parsing: filter)) != nil {
            let members = (index.group(named: filter)?.members ?? []).lazy.filter { member in
                topic.map { Self.leads($0, by: filter, member.options) } ?? true
            }
            return members.prefix(limit).map { SubscriptionSummary(filter, $0.options, of: $0.session) }
        }
        // Of the AWS dialect `a/#` is entered as what it means there.
        let all = filter == Topics.withoutParent(filter) ? [filter] : [filter, Topics.withoutParent(filter)]
        let forms = all.filter { form in topic.map { Topics.matches(name: $0, filter: form) } ?? true }
        let found = forms.flatMap { form in index.entry(of: form).map { summaries(of: $0, limit: limit) } ?? [] }
        return Array(found.filter { $0.filter == filter }.prefix(limit))
    }

    /// Who of this shard's sessions gets a message on this topic, by which subscription; at most `limit`, in no order.
    ///
    /// Of a shared subscription all its members here, of whom one gets it. Found in the index, as a message's recipients are. Rights are not
    /// looked at: they are asked at delivery.
    package func recipients(of topic: String, limit: Int) -> [SubscriptionSummary] {
        var found: [SubscriptionSummary] = []
        index.forEachMatch(ByteBuffer(string: topic)) { entry in
            if found.count < limit { found += summaries(of: entry, limit: limit - found.count) }
        }
        return found
    }

    private func summaries(of entry: borrowing TopicIndex.Entry, limit: Int) -> [SubscriptionSummary] {
        let filter = String(buffer: entry.filter)
        var found: [SubscriptionSummary] = []
        for subscriber in entry.subscribers where !subscriber.session.isAbandoned {
            if found.count >= limit { return found }
            found.append(SubscriptionSummary(Self.given(filter, subscriber.options), subscriber.options, of: subscriber.session))
        }
        for group in entry.groups {
            for member in group.members where !member.session.isAbandoned {
                if found.count >= limit { return found }
                found.append(SubscriptionSummary(Self.given(group.name, member.options), member.options, of: member.session))
            }
        }
        return found
    }

    /// The client's own text of a filter in the index.
    private static func given(_ filter: String, _ options: SubscriptionOptions) -> String {
        options.excludesParent ? TopicIndex.withParent(filter) : filter
    }

    // MARK: Kicking

    /// Closes a client's connection, if it has one here.
    ///
    /// A client of MQTT 5 is told 0x98. Its will goes out.
    ///
    /// - Parameters:
    ///   - clientID: whose connection.
    ///   - endingSession: whether its session goes, too, with what waits in it.
    ///   - now: the time of it.
    /// - Returns: what came of it; `nil` when the client has no session here.
    package func kick(_ clientID: String, endingSession: Bool, now: Instant) -> KickOutcome? {
        self.now = now
        guard let session = sessions[ExactText(clientID)] else { return nil }
        var outcome = KickOutcome()
        if endingSession { session.expirySeconds = 0 }
        if let connection = session.connection {
            outcome.wasConnected = true
            outcome.sessionRemoved = session.endsWithConnection
            end(connection, reason: .kicked, closingTransport: true)
        } else if endingSession {
            outcome.sessionRemoved = true
            discard(session, dropping: .sessionEnded)
        }
        publishOwnMessages()
        return outcome
    }
}

/// What came of closing a client's connection.
package struct KickOutcome: Sendable, Equatable {
    /// Whether there was a connection.
    package var wasConnected = false
    /// Whether the session has ended, as it does with its connection unless it is to wait for the client.
    package var sessionRemoved = false

    package init(wasConnected: Bool = false, sessionRemoved: Bool = false) {
        self.wasConnected = wasConnected
        self.sessionRemoved = sessionRemoved
    }
}
