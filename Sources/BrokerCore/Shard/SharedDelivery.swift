import MQTTCodec
import NIOCore

/// Messages of shared subscriptions: to one member each, and on to another when that one leaves (MQTT 5 section 4.8.2).
extension Shard {
    /// To one member of each group; another shard hears once of all whose member it is to choose.
    func deliver(_ outgoing: inout OutgoingMessage, to groups: [SharedGroup]) {
        var elsewhere: [ShardID: [String]] = [:]
        var looks = groups.count
        defer { changes &+= UInt64(looks / Self.recipientsPerVisit) }
        for group in groups {
            switch group.choose(counting: &looks) {
            case .member(let session, let options): offer(&outgoing, to: session, options, of: group)
            case .shard(let shard):
                if let id = recordHandOver(of: &outgoing, share: group.name) {
                    handOverAfterTurn(outgoing.stored(), to: shard, group: group.name, id)
                } else {
                    elsewhere[shard, default: []].append(group.name)
                }
            case nil: counters.drop(.noSharedMember)
            }
        }
        for (shard, names) in elsewhere { handOver(outgoing.message, to: shard, groups: names, hops: 1) }
    }

    private func handOver(_ message: Message, to shard: ShardID, groups: [String], hops: Int, of id: HandOverID? = nil) {
        handOver(message, to: shard, as: .deliverShared(message, groups: groups, hops: hops, of: id))
        if id != nil { turns?.tell(shard) }
    }

    /// Another shard chose this one; its members may have left or lost their connections meanwhile, then the message goes on.
    func deliverShared(_ message: Message, group name: String, hops: Int, of handOver: HandOverID?) {
        var outgoing = OutgoingMessage(message, now: now)
        let group = index.group(named: name)
        // To every shard and back: what a shard does not know yet of another's members it hears before the message is back, and two that
        // each believe the other has members must not pass it on for ever.
        let mayGoOn = hops <= 2 * peers.count + 1
        let isForHere = group.map { $0.counts.online > 0 || !$0.hasSomebodyOnline || !mayGoOn } ?? false
        var looks = 0
        defer { changes &+= UInt64(looks / Self.recipientsPerVisit) }
        if message.isExpired(at: now) {  // [MQTT5-3.3.2-5]: on its way from the other shard
            counters.drop(.messageExpired)
        } else if let group, isForHere, case .member(let session, let options) = group.chooseHere(counting: &looks) {
            offer(&outgoing, to: session, options, of: group)
        } else if mayGoOn, case .shard(let next) = group?.choose(counting: &looks) {
            return self.handOver(message, to: next, groups: [name], hops: hops + 1, of: handOver)
        } else {
            counters.drop(.noSharedMember)
        }
        if let handOver { recordPart(.handOver(handOver)) }
    }

    func offer(_ outgoing: inout OutgoingMessage, to session: Session, _ options: SubscriptionOptions, of group: SharedGroup) {
        let qos = min(options.qos, outgoing.message.qos)  // [MQTT5-4.8.2-3]
        offer(
            &outgoing, qos: qos, retain: outgoing.message.retain && options.retainAsPublished,
            identifiers: options.identifier == 0 ? nil : [options.identifier],  // a copy of its own [MQTT5-3.3.4-5]
            share: group, to: session)
    }

    // MARK: Members that come and go

    /// The session's connection has come or gone: its shared subscriptions count it differently now.
    func announceMembership(of session: Session, isOnline: Bool) {
        if session.sharedSubscriptions == 0 { return }
        for subscription in session.subscriptions.values {
            guard let group = subscription.share else { continue }
            group.memberChanged(isOnline: isOnline)
            announce(.members(group))
        }
        // What it was sent already waits for it to come back [MQTT5-4.8.2-4].
        if !isOnline { passOn(takeQueued(of: session) { $0.share?.hasSomebodyOnline ?? false }, of: session) }
    }

    /// The session's client counts as slow, or has caught up: other shards prefer members that take what comes.
    func announcePace(of session: Session, isSlow: Bool) {
        if session.sharedSubscriptions == 0 { return }
        for subscription in session.subscriptions.values {
            guard let group = subscription.share else { continue }
            group.paceChanged(isSlow: isSlow)
            announce(.members(group))
        }
    }

    /// Messages of a session that ends before it was done with them; what it has begun to receive at QoS 2 is its alone
    /// [MQTT5-4.8.2-5], and so is what it refused [MQTT5-4.8.2-6].
    func orphans(of session: Session) -> [Delivery] {
        session.window.unanswered { $0.share != nil } + takeQueued(of: session) { $0.share != nil }
    }

    /// Gives messages of a session to other members.
    func passOn(_ deliveries: [Delivery], of session: Session) {
        for delivery in deliveries {
            // Its own object may be over by now: who has subscribed since is a member of another one.
            guard let share = delivery.share, let group = share.isUnused ? index.group(named: share.name) : share else { continue }
            if delivery.message.isExpired(at: now) {  // [MQTT5-3.3.2-5]: nobody has begun to get this copy
                counters.drop(.messageExpired)
                continue
            }
            var outgoing = OutgoingMessage(delivery.message, now: now)
            if delivery.place != 0, turns != nil { outgoing.origin = KeptOrigin(of: session) }
            deliver(&outgoing, to: [group])
        }
    }
}
