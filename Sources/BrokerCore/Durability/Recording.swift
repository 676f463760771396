import MQTTCodec
import NIOCore

/// What of a session goes to the store, as it changes.
///
/// Everything here is nothing for a shard without a store, and for a session that ends with its connection.
extension Shard {
    /// The store's account of this shard, for a session that is in the store.
    private func account(of session: Session) -> CommitTurns? {
        guard let turns, session.keeping.isKept else { return nil }
        return turns
    }

    private func record(_ change: StoreChange, of session: Session, in turns: CommitTurns) {
        turns.record(change)
        session.keeping.changedIn = turns.turn
        openTurn()
    }

    private func record(_ change: @autoclosure () -> StoreChange, of session: Session) {
        guard let turns = account(of: session) else { return }
        record(change(), of: session, in: turns)
    }

    // MARK: Sessions

    /// The session as it is now; one that ends with its connection is not kept, whatever it was before.
    func recordSession(_ session: Session) {
        guard let turns else { return }
        if session.endsWithConnection { return recordEnd(of: session) }
        if !session.keeping.isKept { noteKept(session, true) }
        let will: WillRecord? =
            if let delayed = session.delayedWill {
                WillRecord(will: delayed.will, due: delayed.due)
            } else {
                session.connection?.will.map { WillRecord(will: $0, due: nil) }
            }
        var kept = SessionRecord(
            epoch: session.epoch, clientID: session.clientID, principal: session.principal, expirySeconds: session.expirySeconds,
            slowConsumer: session.slowConsumer, cell: session.cellBefore ?? id, disconnectedAt: session.disconnectedAt, will: will)
        kept.sequence = session.window.sequence
        record(.putSession(kept), of: session, in: turns)
    }

    func recordEnd(of session: Session) {
        if session.keeping.isKept { turns?.noteEnd(of: session.clientID, epoch: session.epoch) }
        record(.endSession(session.epoch), of: session)
        if session.keeping.isKept { noteKept(session, false) }
    }

    private func noteKept(_ session: Session, _ isKept: Bool) {
        session.keeping.isKept = isKept
        directory.note(session.clientID, epoch: session.epoch, isKept: isKept)
    }

    func recordSubscription(of session: Session, to filter: String) {
        guard let turns = account(of: session), let subscription = session.subscriptions[ExactText(filter)] else { return }
        record(.subscribe(session: session.epoch, filter: filter, subscription.options), of: session, in: turns)
    }

    func recordUnsubscription(of session: Session, from filter: String) {
        record(.unsubscribe(session: session.epoch, filter: filter), of: session)
    }

    // MARK: Messages to the client

    /// A message begins to wait for the session; gives it its place.
    func recordQueued(_ delivery: inout Delivery, for session: Session) {
        guard let turns = account(of: session) else { return }
        enter(&delivery, of: session, sequence: nil, in: turns)
    }

    /// A message is on its way under the last packet identifier that the window gave.
    ///
    /// Before it is in the window: it takes its place along.
    func recordSent(_ delivery: inout Delivery, to session: Session) {
        guard let turns = account(of: session) else { return }
        let sequence = session.window.sequence + 1
        if delivery.place == 0 {
            enter(&delivery, of: session, sequence: sequence, in: turns)
        } else {
            record(.sent(session: session.epoch, place: delivery.place, sequence: sequence), of: session, in: turns)
        }
    }

    private func enter(_ delivery: inout Delivery, of session: Session, sequence: UInt64?, in turns: CommitTurns) {
        delivery.place = session.keeping.nextPlace
        session.keeping.nextPlace += 1
        let body = delivery.body?.place(in: turns, delivery.message) ?? turns.body(delivery.message)
        delivery.body = nil
        let entry = DeliveryRecord(
            session: session.epoch, place: delivery.place, body: body, qos: delivery.qos, retain: delivery.retain, sequence: sequence,
            identifiers: delivery.identifiers, share: delivery.share?.name)
        record(.enqueue(entry), of: session, in: turns)
    }

    /// The session is done with a message, in whatever way.
    func recordRemoval(of delivery: Delivery, from session: Session) { recordRemoval(at: delivery.place, from: session) }

    func recordRemoval(at place: UInt64, from session: Session) {
        if place != 0 { record(.remove(session: session.epoch, place: place), of: session) }
    }

    /// A message that was sent is not sent again, while its client may know it by its packet identifier.
    func recordGivenUp(_ delivery: Delivery, by session: Session) {
        recordRemoval(of: delivery, from: session)
        if delivery.place != 0, delivery.qos == .exactlyOnce, account(of: session) != nil { recordSession(session) }
    }

    /// Where the store has the message that was sent with a packet identifier; 0 when it has it not.
    func keptPlace(of packetID: UInt16, in session: Session) -> UInt64 {
        account(of: session) == nil ? 0 : session.window.delivery(of: packetID)?.place ?? 0
    }

    /// PUBREC has come.
    func recordRelease(at place: UInt64, of session: Session) {
        if place != 0 { record(.released(session: session.epoch, place: place), of: session) }
    }

    // MARK: Messages from the client

    /// A QoS 2 message has come, and went to these shards beside this one.
    ///
    /// `done`: the cells that had got it before a crash.
    func recordReceived(_ packetID: UInt16, of session: Session, with shards: ShardSet, done: ShardSet) {
        guard let turns else { return }
        if session.keeping.isKept {
            var own = cells[id.index]
            own.formUnion(done)
            var expected = own
            var others = turns.isStrict ? shards : ShardSet()
            while let shard = others.popFirst() { expected.formUnion(cells[shard.index]) }
            let entry = ReceivedRecord(session: session.epoch, packetID: packetID, cell: id, expected: expected, done: own)
            record(.received(entry), of: session, in: turns)
        }
        if let last = session.keeping.receiving.indices.last, session.keeping.receiving[last].turn == turns.touched.turn {
            session.keeping.receiving[last].formUnion(turns.touched)
        } else if !turns.touched.isNone {
            session.keeping.receiving.removeAll(where: turns.isMet)
            session.keeping.receiving.append(turns.touched)
        }
    }

    /// What a message that another shard handed over led to here goes to the store together with this.
    func recordPart(_ part: HandedPart, done: ShardSet = ShardSet()) {
        guard let turns else { return }
        var own = cells[id.index]
        own.formUnion(done)
        switch part {
        case .inbound(let inbound):
            turns.record(
                .received(ReceivedRecord(session: inbound.session, packetID: inbound.packetID, cell: id, expected: ShardSet(), done: own)))
        case .handOver(let handOver): turns.record(.taken(handOver, by: id, cells: own))
        }
        openTurn()
    }

    func recordForgotten(_ packetID: UInt16, of session: Session) {
        record(.forget(session: session.epoch, packetID: packetID), of: session)
    }

    // MARK: Rules

    /// Rules have handed something to the store; the batch of this turn comes behind it.
    func recordOfRules() {
        guard let turns else { return }
        turns.recordOfRules()
        openTurn()
    }

    // MARK: Retained messages

    func recordRetained() {
        // While the disk fails the topics gather where they are, and go to it with whatever is written first.
        guard let turns else { return }
        if turns.isFailing {
            turns.hasUnkept = true
            return
        }
        turns.recordRetained()
        openTurn()
    }
}
