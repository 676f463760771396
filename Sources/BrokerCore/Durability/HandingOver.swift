import MQTTCodec

/// Where a message comes from that the store knows: a QoS 2 message of a session, a message of a shared subscription that leaves a session, a
/// will.
final class KeptOrigin {
    /// Gives what is handed over for it its place.
    let session: Session?
    /// Of a QoS 2 message that has come.
    var inbound: InboundID?
    /// Of a will.
    var will: HandOverID?
    /// Whether the store has the will as one that is on its way.
    var isWillKept = false
    /// The cells whose sessions got it before a crash.
    var done = ShardSet()
    /// Whether shared subscriptions have got it before a crash, or it is in the store for them.
    var groupsAreDone = false

    init(of session: Session) { self.session = session }

    init(done: ShardSet) {
        session = nil
        self.done = done
    }

    /// Whether a session is one of those.
    func isDone(for session: Session) -> Bool { session.cellBefore.map { done.contains($0) } ?? false }
}

/// What leaves the sessions of one shard for those of another one, in two transactions: it is kept as on its way by the first, and who takes
/// it says so in the second, so that a crash between them neither loses nor doubles it (record 0018).
extension Shard {
    // MARK: On its way

    /// Of a session that is kept: what its will is known by.
    func originOfWill(of session: Session) -> KeptOrigin? {
        guard turns != nil, session.keeping.isKept else { return nil }
        let origin = KeptOrigin(of: session)
        if let taken = session.willTaken {
            session.willTaken = nil
            origin.will = taken.id
            origin.done = taken.by
        }
        return origin
    }

    /// What other shards are to note of a message that they are handed.
    func part(of outgoing: inout OutgoingMessage) -> HandedPart? {
        guard let origin = outgoing.origin, let turns else { return nil }
        if let inbound = origin.inbound { return .inbound(inbound) }
        guard let session = origin.session, !origin.isWillKept else { return origin.will.map { .handOver($0) } }
        let handOver = origin.will ?? nextHandOver(of: session)
        origin.will = handOver
        origin.isWillKept = true
        record(handOver, &outgoing, share: nil, in: turns)
        return .handOver(handOver)
    }

    /// A message goes to a member of a shared subscription on another shard; answers nothing where the store does not know it.
    func recordHandOver(of outgoing: inout OutgoingMessage, share: String) -> HandOverID? {
        guard let session = outgoing.origin?.session, let turns else { return nil }
        let handOver = nextHandOver(of: session)
        record(handOver, &outgoing, share: share, in: turns)
        return handOver
    }

    private func nextHandOver(of session: Session) -> HandOverID {
        defer { session.keeping.nextPlace += 1 }
        return HandOverID(session: session.epoch, place: session.keeping.nextPlace)
    }

    private func record(_ handOver: HandOverID, _ outgoing: inout OutgoingMessage, share: String?, in turns: CommitTurns) {
        var done = cells[id.index]
        done.formUnion(outgoing.origin?.done ?? ShardSet())
        let body = turns.body(outgoing.stored())
        turns.record(
            .handOver(HandOverRecord(id: handOver, cell: outgoing.origin?.session?.cellBefore ?? id, done: done, body: body, share: share)))
        turns.awaitTaking(of: handOver)
        openTurn()
    }

    /// Hands over what must not arrive before the store has it as on its way: the order of shared subscriptions is nobody's promise.
    func handOverAfterTurn(_ message: Message, to shard: ShardID, group: String, _ handOver: HandOverID) {
        afterTurn.append((shard, .deliverShared(message, groups: [group], hops: 1, of: handOver)))
        if let mark = handOffs.add(message.size + HandOffs.messageBytes, for: shard) { afterTurn.append((shard, .mark(bytes: mark))) }
        turns?.tell(shard)
        if congestedPeers.contains(shard) || handOffs.full.contains(shard) { holdPublisher() }
        openTurn()
    }

    func releaseAfterTurn() {
        for (shard, message) in afterTurn { tellInThisTurn(shard, message) }
        afterTurn.removeAll(keepingCapacity: true)
    }

    /// All who were handed something have it on disk.
    func forgetHandedOver() {
        guard let turns else { return }
        for handOver in turns.takeHandedOver() { forget(handOver, in: turns) }
    }

    private func forget(_ handOver: HandOverID, in turns: CommitTurns) {
        turns.record(.handedOver(handOver))
        openTurn()
    }

    // MARK: After a crash

    /// Goes on with what the process before this one had begun.
    func resumeHandOvers() {
        guard let turns else { return }
        for kept in restoredHandOvers {
            turns.begin()
            resume(kept)
            if turns.touched.peers.isEmpty { forget(kept.id, in: turns) } else { turns.awaitTaking(of: kept.id) }
        }
        restoredHandOvers = []
        for ended in restoredEndings {
            turns.begin()
            let session = makeSession(ended)
            session.isReplaced = true
            restoreDeliveries(ended.deliveries, of: session)
            restoreWill(of: session, ended)
            discard(session, dropping: .sessionEnded)
        }
        restoredEndings = []
    }

    private func resume(_ kept: RestoredHandOver) {
        var outgoing = OutgoingMessage(kept.message, now: now)
        guard let share = kept.share else {
            let origin = KeptOrigin(done: kept.taken)
            origin.done.formUnion(kept.done)
            origin.will = kept.id
            origin.groupsAreDone = true
            outgoing.origin = origin
            deliver(&outgoing, along: routes.route(for: kept.message.topic, index: &index, topics: &topics))
            // Who has it here by now must not get it again after the next crash, before the others have it and all of it is forgotten.
            return recordPart(.handOver(kept.id), done: origin.done)
        }
        if !kept.taken.isEmpty { return }
        if kept.message.isExpired(at: now) { return counters.drop(.messageExpired) }  // [MQTT5-3.3.2-5]
        var looks = 0
        switch index.group(named: share)?.choose(counting: &looks) {
        case .member(let session, let options):
            guard let group = index.group(named: share) else { return }
            offer(&outgoing, to: session, options, of: group)
        case .shard(let shard): handOverAfterTurn(kept.message, to: shard, group: share, kept.id)
        case nil: counters.drop(.noSharedMember)
        }
    }
}
