import DequeModule
import NIOCore

/// Work that would hold the event loop up if it were done at once: a part of it in each turn, and the sockets are read in between.
extension Shard {
    /// Bytes from clients that have gone which are worked off before the loop goes on.
    static let leavingBytesPerTurn = 4_096

    /// There is more to do, after what has come by then.
    func workLater() {
        if workIsUnderWay { return }
        workIsUnderWay = true
        transport.workLater()
    }

    package func continueWork(now: Instant) {
        self.now = now
        workIsUnderWay = false
        if let (connection, reason) = leaving.popFirst() { finishIntake(of: connection, reason) }
        if isBehindTime { meetDeadlines() }
        continueAbandoning()
        continuePublishing()
        continueRetained()
        resumePaused()
        publishOwnMessages()
        if !leaving.isEmpty || !owedLater.isEmpty || !paused.isEmpty || !abandoned.isEmpty { workLater() }
    }

    private func resumePaused() {
        guard let connection = paused.popFirst(), connection.isHeld, !connection.isClosed, !connection.isLeaving else { return }
        connection.isHeld = false
        process(ByteBuffer(), on: connection)
    }

    /// What the client has sent beyond this packet is done when others have had their turn.
    func pause(_ connection: ClientConnection) {
        if connection.isHeld || connection.isLeaving { return }
        connection.isHeld = true
        paused.append(connection)
        workLater()
    }

    /// The client is gone: what it sent before, its goodbye above all, is done first, whatever it would have waited for.
    ///
    /// That may be much, for all that the socket held has been read by now.
    func finishIntake(of connection: ClientConnection, _ reason: CloseReason) {
        if connection.isClosed { return }  // also by a takeover: then nothing more is done for it
        let isWaiting = connection.isLeaving || connection.isAwaitingPeers || connection.isHeld || connection.isAwaitingAnswers
        connection.isLeaving = true
        let startBytes = connection.inbox.readableBytes
        let start = work
        while isWaiting, connection.inbox.readableBytes > 0, !connection.isClosed {
            let rest = connection.inbox.readableBytes
            let share = Self.leavingBytesPerTurn - (startBytes - rest)
            if share <= 0 || work - start > Self.visitsPerTurn {
                leaving.append((connection, reason))
                return workLater()
            }
            connection.isAwaitingPeers = false
            connection.isHeld = false
            connection.isAwaitingAnswers = false
            process(ByteBuffer(), on: connection, share: share)
            if connection.inbox.readableBytes == rest { break }  // the beginning of a packet
        }
        end(connection, reason: reason, closingTransport: false)
    }
}
