import HeapModule

/// A time at which a connection or session is to be looked at.
///
/// Not moved when traffic comes: what is found alive then gets a new one.
struct Deadline: Comparable {
    enum Kind {
        case connect, keepAlive
        case sessionExpiry(clientID: String, epoch: UInt64)
    }

    var at: Instant
    var kind: Kind
    var slot: Int
    var connectionID: UInt64

    static func < (lhs: Deadline, rhs: Deadline) -> Bool { lhs.at < rhs.at }
    static func == (lhs: Deadline, rhs: Deadline) -> Bool { lhs.at == rhs.at }
}

extension Shard {
    /// Times that wait to be looked at: bounded by what is alive, not by what has come and gone.
    package var deadlineCount: Int { deadlines.count }

    func schedule(_ kind: Deadline.Kind, of connection: ClientConnection, at time: Instant) {
        insert(Deadline(at: time, kind: kind, slot: connection.slot, connectionID: connection.id))
    }

    func scheduleExpiry(of session: Session) {
        if session.expiryIsScheduled { return }  // when it comes, it finds out how long the session has been alone
        session.expiryIsScheduled = true
        let time = now.advanced(bySeconds: Double(limits.sessionExpirySecondsMax))
        insert(Deadline(at: time, kind: .sessionExpiry(clientID: session.clientID, epoch: session.epoch), slot: -1, connectionID: 0))
    }

    private func insert(_ deadline: Deadline) {
        if deadlines.count >= deadlinesUntilSweep { sweepDeadlines() }
        let isEarliest = deadlines.min.map { deadline.at < $0.at } ?? true
        deadlines.insert(deadline)
        if isEarliest { transport.setDeadline(deadline.at) }
    }

    /// Throws out what clients that come and go would otherwise leave behind: a deadline each time.
    ///
    /// Doubling spreads the cost over the insertions.
    private func sweepDeadlines() {
        let live = deadlines.unordered.filter(isLive)
        deadlines = Heap(live)
        deadlinesUntilSweep = max(Self.deadlinesSweptMin, live.count * 2)
    }

    private func isLive(_ deadline: Deadline) -> Bool {
        switch deadline.kind {
        case .sessionExpiry(let clientID, let epoch): return sessions[ExactText(clientID)]?.epoch == epoch
        case .connect, .keepAlive:
            guard let connection = connections[deadline.slot], connection.id == deadline.connectionID else { return false }
            if case .connect = deadline.kind { return !connection.isConnected }
            return true
        }
    }

    package func deadlineReached(now: Instant) {
        self.now = now
        while let first = deadlines.min, first.at <= now {
            _ = deadlines.popMin()
            look(at: first)
        }
        if let next = deadlines.min { transport.setDeadline(next.at) }
        publishOwnMessages()
    }

    private func look(at deadline: Deadline) {
        if case .sessionExpiry(let clientID, let epoch) = deadline.kind {
            guard let session = sessions[ExactText(clientID)], session.epoch == epoch else { return }
            session.expiryIsScheduled = false
            // It came back, and lasts as long as its connection; the next deadline is set when that ends [MQTT-4.1.0-2].
            guard let since = session.disconnectedAt else { return }
            let expiry = since.advanced(bySeconds: Double(limits.sessionExpirySecondsMax))
            guard expiry <= now else {  // it came back in between
                session.expiryIsScheduled = true
                let next = Deadline.Kind.sessionExpiry(clientID: clientID, epoch: epoch)
                return insert(Deadline(at: expiry, kind: next, slot: -1, connectionID: 0))
            }
            transport.report(.sessionExpired(clientID: clientID, queued: session.queue.count))
            discard(session, dropping: .sessionExpired)
            return
        }
        guard let connection = connections[deadline.slot], connection.id == deadline.connectionID else { return }
        switch (deadline.kind, connection.phase) {
        case (.connect, .awaitingConnect):
            end(connection, reason: .connectTimedOut, closingTransport: true)  // no return code says this [MQTT-3.2.2-6]
        case (.keepAlive, .connected):
            guard let limit = connection.keepAliveDeadline else { return }
            if limit <= now {
                end(connection, reason: .keepAliveTimedOut, closingTransport: true)  // [MQTT-3.1.2-24]
            } else {
                schedule(.keepAlive, of: connection, at: limit)
            }
        default: break
        }
    }
}
