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
    /// What has to be on disk before it.
    var need = CommitNeed()
    /// Granted filters whose retained messages are to be sent.
    var filters: [String]
    /// What each shard had retained when it began to route by them.
    var marks: RetainedMarks
}

/// What this shard told the others of its filters, and how far each of them has got.
///
/// A client that has its SUBACK may tell the world to publish: from then on every shard must know. So SUBACK waits for the slowest.
struct InterestAnnouncements {
    var lastSequence: UInt64 = 0
    var applied: [ShardID: UInt64] = [:]
    var pending = Deque<PendingSubscription>()
}

extension Shard {
    func receiveSubscribe(_ packet: Subscribe, from session: Session, on connection: ClientConnection) {
        let identifier = packet.properties.subscriptionIdentifiers.first ?? 0
        if connection.isAWS, refusesAsAWS(packet, on: connection) { return }
        var codes: [ReasonCode] = []
        var retained: [String] = []
        for request in packet.requests {  // one after the other, and the codes in their order [MQTT-3.8.4-4] [MQTT-3.9.3-1]
            // [MQTT5-3.8.4-5] [MQTT5-3.9.3-1]
            charge()
            if let (code, problem) = problem(with: request, of: session, on: connection) {
                if session.isTraced {
                    traceDecision(
                        "subscription denied", of: session.clientID,
                        [.text("filter", request.filter), PacketDetail.code(code), .text("reason", problem)])
                }
                if session.refusals.note(.subscribe, request.filter, problem) {
                    transport.report(.subscribeDenied(clientID: session.clientID, filter: request.filter, problem))
                }
                counters.subscriptionsRefused += 1
                if connection.isAWS, connection.terms == nil, code == .notAuthorized {
                    return end(connection, reason: .notPermitted(problem), closingTransport: true)
                }
                if connection.version == .v31, code != .notAuthorized {
                    // SUBACK cannot say it there, and a client that is told nothing does not ask again.
                    return end(connection, reason: .limitExceeded(code, problem), closingTransport: true)
                }
                codes.append(code)  // [MQTT-3.8.4-5] [MQTT5-3.8.4-6] [MQTT5-3.8.4-7]
                continue
            }
            let isNew = session.subscriptions[ExactText(request.filter)] == nil
            var options = SubscriptionOptions(request, identifier: identifier)
            if connection.isAWS {
                options.qos = min(options.qos, .atLeastOnce)
                options.excludesParent = true
            }
            announce(index.subscribe(session, to: request.filter, options: options))
            recordSubscription(of: session, to: request.filter)
            if session.isTraced {
                traceDecision(
                    "subscription allowed", of: session.clientID, [.text("filter", request.filter), .number("qos", options.qos.rawValue)])
            }
            codes.append(.granted(options.qos))  // [MQTT-3.8.4-6] [MQTT5-3.8.4-7]
            if wantsRetained(request, isNew: isNew, of: session, on: connection) {
                retained.append(request.filter)
            } else if !isNew {
                session.renewRetained(for: ExactText(request.filter), options)
            }
        }
        if reportsLifecycle {
            let granted = zip(packet.requests, codes).filter { !$1.isError }.map(\.0.filter)
            if !granted.isEmpty { reportLifecycle(.subscribed(granted), of: connection) }
        }
        let suback = Suback(packetID: packet.packetID, reasonCodes: codes)  // [MQTT-3.8.4-2] [MQTT5-2.2.1-6] [MQTT5-3.8.4-2]
        let pending = PendingSubscription(
            sequence: announcements.lastSequence, connectionID: connection.id, slot: connection.slot, packet: suback, session: session,
            need: turns?.touched ?? CommitNeed(), filters: retained, marks: retainedSeen)
        if isApplied(pending.sequence) {
            complete(pending, on: connection)
        } else {
            connection.isAwaitingPeers = true
            announcements.pending.append(pending)
        }
    }

    /// Retain handling [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11]; a shared subscription gets no retained messages.
    private func wantsRetained(_ request: Subscribe.Request, isNew: Bool, of session: Session, on connection: ClientConnection) -> Bool {
        if connection.isAWS, request.filter.utf8.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }) { return false }
        if session.subscriptions[ExactText(request.filter)]?.share != nil { return false }
        switch request.retainHandling {
        case .sendAtSubscribe: return true
        case .sendIfNew: return isNew
        case .doNotSend: return false
        }
    }

    private func problem(
        with request: Subscribe.Request, of session: Session, on connection: ClientConnection
    ) -> (ReasonCode, String)? {
        let limits = connection.limits.values
        if let problem = topicProblem(ByteBuffer(string: request.filter), of: connection) { return (.topicFilterInvalid, problem) }
        if let text = lacksRoom(for: request.filter, of: session, limits: limits) { return (.quotaExceeded, text) }
        if request.filter.utf8.starts(with: BasicIngest.prefix.utf8) {
            return (.notAuthorized, "nobody subscribes to the topics of Basic Ingest")
        }
        if session.keeping.isKept, turns?.isFailing == true { return (.implementationSpecificError, Self.storeTrouble) }
        if authorizer.isUnrestricted { return nil }
        // The right to a shared subscription is the right to its filter.
        let filter = (try? SharedFilter(parsing: request.filter))?.filter ?? request.filter
        return authorizer.refusal(ofSubscribe: filter, by: session.subscriber).map { (.notAuthorized, $0) }
    }

    /// What IoT Core does not answer, or closes for.
    private func refusesAsAWS(_ packet: Subscribe, on connection: ClientConnection) -> Bool {
        if connection.terms == nil { return packet.requests.contains { $0.qos == .exactlyOnce } }
        if packet.properties.subscriptionIdentifiers.isEmpty { return false }
        let text = "a subscription identifier (dialect: aws)"
        end(connection, reason: .limitExceeded(.subscriptionIdentifiersNotSupported, text), closingTransport: true)
        return true
    }

    func receiveUnsubscribe(_ packet: Unsubscribe, from session: Session, on connection: ClientConnection) {
        // [MQTT-3.10.4-1] [MQTT5-3.10.4-1]
        let codes = removeSubscriptions(of: session, filters: packet.filters).map { $0 ? ReasonCode.success : .noSubscriptionExisted }
        reportLifecycle(.unsubscribed(packet.filters), of: connection)
        // One UNSUBACK, whatever their number [MQTT-3.10.4-6] [MQTT-2.3.1-7] [MQTT5-2.2.1-6] [MQTT5-3.10.4-6].
        // [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT5-3.10.4-4] [MQTT5-3.10.4-5] [MQTT5-3.11.3-1]
        let unsuback = Packet.unsuback(Unsuback(packetID: packet.packetID, reasonCodes: codes))
        if holds(.packet(unsuback), on: connection) { return }
        send(unsuback, on: connection)
    }

    /// Answers for each filter whether there was such a subscription; what waits for it as a shared one goes on to other members.
    @discardableResult
    func removeSubscriptions(of session: Session, filters: [String]) -> [Bool] {
        var left: Set<ObjectIdentifier> = []
        let found = filters.map { filter in
            let change = removeSubscription(of: session, filter: filter)
            if case .members(let group) = change { left.insert(ObjectIdentifier(group)) }
            return change != nil
        }
        // The queue is looked through once, however many were left.
        if !left.isEmpty {
            changes &+= UInt64(session.queue.count)
            let queued = takeQueued(of: session) { $0.share.map { left.contains(ObjectIdentifier($0)) && $0.hasSomebodyOnline } ?? false }
            passOn(queued, of: session)
        }
        return found
    }

    /// Answers `nil` when there was no such subscription; what waits for a member of a shared one is for the caller to pass on.
    @discardableResult
    func removeSubscription(of session: Session, filter: String) -> TopicIndex.Change? {
        // No message is added for it from here on; what the window has begun goes on [MQTT-3.10.4-2] [MQTT-3.10.4-3]
        // [MQTT5-3.10.4-2] [MQTT5-3.10.4-3].
        charge()
        guard let change = index.unsubscribe(session, from: filter) else { return nil }
        session.giveUpRetained(for: ExactText(filter))
        recordUnsubscription(of: session, from: filter)
        announce(change)
        return change
    }

    // MARK: What other shards know

    func announce(_ change: TopicIndex.Change) {
        if peers.isEmpty { return }
        let sequence = announcements.lastSequence + 1
        let message: ShardMessage
        switch change {
        case .none: return
        case .interest(let filter, let wanted): message = .interest(filter: filter, wanted: wanted, sequence: sequence)
        case .members(let group): message = .sharedMembers(group: group.name, group.counts, sequence: sequence)
        }
        announcements.lastSequence = sequence
        for peer in peers { tell(peer, message) }
    }

    private func isApplied(_ sequence: UInt64) -> Bool {
        peers.allSatisfy { announcements.applied[$0, default: 0] >= sequence }
    }

    func interestApplied(by peer: ShardID, sequence: UInt64, retained number: UInt64) {
        let applied = announcements.applied[peer, default: 0]
        for place in announcements.pending.indices where announcements.pending[place].sequence > applied {
            if announcements.pending[place].sequence > sequence { break }
            announcements.pending[place].marks[peer] = number
        }
        announcements.applied[peer] = max(announcements.applied[peer, default: 0], sequence)
        let ready = Array(announcements.pending.prefix { isApplied($0.sequence) })
        announcements.pending.removeFirst(ready.count)
        for pending in ready {
            guard let connection = connections[pending.slot], connection.id == pending.connectionID, connection.session != nil else {
                // The client went before its SUBACK; a session that stays has the subscription all the same.
                queueRetained(of: pending)
                continue
            }
            complete(pending, on: connection)
            resumeIntake(of: connection, after: .peers)
        }
    }

    /// SUBACK, then the retained messages of each granted filter [MQTT-3.3.1-6] [MQTT-3.8.4-1] [MQTT-3.8.4-3] [MQTT5-3.8.4-1]
    /// [MQTT5-3.8.4-4].
    private func complete(_ pending: PendingSubscription, on connection: ClientConnection) {
        if holds(.suback(pending), until: pending.need, on: connection) { return }
        finish(pending, on: connection)
    }

    func finish(_ pending: PendingSubscription, on connection: ClientConnection) {
        send(.suback(pending.packet), on: connection)
        queueRetained(of: pending)
        pump(pending.session)
    }

    func queueRetained(of pending: PendingSubscription) {
        for filter in pending.filters {
            let key = ExactText(filter)
            // It may have been given up since, or replaced.
            guard let subscription = pending.session.subscriptions[key] else { continue }
            pending.session.askRetained(for: key, subscription.options, version: retained.version, marks: pending.marks)
        }
    }
}
