import DequeModule
import MQTTCodec
import NIOCore

/// What a filter matched among the retained messages, for the next session that asks the same while no topic has come or gone.
struct RetainedLookup {
    let filter: ExactText
    let version: UInt64
    let topics: [ByteBuffer]
}

/// Retained messages for new subscriptions (MQTT 3.1.1 and MQTT 5 section 3.3.1.3): looked up and sent a part at a time.
extension Shard {
    /// Retained messages sent to all clients together before the loop goes on.
    static let retainedPerTurn = 256
    /// Levels of retained topics that may be looked at for the price of one message.
    private static let levelsPerMessage = 16

    /// Answers false when there is nothing to send now: nothing is owed, or messages in the queue go first, or this turn has had its share.
    func sendNextRetained(to session: Session, on connection: ClientConnection) -> Bool {
        if let held = session.heldRetained {
            guard session.queue.isMarkReached else { return false }
            session.heldRetained = nil
            sendRetained(held, to: session, on: connection)
            return true
        }
        if session.retainedBacklog.isEmpty { return false }
        guard retainedShare > 0 else {
            if !session.isOwedLater { owedLater.append(session) }
            session.isOwedLater = true
            workLater()
            return false
        }
        retainedShare -= 1
        if let filter = session.retainedBacklog.filterToLookUp() {
            let topics = retainedTopics(matching: filter)
            if hasRoomInAll(for: topics.count * MemoryLayout<ByteBuffer>.size) {
                session.retainedBacklog.begin(filter, topics)
            } else {
                drop(.queueFull, of: session, topics.count)
                session.retainedBacklog.begin(filter, [])
            }
            countWaiting(of: session)
            return true
        }
        guard var owed = session.retainedBacklog.popFirst() else { return false }
        if session.isQueued(owed.topic) {
            if session.retainedBacklog.putBack(owed) { return true }
            // As it is now it may be one of those in the queue, and must not come before the others: it is kept, and goes behind all that
            // waits now; a newer one will be behind it [MQTT-4.6.0-6] [MQTT5-4.6.0-6].
            owed.kept = retained.kept(for: owed.topic, sinceVersion: owed.version)
            guard owed.kept != nil else { return true }
            session.heldRetained = owed
            session.queue.setMark()
        } else {
            sendRetained(owed, to: session, on: connection)
        }
        return true
    }

    /// Gives those their share who are owed more than the last turn had time for.
    func continueRetained() {
        retainedShare = min(retainedShare + Self.retainedPerTurn, Self.retainedPerTurn)
        for _ in 0..<owedLater.count {
            guard retainedShare > 0, let session = owedLater.popFirst() else { return }
            session.isOwedLater = false
            pump(session)
        }
    }

    private func retainedTopics(matching filter: ExactText) -> [ByteBuffer] {
        let version = retained.version
        if let last = lastRetainedLookup, last.version == version, last.filter == filter { return last.topics }
        var levels = 0
        let topics = retained.topics(matching: ByteBuffer(string: filter.text), counting: &levels)
        retainedShare -= levels / Self.levelsPerMessage
        lastRetainedLookup = RetainedLookup(filter: filter, version: version, topics: topics)
        return topics
    }

    /// The retained message as it is now, so that it is never older than what went before it, or as it was when it was kept; nothing if the
    /// topic has none any more.
    private func sendRetained(_ owed: OwedRetained, to session: Session, on connection: ClientConnection) {
        guard let current = retained.kept(for: owed.topic, sinceVersion: owed.version) else { return }
        let kept = owed.kept ?? current
        if isOnItsWay(kept.mark, to: owed.marks) { return }
        // Its own, and it asked not to get back what it publishes [MQTT5-3.8.3-3].
        if owed.options.noLocal, kept.isOf(session) { return }
        var message = kept.message
        message.acceptedAt = .unknown  // it was published before anybody here asked for it
        guard !message.isExpired(at: now), admits(owed.topic, to: session) else { return }
        let identifier = owed.options.identifier
        let delivery = Delivery(
            message: message, qos: min(owed.options.qos, message.qos), retain: true,  // [MQTT-3.3.1-8] [MQTT-3.3.5-1]
            identifiers: identifier == 0 ? nil : [identifier], share: nil)
        if delivery.qos > .atMostOnce {
            send(delivery, to: session, on: connection)
        } else if let form = topicForm(of: delivery, on: connection) {
            write(delivery, form, duplicate: false, packetID: 0, on: connection)
        } else {
            drop(.packetTooLarge, of: session)
        }
    }
}
