import DequeModule
import HeapModule
import MQTTCodec
import NIOCore

/// Sessions as the store kept them, at start.
extension Shard {
    /// Takes sessions over from the store, before the first connection.
    ///
    /// The connections that they had are lost, and so are subscriptions that would be refused now.
    package func restore(_ state: RestoredState, now: Instant) {
        self.now = now
        turns?.begin()
        restoredHandOvers = state.handOvers
        sessions.reserveCapacity(state.sessions.count)
        for restored in state.sessions {
            if restored.isOver { restoredEndings.append(restored) } else { restore(restored) }
        }
        if !authorizer.isUnrestricted { takeBack() }  // the policies may be others than they were
        sweepRetained()
        publishOwnMessages()
    }

    private func restore(_ restored: RestoredSession) {
        let record = restored.record
        let session = makeSession(restored)
        self.sessions[ExactText(record.clientID)] = session
        for (filter, options) in restored.subscriptions { announce(index.subscribe(session, to: filter, options: options)) }
        session.awaitingPubrel.restore(restored.received)
        countAwaitingPubrel(of: session)
        restoreDeliveries(restored.deliveries, of: session, sent: record.sequence)

        let wasConnected = record.disconnectedAt == nil
        // The clock may have been set back meanwhile.
        session.disconnectedAt = min(record.disconnectedAt ?? now, now)
        restoreWill(of: session, restored)
        if wasConnected { recordSession(session) }
        // Time passed while nobody counted it.
        let expiry = (session.disconnectedAt ?? now).advanced(bySeconds: Double(session.expirySeconds))
        session.expiryDeadline = expiry
    }

    func makeSession(_ restored: RestoredSession) -> Session {
        let record = restored.record
        let session = Session(
            clientID: record.clientID, principal: record.principal, epoch: record.epoch, expirySeconds: record.expirySeconds)
        session.keeping.isKept = true
        session.keeping.nextPlace = restored.nextPlace
        session.slowConsumer = record.slowConsumer
        session.cellBefore = record.cell
        return session
    }

    func restoreWill(of session: Session, _ restored: RestoredSession) {
        guard let kept = restored.record.will else {
            // Of one that went out, when the session was not yet known to have it.
            if let taken = restored.willTaken { turns?.record(.handedOver(taken.id)) }
            return
        }
        let delay = Double(kept.will.properties.willDelayInterval ?? 0)
        // The clock may have been set back meanwhile, here, too.
        var due = min(kept.due ?? .distantFuture, now.advanced(bySeconds: delay))
        if restored.willTaken != nil { due = now }  // some have it already
        session.willTaken = restored.willTaken
        session.delayedWill = Session.DelayedWill(will: kept.will, publisher: session.subscriber, due: due)
        countWills(of: session)
    }

    /// Lets time go on for what was restored, when all shards know what the others want: a will that is due, or a message that goes on to
    /// another member of a shared subscription, would find nobody before.
    package func beginTime(now: Instant) {
        self.now = now
        resumeHandOvers()
        turns?.begin()
        // None of them is to be thrown out yet.
        deadlinesUntilSweep = max(deadlinesUntilSweep, deadlines.count + 2 * sessions.count + Self.deadlinesSweptMin)
        for session in sessions.all {
            publishDelayedWill(of: session)  // before the client may come back
            let (clientID, epoch) = (session.clientID, session.epoch)
            if let due = session.delayedWill?.due { schedule(.will(clientID: clientID, epoch: epoch), at: due) }
            if let expiry = session.expiryDeadline { schedule(.sessionExpiry(clientID: clientID, epoch: epoch), at: expiry) }
        }
        publishOwnMessages()
    }

    func restoreDeliveries(_ deliveries: [RestoredDelivery], of session: Session, sent least: UInt64 = 0) {
        var sent: [(sequence: UInt64, delivery: Delivery, isReleased: Bool)] = []
        session.queue.reserve(deliveries.count)
        for restored in deliveries {
            var delivery = Delivery(
                message: restored.message, qos: restored.qos, retain: restored.retain, identifiers: restored.identifiers,
                share: restored.share.flatMap { index.group(named: $0) })
            delivery.place = restored.place
            session.keeping.nextPlace = max(session.keeping.nextPlace, restored.place + 1)
            if let sequence = restored.sequence {
                sent.append((sequence, delivery, restored.isReleased))
            } else {
                session.queue.append(delivery)
            }
        }
        for delivery in session.window.restore(sent.sorted { $0.sequence < $1.sequence }, least: least) {
            session.queue.append(delivery)
        }
        countWaiting(of: session)
        if let first = session.queue.firstExpiry { scheduleSweep(of: session, at: first) }
    }
}

extension RestoredState {
    /// What each of so many shards is to begin with; all sessions are entered in the directory.
    ///
    /// Of several sessions of one client the last one counts.
    package func parts(for count: Int, enteredIn directory: SessionDirectory) -> [RestoredState] {
        var parts = Array(repeating: RestoredState(), count: count)
        let places = Dictionary(
            handOvers.map { ($0.id.session, $0.id.place) } + willsTaken.map { ($0.key.session, $0.key.place) }, uniquingKeysWith: max)
        for handOver in handOvers {
            directory.noteEpoch(handOver.id.session)
            parts[handOver.cell.index % count].handOvers.append(handOver)
        }
        // Of several wills, those that came later went out with less than the first was known by.
        let taken = Dictionary(willsTaken.map { ($0.key.session, (id: $0.key, by: $0.value)) }) { $0.id.place < $1.id.place ? $0 : $1 }
        directory.reserve(sessions.count)
        for index in parts.indices { parts[index].sessions.reserveCapacity(sessions.count / count) }
        for var session in sessions.reversed() {
            let record = session.record
            let shard = ShardID(record.cell.index % count)
            session.isOver = !directory.restore(record.clientID, for: shard, principal: record.principal, epoch: record.epoch)
            if !taken.isEmpty { session.willTaken = taken[record.epoch] }
            if !places.isEmpty { session.nextPlace = max(session.nextPlace, (places[record.epoch] ?? 0) + 1) }
            parts[shard.index].sessions.append(session)
        }
        return parts
    }
}
