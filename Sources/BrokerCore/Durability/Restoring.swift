import DequeModule
import MQTTCodec
import NIOCore

/// Sessions as the store kept them, at start.
extension Shard {
    /// Takes sessions over from the store, before the first connection.
    ///
    /// The connections that they had are lost, and so are subscriptions that would be refused now.
    package func restore(_ sessions: [RestoredSession], now: Instant) {
        self.now = now
        turns?.begin()
        for restored in sessions { restore(restored) }
        if !authorizer.isUnrestricted { takeBack() }  // the policies may be others than they were
        sweepRetained()
        publishOwnMessages()
    }

    private func restore(_ restored: RestoredSession) {
        let record = restored.record
        let session = Session(
            clientID: record.clientID, principal: record.principal, epoch: record.epoch, expirySeconds: record.expirySeconds)
        self.sessions[ExactText(record.clientID)] = session
        session.keeping.isKept = true
        session.slowConsumer = record.slowConsumer
        for (filter, options) in restored.subscriptions { announce(index.subscribe(session, to: filter, options: options)) }
        session.awaitingPubrel.restore(restored.received)
        countAwaitingPubrel(of: session)
        restoreDeliveries(restored.deliveries, of: session)

        let wasConnected = record.disconnectedAt == nil
        // The clock may have been set back meanwhile.
        session.disconnectedAt = min(record.disconnectedAt ?? now, now)
        if let kept = record.will {
            let delay = Double(kept.will.properties.willDelayInterval ?? 0)
            // The clock may have been set back meanwhile, here, too.
            let due = min(kept.due ?? .distantFuture, now.advanced(bySeconds: delay))
            session.delayedWill = Session.DelayedWill(will: kept.will, publisher: session.subscriber, due: due)
            countWills(of: session)
        }
        if wasConnected { recordSession(session) }
        // Time passed while nobody counted it.
        let expiry = (session.disconnectedAt ?? now).advanced(bySeconds: Double(session.expirySeconds))
        session.expiryDeadline = expiry
    }

    /// Lets time go on for what was restored, when all shards know what the others want: a will that is due, or a message that goes on to
    /// another member of a shared subscription, would find nobody before.
    package func beginTime(now: Instant) {
        self.now = now
        for session in sessions.values {
            let (clientID, epoch) = (session.clientID, session.epoch)
            if let due = session.delayedWill?.due { schedule(.will(clientID: clientID, epoch: epoch), at: due) }
            if let expiry = session.expiryDeadline { schedule(.sessionExpiry(clientID: clientID, epoch: epoch), at: expiry) }
        }
    }

    private func restoreDeliveries(_ deliveries: [RestoredDelivery], of session: Session) {
        var sent: [(sequence: UInt64, delivery: Delivery, isReleased: Bool)] = []
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
        for delivery in session.window.restore(sent.sorted { $0.sequence < $1.sequence }) {
            session.queue.append(delivery)
        }
        countWaiting(of: session)
        scheduleSweep(of: session)
    }
}
