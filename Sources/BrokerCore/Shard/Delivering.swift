import DequeModule
import MQTTCodec
import NIOCore

/// From a routed message to the sessions that want it: the one door, and which way each session gets it.
/// (MQTT 3.1.1 and MQTT 5 sections 4.3 to 4.6)
extension Shard {
    /// Recipients that cost as much as a node of the index: who publishes to very many waits for its next turn after a million of them.
    static let recipientsPerVisit = 16

    func deliver(_ outgoing: inout OutgoingMessage, along route: Route) {
        deliverLocally(&outgoing, along: route)
        if !route.shards.isEmpty { handOver(&outgoing, to: route.shards) }
        if !route.groups.isEmpty, !(outgoing.origin?.groupsAreDone ?? false) { deliver(&outgoing, to: route.groups) }
    }

    private func handOver(_ outgoing: inout OutgoingMessage, to others: ShardSet) {
        let part = part(of: &outgoing)
        let done = outgoing.origin?.done ?? ShardSet()
        var shards = others
        while let shard = shards.popFirst() {
            handOver(outgoing.message, to: shard, as: .deliver(outgoing.message, of: part, except: done))
            if case .handOver = part { turns?.tell(shard) }
        }
    }

    /// What another shard does with it may have to be on disk, too.
    func noteHandOff(of message: Message, to shard: ShardID) {
        if let turns, turns.isStrict, message.qos > .atMostOnce || message.retain { turns.tell(shard) }
    }

    func deliverLocally(_ outgoing: inout OutgoingMessage, along route: Route) {
        changes &+= UInt64(route.recipients.count / Self.recipientsPerVisit)
        if route.hasNoLocal || !(outgoing.origin?.done.isEmpty ?? true) {
            return deliverLocally(&outgoing, along: route, except: outgoing.publisher)
        }
        outgoing.isForMany = route.recipients.count > 1
        for recipient in route.recipients { offer(&outgoing, to: recipient) }  // [MQTT5-4.5.0-1]
    }

    /// As ``deliverLocally(_:along:)`` where somebody does not want what it published itself [MQTT5-3.8.3-3], or got it before a crash.
    private func deliverLocally(_ outgoing: inout OutgoingMessage, along route: Route, except publisher: Session?) {
        for recipient in route.recipients {
            if outgoing.origin?.isDone(for: recipient.session) ?? false { continue }
            if let publisher, recipient.session === publisher, recipient.ownMessages != .all {
                if recipient.ownMessages == .some, let rest = index.recipient(publisher, of: route.topic) { offer(&outgoing, to: rest) }
            } else {
                offer(&outgoing, to: recipient)
            }
        }
    }

    func offer(_ outgoing: inout OutgoingMessage, to recipient: Route.Recipient) {
        let qos = min(recipient.qos, outgoing.message.qos)  // [MQTT-3.8.4-6] [MQTT5-3.8.4-8]
        let retain = outgoing.message.retain && recipient.retainAsPublished
        offer(&outgoing, qos: qos, retain: retain, identifiers: recipient.identifiers, share: nil, to: recipient.session)
    }

    /// The one door: asked at the time of every delivery, whatever brought the message here.
    func admits(_ topic: ByteBuffer, to session: Session) -> Bool {
        if authorizer.isUnrestricted { return true }
        let name = String(buffer: topic)
        if authorizer.allowsDelivery(of: name, to: session.subscriber) {
            if session.isTraced { traceDecision("delivery allowed", of: session.clientID, [.text("topic", name)]) }
            return true
        }
        drop(.deliveryDenied, of: session)
        let reason = authorizer.refusal(ofDelivery: name, to: session.subscriber)
        if session.isTraced {
            traceDecision("delivery denied", of: session.clientID, [.text("topic", name), .text("reason", reason)])
        }
        // Of the topics that a filter covers each may be another: the log has the first.
        let isFirst = !session.refusals.has(.receive)
        _ = session.refusals.note(.receive, name, reason)
        if isFirst { transport.report(.deliveryDenied(clientID: session.clientID, topic: name, reason)) }
        return false
    }

    func offer(
        _ outgoing: inout OutgoingMessage, qos: QoS, retain: Bool, identifiers: [UInt32]?, share: SharedGroup?, to session: Session
    ) {
        guard admits(outgoing.message.topic, to: session) else { return }
        if qos == .atMostOnce {
            guard let connection = session.connection else {
                if session.isTraced { traceDrop(.offlineAtQoS0, of: session, 1) }
                return counters.drop(.offlineAtQoS0)
            }
            if let terms = connection.terms, identifiers != nil || terms.outboundAliases.isUsed {
                let delivery = Delivery(message: outgoing.message, qos: qos, retain: retain, identifiers: identifiers, share: nil)
                sendAtQoS0(delivery, of: &outgoing, to: session, on: connection)
            } else {
                sendAtQoS0(&outgoing, retain: retain, to: session, on: connection)
            }
            return
        }
        var delivery = Delivery(message: outgoing.stored(), qos: qos, retain: retain, identifiers: identifiers, share: share)
        if session.keeping.isKept, turns != nil {
            delivery.body = outgoing.body ?? SharedBody()
            outgoing.body = delivery.body
        }
        if let connection = session.connection, session.queue.isEmpty, hasRoomInAll(for: delivery.message.size),
            canSend(session, on: connection)
        {
            send(delivery, to: session, on: connection)
        } else {
            enqueue(delivery, for: session)
        }
    }
}
