import MQTTCodec
import NIOCore

/// Messages that do not reach somebody who wanted them: every one is counted, none is silent.
extension Shard {
    /// Seconds between two reports of drops of one client.
    static let dropReportSeconds = 10.0

    func drop(_ reason: ShardCounters.Drop, of session: Session, _ count: Int = 1) {
        counters.drop(reason, count)
        if session.isTraced { traceDrop(reason, of: session, count) }
        session.drops[reason, default: 0] += UInt64(count)
        session.unreportedDrops += UInt64(count)
        session.lastDropReason = reason
        if let last = session.dropsReportedAt, now < last.advanced(bySeconds: Self.dropReportSeconds) {
            if session.dropReportIsScheduled { return }
            session.dropReportIsScheduled = true
            let time = last.advanced(bySeconds: Self.dropReportSeconds)
            return schedule(.dropReport(clientID: session.clientID, epoch: session.epoch), at: time)
        }
        reportDrops(of: session)
    }

    /// Tells what was dropped since the last report, if anything was.
    func reportDrops(of session: Session) {
        session.dropReportIsScheduled = false
        guard session.unreportedDrops > 0, let reason = session.lastDropReason else { return }
        transport.report(.messagesDropped(clientID: session.clientID, reason: reason.rawValue, count: session.unreportedDrops))
        session.unreportedDrops = 0
        session.dropsReportedAt = now
    }

    // MARK: Queues

    /// Puts a message into a session's queue; at a limit its policy decides what goes.
    func enqueue(_ delivery: Delivery, for session: Session) {
        let size = delivery.message.size
        // What has no room in an empty queue either is not to empty it.
        if session.slowConsumer == .dropOldest, size <= limits.queueBytesMax, size <= queueBytesShare {
            while !hasRoom(for: size, in: session), let oldest = session.queue.popFirst() {
                countWaiting(of: session)
                recordRemoval(of: oldest, from: session)
                drop(.queueFull, of: session)
            }
        }
        guard hasRoom(for: size, in: session) else {
            drop(.queueFull, of: session)
            if session.slowConsumer == .disconnect, let connection = session.connection {
                disconnectSlow(connection, limit: "queueMessagesMax, queueBytesMax")
            }
            return
        }
        if session.isTraced {
            traceDecision(
                "message queued", of: session.clientID,
                [.text("topic", delivery.message.topicName), .number("queued", session.queue.count + 1)])
        }
        var delivery = delivery
        recordQueued(&delivery, for: session)
        session.queue.append(delivery)
        noteQueued(delivery.message.topic, for: session)
        if let expiry = delivery.message.properties?.expiresAt { scheduleSweep(of: session, at: expiry) }
    }

    /// Messages on a topic came to a session's queue.
    func noteQueued(_ topic: ByteBuffer, for session: Session) {
        session.noteQueued(topic)
        countWaiting(of: session)
        if let connection = session.connection, isHalfFull(session.queue) { noteCongestion(of: connection) }
    }

    private func hasRoom(for size: Int, in session: Session) -> Bool {
        session.queue.count < limits.queueMessagesMax && hasRoom(forBytes: size, in: session)
    }

    private func hasRoom(forBytes size: Int, in session: Session) -> Bool {
        session.queue.bytes + size <= limits.queueBytesMax && hasRoomInAll(for: size)
    }

    /// Among what waits for all sessions, and what they have not acknowledged.
    func hasRoomInAll(for size: Int) -> Bool { queuedBytes + size + Self.deliveryBytes <= queueBytesShare }

    /// Bytes that a message takes beside its own where it waits for one session.
    package static let deliveryBytes = 128

    /// Brings what the session has waiting up to date in what all sessions have.
    func countWaiting(of session: Session) {
        let messages = session.queue.count + session.window.unfinished
        let bytes = session.queue.bytes + session.window.bytes + messages * Self.deliveryBytes + session.retainedBacklog.bytes
        queuedBytes += bytes - session.waitingBytesCounted
        session.waitingBytesCounted = bytes
    }

    private func isHalfFull(_ queue: MessageQueue) -> Bool {
        queue.count >= limits.queueMessagesMax / 2 || queue.bytes >= limits.queueBytesMax / 2
    }

    /// Takes messages out of a session's queue.
    func takeQueued(of session: Session, where shouldLeave: (Delivery) -> Bool) -> [Delivery] {
        let left = session.queue.remove(where: shouldLeave)
        for delivery in left { recordRemoval(of: delivery, from: session) }
        countWaiting(of: session)
        return left
    }

    func disconnectSlow(_ connection: ClientConnection, limit: String) {
        let text = "the client does not take its messages as fast as they come (\(limit); slowConsumer: disconnect)"
        // Not in the middle of what is being delivered to many.
        doomed.append((connection, .limitExceeded(.quotaExceeded, text)))
        openTurn()
    }
}
