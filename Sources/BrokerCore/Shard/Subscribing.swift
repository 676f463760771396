import DequeModule
import MQTTCodec
import NIOCore

/// A SUBACK that waits until every shard routes by the new filters.
struct PendingSubscription {
    var sequence: UInt64
    var connectionID: UInt64
    var slot: Int
    var packet: Suback
    let session: Session
    var filters: [(filter: String, qos: QoS)]
}

/// What this shard told the others of its filters, and how far each of them has got.
///
/// A client that has its SUBACK may tell the world to publish: from then on every shard must know. So SUBACK waits for the slowest.
struct InterestAnnouncements {
    var lastSequence: UInt64 = 0
    var applied: [ShardID: UInt64] = [:]
    var pending: [PendingSubscription] = []
}

extension Shard {
    func receiveSubscribe(_ packet: Subscribe, from session: Session, on connection: ClientConnection) {
        var codes: [SubscribeReturnCode] = []
        var granted: [(filter: String, qos: QoS)] = []
        for request in packet.requests {  // one after the other, and the codes in their order [MQTT-3.8.4-4] [MQTT-3.9.3-1]
            if let problem = problem(with: request, of: session) {
                transport.report(.subscribeDenied(clientID: session.clientID, filter: request.filter, problem))
                codes.append(.failure)  // [MQTT-3.8.4-5]
                continue
            }
            if index.subscribe(session, to: request.filter, qos: request.qos) { announce(request.filter, wanted: true) }
            codes.append(.granted(request.qos))
            granted.append((request.filter, request.qos))
        }
        let suback = Suback(packetID: packet.packetID, returnCodes: codes)  // [MQTT-3.8.4-2]
        let pending = PendingSubscription(
            sequence: announcements.lastSequence, connectionID: connection.id, slot: connection.slot, packet: suback, session: session,
            filters: granted)
        if isApplied(pending.sequence) {
            complete(pending, on: connection, session: session)
        } else {
            connection.isAwaitingSuback = true
            announcements.pending.append(pending)
        }
    }

    private func problem(with request: Subscribe.Request, of session: Session) -> String? {
        if let problem = topicProblem(ByteBuffer(string: request.filter)) { return problem }
        if session.subscriptions.count >= limits.subscriptionsPerClientMax, session.subscriptions[ExactText(request.filter)] == nil {
            return "the client has \(limits.subscriptionsPerClientMax) subscriptions (subscriptionsPerClientMax)"
        }
        if authorizer.isUnrestricted || authorizer.allowsSubscribe(to: request.filter, by: session.subscriber) { return nil }
        return "not authorized"
    }

    func removeSubscription(of session: Session, filter: String) {
        // No message is added for it from here on; what the window has begun goes on [MQTT-3.10.4-2] [MQTT-3.10.4-3].
        if index.unsubscribe(session, from: filter) == true { announce(filter, wanted: false) }
    }

    private func announce(_ filter: String, wanted: Bool) {
        if peers.isEmpty { return }
        announcements.lastSequence += 1
        for peer in peers { tell(peer, .interest(filter: filter, wanted: wanted, sequence: announcements.lastSequence)) }
    }

    private func isApplied(_ sequence: UInt64) -> Bool {
        peers.allSatisfy { announcements.applied[$0, default: 0] >= sequence }
    }

    func interestApplied(by peer: ShardID, sequence: UInt64) {
        announcements.applied[peer] = max(announcements.applied[peer, default: 0], sequence)
        let ready = Array(announcements.pending.prefix { isApplied($0.sequence) })
        announcements.pending.removeFirst(ready.count)
        for pending in ready {
            guard let connection = connections[pending.slot], connection.id == pending.connectionID, connection.session != nil else {
                // The client went before its SUBACK; a session that stays has the subscription all the same.
                queueRetained(of: pending)
                continue
            }
            complete(pending, on: connection, session: pending.session)
            resumeIntake(of: connection)
        }
    }

    /// SUBACK, then the retained messages of each granted filter [MQTT-3.3.1-6] [MQTT-3.8.4-1] [MQTT-3.8.4-3].
    private func complete(_ pending: PendingSubscription, on connection: ClientConnection, session: Session) {
        connection.outbound.writeSuback(pending.packet)
        counters.packetsSent &+= 1
        queueRetained(of: pending)
        pump(session)
        markDirty(connection)
    }

    /// Each topic waits once, however many filters ask for it: that bounds the backlog by the number of retained messages.
    ///
    /// It comes with the highest QoS of these filters, of which each counts with what it was granted last [MQTT-3.3.5-1].
    private func queueRetained(of pending: PendingSubscription) {
        let session = pending.session
        for (filter, qos) in pending.filters where session.subscriptions[ExactText(filter)] != nil {  // or it was given up since
            var waiting: [ByteBuffer: QoS] = [:]
            if !session.retainedBacklog.isEmpty {
                session.retainedBacklog.removeAll { owed in
                    guard Topics.matches(name: String(buffer: owed.topic), filter: filter) else { return false }
                    if owed.filter != ExactText(filter) { waiting[owed.topic] = owed.qos }
                    return true
                }
            }
            for topic in retained.topics(matching: ByteBuffer(string: filter)) {
                let owed = Session.OwedRetained(topic: topic, filter: ExactText(filter), qos: max(qos, waiting[topic] ?? qos))
                session.retainedBacklog.append(owed)
            }
        }
    }
}
