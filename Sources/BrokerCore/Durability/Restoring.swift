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
        restoreDeliveries(restored.deliveries, of: session)

        let wasConnected = record.disconnectedAt == nil
        // The clock may have been set back meanwhile.
        session.disconnectedAt = min(record.disconnectedAt ?? now, now)
        if let kept = record.will {
            let delay = Double(kept.will.properties.willDelayInterval ?? 0)
            let due = kept.due ?? now.advanced(bySeconds: delay)
            session.delayedWill = Session.DelayedWill(will: kept.will, publisher: session.subscriber, due: due)
            countWills(of: session)
            schedule(.will(clientID: session.clientID, epoch: session.epoch), at: due)
        }
        if wasConnected { recordSession(session) }
        // Time passed while nobody counted it.
        let expiry = (session.disconnectedAt ?? now).advanced(bySeconds: Double(session.expirySeconds))
        session.expiryDeadline = expiry
        schedule(.sessionExpiry(clientID: session.clientID, epoch: session.epoch), at: expiry)
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
