import DequeModule

/// Messages of the rest of the program, of one call.
struct WaitingPublish {
    var messages: Deque<Message>
    /// What the transport is told when all are routed, and what they have led to is on disk.
    let receipt: UInt64
    /// What those that are routed have led to, by the turns of that.
    var needs: [CommitNeed] = []
    /// Whether the disk took nothing that it should have.
    var hasUnkept = false

    mutating func note(_ need: CommitNeed) {
        if need.isNone { return }
        if let last = needs.indices.last, needs[last].turn == need.turn { return needs[last].formUnion(need) }
        needs.append(need)
    }
}

/// What programs publish waits as clients' messages do: for subscribers that do not keep up, other loops that have much to do, and the disk.
extension Shard {
    /// Whether what is published now finds room wherever it goes, as far as that is known.
    var hasRoomToRoute: Bool { waitedFor == 0 && congestedPeers.isEmpty && handOffs.full.isEmpty && !isStoreBehind }

    /// Publishes as the broker itself, in order, at the home of all their topics; ``ShardTransport/published(_:isKept:)`` follows, at once or later.
    ///
    /// Then what clients publish comes after them everywhere, and what they have led to is on disk as it is at a PUBACK, also where rules made
    /// others of them, on whichever shard. While the disk takes nothing it follows at once, and says so where something had to be there.
    package func publish(_ messages: [Message], receipt: UInt64, now: Instant) {
        self.now = now
        admission.publishRoom.take(messages.reduce(0) { $0 + $1.sizeWaiting })
        var accepted = Deque(messages)
        for index in accepted.indices { accepted[index].noteAccepted(at: now) }
        waitingPublishes.append(WaitingPublish(messages: accepted, receipt: receipt))
        continuePublishing()
    }

    /// Routes what waits, as far as there is room, and time in this turn; at a stop whatever there is.
    package func continuePublishing(isStopping: Bool = false) {
        let start = work
        while !waitingPublishes.isEmpty {
            while let message = waitingPublishes[0].messages.first {
                if !isStopping {
                    // The turn ends again when there is room.
                    if programsAreHeld, !hasRoomToRoute { return }
                    programsAreHeld = false
                    if work - start > Self.visitsPerTurn { return workLater() }
                }
                waitingPublishes[0].messages.removeFirst()
                admission.publishRoom.give(message.sizeWaiting)
                routeForProgram(message)
            }
            handOff()
            confirm(waitingPublishes.removeFirst())
        }
    }

    private func confirm(_ routed: WaitingPublish) {
        guard let turns, turns.mustWait(for: routed) else {
            return transport.published(routed.receipt, isKept: turns?.isKept(routed) ?? true)
        }
        turns.routed.append(routed)
        openTurn()
    }

    /// Those that follow wait if somebody who gets this one has as much as it may, or if the disk does not keep up.
    private func routeForProgram(_ message: Message) {
        isRoutingForProgram = true
        turns?.begin()
        turns?.hasUnkept = false
        enqueueOwn(message)
        publishOwnMessages()
        if let turns, turns.isStrict {
            if !ownMessages.isEmpty { turns.touchAll() }  // they come later in the turn
            waitingPublishes[0].note(turns.touched)
            if turns.hasUnkept { waitingPublishes[0].hasUnkept = true }
        }
        isRoutingForProgram = false
        if isStoreBehind { programsAreHeld = true }
    }

    // MARK: Other shards' messages that are routed here

    /// Rules elsewhere made messages for topics whose home is here, and who gets them has as much to do as it may: their clients wait, too.
    func noteFullRelay() {
        if isRelayFull || handOffs.full.isEmpty { return }
        isRelayFull = true
        if waitedFor == 0 { tellPeers(.congested(true)) }
    }

    func noteRoomInRelay() {
        guard isRelayFull, handOffs.full.isEmpty else { return }
        isRelayFull = false
        if waitedFor == 0 { tellPeers(.congested(false)) }
    }
}

extension Message {
    fileprivate var sizeWaiting: Int { size + HandOffs.messageBytes }
}
