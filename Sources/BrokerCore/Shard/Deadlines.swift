import HeapModule

/// A time at which a connection, a session or a message is to be looked at.
///
/// Not moved when traffic comes: what is found alive then gets a new one.
struct Deadline: Comparable {
    enum Kind {
        case connect(slot: Int, connectionID: UInt64)
        case keepAlive(slot: Int, connectionID: UInt64)
        case sessionExpiry(clientID: String, epoch: UInt64)
        case will(clientID: String, epoch: UInt64)
        /// Messages in a session's queue expire.
        case queueSweep(clientID: String, epoch: UInt64)
        case retainedSweep
        /// What a client was not given since the last line about it is told.
        case dropReport(clientID: String, epoch: UInt64)
        /// A client was waited for long enough.
        case patience(slot: Int, connectionID: UInt64)
        /// A client may publish again.
        case throttle(slot: Int, connectionID: UInt64)
        /// A client that failed to prove who it is has waited long enough for the answer.
        case refusal(slot: Int, connectionID: UInt64)
        /// The disk has taken nothing for so long that who waits for it is told.
        case storePatience
        /// What a client proved itself by expires.
        case proofEnd(slot: Int, connectionID: UInt64)
    }

    var at: Instant
    var kind: Kind

    static func < (lhs: Deadline, rhs: Deadline) -> Bool { lhs.at < rhs.at }
    static func == (lhs: Deadline, rhs: Deadline) -> Bool { lhs.at == rhs.at }
}

extension Shard {
    /// Seconds between two sweeps of one queue at the least: many messages that expire one after another are found together.
    private static let sweepPauseSeconds = 1.0

    /// Times that wait to be looked at: bounded by what is alive, not by what has come and gone.
    package var deadlineCount: Int { deadlines.count }

    func schedule(_ kind: Deadline.Kind, at time: Instant) {
        if deadlines.count >= deadlinesUntilSweep { sweepDeadlines() }
        let isEarliest = deadlines.min.map { time < $0.at } ?? true
        deadlines.insert(Deadline(at: time, kind: kind))
        if isEarliest { transport.setDeadline(time) }
    }

    func scheduleConnect(of connection: ClientConnection) {
        let time = now.advanced(bySeconds: Double(limits.connectSecondsMax))
        schedule(.connect(slot: connection.slot, connectionID: connection.id), at: time)
    }

    func scheduleKeepAlive(of connection: ClientConnection) {
        guard let time = connection.keepAliveDeadline else { return }
        schedule(.keepAlive(slot: connection.slot, connectionID: connection.id), at: time)
    }

    func scheduleProofEnd(of connection: ClientConnection) {
        guard let time = connection.proofEndsAt else { return }
        schedule(.proofEnd(slot: connection.slot, connectionID: connection.id), at: time)
    }

    func scheduleExpiry(of session: Session) {
        // When it comes, it finds out how long the session has been alone. One that comes too late is no use: the client may have asked for
        // a shorter expiry this time.
        let time = now.advanced(bySeconds: Double(session.expirySeconds))
        if let known = session.expiryDeadline, known <= time { return }
        session.expiryDeadline = time
        schedule(.sessionExpiry(clientID: session.clientID, epoch: session.epoch), at: time)
    }

    /// A message in the session's queue expires then; one that comes too late must not keep the room of what has expired.
    func scheduleSweep(of session: Session, at expiry: Instant) {
        let time = max(expiry, now.advanced(bySeconds: Self.sweepPauseSeconds))
        if let known = session.sweepAt, known <= time { return }
        session.sweepAt = time
        schedule(.queueSweep(clientID: session.clientID, epoch: session.epoch), at: time)
    }

    func scheduleRetainedSweep(at expiry: Instant) {
        if let known = retainedSweepAt, known <= expiry { return }
        retainedSweepAt = expiry
        schedule(.retainedSweep, at: expiry)
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
        case .connect(let slot, let id): connection(at: slot, id: id).map { !$0.isConnected } ?? false
        case .patience(let slot, let id): connection(at: slot, id: id)?.patienceEndsAt == deadline.at
        case .keepAlive(let slot, let id), .throttle(let slot, let id), .refusal(let slot, let id):
            connection(at: slot, id: id) != nil
        // A client may prove itself anew as often as it likes: the end of an earlier proof is nobody's deadline.
        case .proofEnd(let slot, let id): connection(at: slot, id: id)?.proofEndsAt == deadline.at
        case .sessionExpiry(let clientID, let epoch): session(clientID, epoch: epoch)?.expiryDeadline == deadline.at
        case .will(let clientID, let epoch): session(clientID, epoch: epoch)?.delayedWill?.due == deadline.at
        case .queueSweep(let clientID, let epoch): session(clientID, epoch: epoch)?.sweepAt == deadline.at
        case .dropReport(let clientID, let epoch): session(clientID, epoch: epoch)?.dropReportIsScheduled ?? false
        case .retainedSweep: retainedSweepAt == deadline.at
        case .storePatience: storePatienceAt == deadline.at
        }
    }

    private func connection(at slot: Int, id: UInt64) -> ClientConnection? {
        guard let connection = connections[slot], connection.id == id else { return nil }
        return connection
    }

    private func session(_ clientID: String, epoch: UInt64) -> Session? {
        guard let session = sessions[ExactText(clientID)], session.epoch == epoch else { return nil }
        return session
    }

    package func deadlineReached(now: Instant) {
        self.now = now
        meetDeadlines()
        publishOwnMessages()
    }

    /// Looks at what is due: very many sessions may end in the same moment, and then the others have their turn in between.
    func meetDeadlines() {
        isBehindTime = false
        let start = work
        while let first = deadlines.min, first.at <= now {
            if work - start > Self.visitsPerTurn {
                isBehindTime = true
                return workLater()
            }
            _ = deadlines.popMin()
            look(at: first.kind)
        }
        if let next = deadlines.min { transport.setDeadline(next.at) }
    }

    private func look(at kind: Deadline.Kind) {
        switch kind {
        case .connect(let slot, let id):
            guard let connection = connection(at: slot, id: id) else { return }
            switch connection.phase {
            case .awaitingConnect, .authenticating:
                end(connection, reason: .connectTimedOut, closingTransport: true)  // no return code says this [MQTT-3.2.2-6]
            case .checking(let connect, _, _): giveUpCheck(of: connection, connect)
            case .refusing: finishRefusal(of: connection)
            case .connected, .relaying, .closed: break
            }
        case .keepAlive(let slot, let id):
            if let connection = connection(at: slot, id: id), connection.isConnected { checkKeepAlive(of: connection) }
        case .sessionExpiry(let clientID, let epoch):
            if let session = session(clientID, epoch: epoch) { checkExpiry(of: session) }
        case .will(let clientID, let epoch):
            if let session = session(clientID, epoch: epoch) { publishDelayedWill(of: session) }
        case .queueSweep(let clientID, let epoch):
            if let session = session(clientID, epoch: epoch) { sweep(session) }
        case .retainedSweep: sweepRetained()
        case .storePatience: losePatienceWithStore()
        case .dropReport(let clientID, let epoch):
            if let session = session(clientID, epoch: epoch) { reportDrops(of: session) }
        case .patience(let slot, let id):
            if let connection = connection(at: slot, id: id) { losePatience(with: connection) }
        case .throttle(let slot, let id):
            if let connection = connection(at: slot, id: id) { endThrottle(of: connection) }
        case .refusal(let slot, let id):
            if let connection = connection(at: slot, id: id) { finishRefusal(of: connection) }
        case .proofEnd(let slot, let id):
            // A proof that came since, by re-authentication for instance, has a deadline of its own.
            guard let connection = connection(at: slot, id: id), let end = connection.proofEndsAt, end <= now else { return }
            self.end(connection, reason: .proofExpired, closingTransport: true)  // MQTT 5 section 3.14.2.1: 0xA0
        }
    }

    private func checkKeepAlive(of connection: ClientConnection) {
        guard let limit = connection.keepAliveDeadline else { return }
        if !connection.isRead {  // what it sends is not read, so its silence says nothing
            connection.lastReceived = now
            return scheduleKeepAlive(of: connection)
        }
        if limit <= now {
            end(connection, reason: .keepAliveTimedOut, closingTransport: true)  // [MQTT-3.1.2-24] [MQTT5-3.1.2-22]
        } else {
            scheduleKeepAlive(of: connection)
        }
    }

    private func checkExpiry(of session: Session) {
        guard let deadline = session.expiryDeadline, deadline <= now else { return }  // an earlier one took this one's place
        session.expiryDeadline = nil
        // It came back, and lasts as long as its connection; the next deadline is set when that ends [MQTT-4.1.0-2]
        // [MQTT5-4.1.0-1].
        guard let since = session.disconnectedAt else { return }
        let expiry = since.advanced(bySeconds: Double(session.expirySeconds))
        guard expiry <= now else {  // it came back in between
            session.expiryDeadline = expiry
            return schedule(.sessionExpiry(clientID: session.clientID, epoch: session.epoch), at: expiry)
        }
        expire(session)  // [MQTT5-4.1.0-2]
    }

    func expire(_ session: Session) {
        transport.report(.sessionExpired(clientID: session.clientID, queued: session.queue.count))
        counters.sessionsExpired &+= 1
        discard(session, dropping: .sessionExpired)
    }

    // MARK: Messages that expire

    private func sweep(_ session: Session) {
        guard let time = session.sweepAt, time <= now else { return }  // an earlier one took this one's place
        session.sweepAt = nil
        let expired = takeQueued(of: session) { $0.message.isExpired(at: now) }
        if !expired.isEmpty { drop(.messageExpired, of: session, expired.count) }
        if let next = session.queue.firstExpiry { scheduleSweep(of: session, at: next) }
    }

    func sweepRetained() {
        retainedSweepAt = nil
        let (removed, next) = retained.removeExpired(at: now)
        if removed > 0 {
            counters.drop(.messageExpired, removed)
            recordRetained()
        }
        changes &+= UInt64(next.map { $0 <= now } ?? false ? RetainedStore.expiriesPerSweep : removed)
        // More are due than there was time for: they go on in the next turn.
        if let next { scheduleRetainedSweep(at: next <= now ? next : max(next, now.advanced(bySeconds: Self.sweepPauseSeconds))) }
    }
}
