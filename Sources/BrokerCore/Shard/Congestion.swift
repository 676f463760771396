import MQTTCodec
import NIOCore

/// Back-pressure: publishers wait for subscribers that do not keep up, but only for a moment.
///
/// A subscriber at its limit is waited for: whoever publishes to its shard meanwhile is not read any further, so that its bytes stay in
/// its socket. When the subscriber has caught up, or its time is over and it counts as slow, all are read again. So a burst costs
/// nothing, and a client that stands still costs the others one such moment.
extension Shard {
    /// Somebody has as much waiting as it may.
    func noteCongestion(of connection: ClientConnection) {
        switch connection.pace {
        case .even:
            connection.pace = .waitedFor
            waitedFor += 1
            if waitedFor == 1 { tellPeers(.congested(true)) }
            let time = now.advanced(bySeconds: Double(limits.backPressureMillisecondsMax) / 1_000)
            connection.patienceEndsAt = time
            schedule(.patience(slot: connection.slot, connectionID: connection.id), at: time)
            holdPublisher()
        case .waitedFor: holdPublisher()
        case .slow: break
        }
    }

    /// The client may have caught up.
    func checkPace(of connection: ClientConnection) {
        if connection.pace == .even { return }
        guard connection.isWritable, connection.outbound.count < limits.outboundBytesMax / 2, connection.backlog.isEmpty else {
            return
        }
        if let queue = connection.session?.queue {
            guard queue.count < limits.queueMessagesMax / 4, queue.bytes < limits.queueBytesMax / 4 else { return }
        }
        settle(connection, as: .even)
    }

    /// Its time is over, unless it had caught up and is waited for anew.
    func losePatience(with connection: ClientConnection) {
        if connection.pace == .waitedFor, let end = connection.patienceEndsAt, end <= now { settle(connection, as: .slow) }
    }

    func settle(_ connection: ClientConnection, as pace: ClientConnection.Pace) {
        let wasWaitedFor = connection.pace == .waitedFor
        let changesSlowness = (connection.pace == .slow) != (pace == .slow)
        connection.pace = pace
        if changesSlowness, let session = connection.session, session.connection === connection {
            announcePace(of: session, isSlow: pace == .slow)
        }
        guard wasWaitedFor else { return }
        connection.patienceEndsAt = nil
        waitedFor -= 1
        if waitedFor > 0 { return }
        if !isRelayFull { tellPeers(.congested(false)) }
        openTurn()  // at its end publishers are read again
    }

    func peerIsCongested(_ peer: ShardID, _ isCongested: Bool) {
        if isCongested {
            congestedPeers.insert(peer)
        } else {
            congestedPeers.remove(peer)
            openTurn()
        }
    }

    func tellPeers(_ message: ShardMessage) {
        for peer in peers { tell(peer, message) }
    }

    // MARK: Publishers

    /// Stops reading from the client whose message is being delivered, or routing for the program whose it is.
    func holdPublisher() {
        if isRoutingForProgram { programsAreHeld = true }
        guard let publisher, !publisher.isHeld, publisher.isConnected else { return }
        hold(publisher)
        held.append(publisher)
    }

    private func hold(_ connection: ClientConnection) {
        connection.isHeld = true
        updateReading(of: connection)
    }

    /// Reads again from everybody, when nobody is waited for.
    func releasePublishers() {
        guard !held.isEmpty, hasRoomToRoute else { return }
        var released: [ClientConnection] = []
        swap(&released, &held)
        for connection in released where connection.isHeld && !connection.isClosed { release(connection) }
    }

    private func release(_ connection: ClientConnection) {
        resumeIntake(of: connection, after: .room)
    }

    /// Begins or ceases to read from the client, by what it is made to wait for.
    func updateReading(of connection: ClientConnection) {
        let isFull = (connection.isAwaitingPeers || connection.isAwaitingAnswers) && connection.inbox.readableBytes >= Self.inboxBytesMax
        // Of somebody who may be a stranger no more is read than there is always room for, and what came with it.
        let isStranger = connection.isBeingChecked && connection.inbox.readableBytes >= BrokerLimits.connectBytesAlways
        let isReading = !connection.isHeld && !isFull && !isStranger
        if connection.isRead == isReading || connection.isClosed { return }
        connection.isRead = isReading
        if isReading { connection.lastReceived = now }  // what it sent meanwhile was not looked at
        switch connection.link {
        case .local: transport.setReading(isReading, on: connection)
        case .remote(let shard, let id): tell(shard, .relayReading(id: id, isReading))
        }
    }

    // MARK: Rates

    /// Takes one message from what the client may publish in this second; without any left it is not read for the time that it takes.
    func chargePublish(bytes: Int, of connection: ClientConnection) {
        guard connection.limits.paces else { return }
        let limits = connection.limits.values
        let wait = connection.rate.charge(
            bytes: bytes, at: now, messagesPerSecond: limits.publishesPerSecondMax, bytesPerSecond: limits.publishBytesPerSecondMax)
        guard wait > 0, !connection.isHeld else { return }
        counters.publishersThrottled += 1
        hold(connection)
        schedule(.throttle(slot: connection.slot, connectionID: connection.id), at: now.advanced(bySeconds: wait))
    }

    func endThrottle(of connection: ClientConnection) {
        if connection.isHeld, !held.contains(where: { $0 === connection }) { release(connection) }
    }
}
