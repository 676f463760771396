import MQTTCodec
import NIOCore

/// Answers that promise something leave when it is on disk (decision 4 of the architecture).
extension Shard {
    /// Answers that wait on one connection; then it is not read until they are half as many.
    static let heldAnswersMax = 4_096

    /// Whether an answer has to wait, be it only for those before it; then it is kept until it may leave.
    func holds(_ answer: @autoclosure () -> HeldAnswer, until need: CommitNeed? = nil, on connection: ClientConnection) -> Bool {
        guard let turns, turns.isStrict else { return false }
        let need = need ?? turns.touched
        if connection.held.isEmpty, turns.isMet(need) { return false }
        connection.held.append(answer(), until: need)
        if connection.held.count >= Self.heldAnswersMax { connection.isAwaitingAnswers = true }
        list(connection, in: turns)
        openTurn()
        return true
    }

    /// Nothing leaves on the connection until what CONNECT has led to is on disk.
    func gate(_ connection: ClientConnection) {
        guard let turns, turns.isStrict, !connection.isClosed, let clientID = connection.clientID else { return }
        var need = turns.touched
        // An earlier session that has ended and would come back after a crash.
        if let ended = turns.pendingEnd(of: clientID) {
            need.turn = max(need.turn, ended)
            need.own = true
        }
        if turns.isMet(need) { return }
        connection.held.gate = need
        list(connection, in: turns)
        openTurn()
    }

    private func list(_ connection: ClientConnection, in turns: CommitTurns) {
        if connection.held.isListed { return }
        connection.held.isListed = true
        turns.waiting.append(connection)
    }

    /// What has to be on disk of a session before something may be repeated that follows from it.
    func need(of session: Session) -> CommitNeed {
        session.keeping.isKept ? CommitNeed(turn: session.keeping.changedIn, own: true) : CommitNeed()
    }

    /// As ``need(of:)`` for a QoS 2 message, which may have come before: until all is on disk of those that came.
    func receivingNeed(of session: Session, on connection: ClientConnection) -> CommitNeed {
        guard let turns else { return CommitNeed() }
        for need in session.keeping.receiving where !turns.isMet(need) { _ = holds(.nothing, until: need, on: connection) }
        return need(of: session)
    }

    /// Asks the other shards, and gives the store what this turn has changed.
    func closeTurn() {
        guard let turns, turns.hasWork || turns.isWaitedFor else { return }
        let hasWork = turns.hasWork
        var (told, number, batch) = turns.close()
        if let batch { turns.store.append(batch) }
        releaseAfterTurn()
        while let peer = told.popFirst() { tellInThisTurn(peer, .settle(turn: number)) }
        // Somebody waits for something that turned out to be nothing.
        if !hasWork { release() }
    }

    // MARK: What the store says

    package func storeProgressed(_ progress: StoreProgress, now: Instant) {
        self.now = now
        guard let turns else { return }
        switch progress {
        case .committed(let number):
            for ended in turns.commit(upTo: number) { directory.forgetEnding(of: ended.clientID, epoch: ended.epoch) }
        case .failing:
            turns.isFailing = true
            if storePatienceAt == nil { scheduleStorePatience() }
        case .recovered:
            turns.isFailing = false
            storePatienceAt = nil
            recordRetained()  // what gathered meanwhile
        case .relieved: break
        }
        release()
        if !held.isEmpty || !waitingPublishes.isEmpty { openTurn() }  // at its end publishers are read again
    }

    func settled(_ turn: UInt64, by peer: ShardID) {
        turns?.settle(turn, by: peer)
        release()
    }

    /// Lets go what has waited long enough.
    private func release() {
        guard let turns else { return }
        turns.begin()
        for (peer, turn) in turns.takeSettled() { tell(peer, .settled(turn: turn)) }
        var waiting: [ClientConnection] = []
        swap(&waiting, &turns.waiting)
        for connection in waiting {
            connection.held.isListed = false
            if connection.isClosed { continue }
            if let gate = connection.held.gate, turns.isMet(gate) {
                connection.held.gate = nil
                markDirty(connection)
                resumeSending(on: connection)
            }
            while let answer = connection.held.popFirst(where: turns.isMet) { give(answer, on: connection) }
            if connection.isAwaitingAnswers, connection.held.count < Self.heldAnswersMax / 2 {
                connection.isAwaitingAnswers = false
                process(ByteBuffer(), on: connection)
            }
            if !connection.isClosed, !connection.held.isEmpty || connection.held.gate != nil { list(connection, in: turns) }
        }
        forgetHandedOver()
        for (receipt, isKept) in turns.takeRouted() { transport.published(receipt, isKept: isKept) }
    }

    private func give(_ answer: HeldAnswer, on connection: ClientConnection) {
        guard let session = connection.session, !connection.isClosed else { return }
        switch answer {
        case .acknowledgement(let type, let packetID, let code): write(type, packetID, code, on: connection)
        case .nothing: break
        case .packet(let packet): send(packet, on: connection)
        case .suback(let pending): finish(pending, on: connection)
        case .publish(let packetID, let duplicate):
            // What it was sent before it came back it may have answered meanwhile.
            guard let delivery = session.window.unanswered(packetID), let form = topicForm(of: delivery, on: connection) else { return }
            write(delivery, form, duplicate: duplicate, packetID: packetID, on: connection)
        }
    }

    /// The connection has ended: nobody is told, but a session that stays gets what follows its SUBACK.
    func dropHeld(of connection: ClientConnection) {
        if turns == nil { return }
        for answer in connection.held.takeAll() {
            switch answer {
            case .suback(let pending): queueRetained(of: pending)
            // Its first attempt is still to come [MQTT5-4.3.2-2] [MQTT5-4.3.3-2].
            case .publish(let packetID, duplicate: false): connection.session?.window.noteUnsent(packetID)
            default: break
            }
        }
    }
}
