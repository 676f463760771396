import MQTTCodec
import NIOCore

/// What other shards say: messages, interests, and connections whose session lives here.
extension Shard {
    package func peerMessages(_ messages: [ShardMessage], from peer: ShardID, now: Instant) {
        self.now = now
        var lastInterest: UInt64?
        for message in messages {
            turns?.begin()
            switch message {
            case .deliver(let message, let part, let done): deliverHere(message, of: part, except: done)
            case .deliverRun(let run): deliverLocally(run, along: routes.route(for: run.topic, index: &index, topics: &topics))
            case .deliverShared(let message, let groups, let hops, let handOver):
                for group in groups { deliverShared(message, group: group, hops: hops, of: handOver) }
            case .mark(let bytes): tell(peer, .workedOff(bytes: bytes))
            case .workedOff(let bytes): worked(off: bytes, by: peer)
            case .publish(let message):
                ownMessages.append(message)
                publishOwnMessages()
                noteFullRelay()
            case .interest(let filter, let wanted, let sequence):
                index.setShard(peer, wants: filter, wanted)
                lastInterest = sequence
            case .sharedMembers(let group, let counts, let sequence):
                index.setMembers(counts, of: group, on: peer)
                lastInterest = sequence
            case .settle(let turn): if turns?.owe(turn, to: peer) == true { tell(peer, .settled(turn: turn)) }
            case .settled(let turn): settled(turn, by: peer)
            case .congested(let isCongested): peerIsCongested(peer, isCongested)
            case .interestApplied(let sequence, let number): interestApplied(by: peer, sequence: sequence, retained: number)
            case .retainedUpTo(let number): retained(upTo: number, by: peer)
            case .evict(let clientID, let epoch, let newPeer, let slot, let connectionID):
                evict(clientID, epoch: epoch, newPeer: newPeer)
                turns?.touchEnd(of: clientID)
                handOff()
                tell(peer, .evicted(slot: slot, connectionID: connectionID))
            case .evicted(let slot, let connectionID):
                if let connection = connections[slot], connection.id == connectionID { resumeIntake(of: connection, after: .peers) }
            default: relayed(message, from: peer)
            }
            publishOwnMessages()
            if message.isHandOff { turns?.gather(for: peer) }
        }
        if let lastInterest { tell(peer, .interestApplied(sequence: lastInterest, retained: retainedSeen[id])) }
    }

    private func deliverHere(_ message: Message, of part: HandedPart?, except done: ShardSet) {
        // Statistics were kept where the message was accepted, so the route is made without them.
        let route = routes.route(for: message.topic, index: &index, topics: &topics)
        var outgoing = OutgoingMessage(message, now: now)
        if !done.isEmpty { outgoing.origin = KeptOrigin(done: done) }
        if message.isExpired(at: now) {  // [MQTT5-3.3.2-5]: on its way from the other shard
            counters.drop(.messageExpired)
        } else {
            deliverLocally(&outgoing, along: route)
        }
        if let part { recordPart(part, done: done) }
    }

    private func evict(_ clientID: String, epoch: UInt64, newPeer: String) {
        guard let session = sessions[ExactText(clientID)], session.epoch == epoch else { return }
        if let old = session.connection {
            transport.report(.takenOver(clientID: clientID, oldPeer: old.info.peer, newPeer: newPeer))
            end(old, reason: .sessionTakenOver(byPeer: newPeer), closingTransport: true)  // [MQTT-3.1.4-2] [MQTT5-3.1.4-3]
        }
        if sessions[ExactText(clientID)] === session { discard(session, dropping: .sessionEnded) }  // [MQTT-3.1.2-6]
    }

    // MARK: Connections in two halves

    private func relayed(_ message: ShardMessage, from peer: ShardID) {
        switch message {
        case .adopt(let id, let info, let accepted): adopt(id, info: info, accepted, from: peer)
        case .relayReceived(let id, let bytes):
            if let connection = adopted[id] { process(bytes, on: connection) }
        case .relayWritable(let id, let isWritable):
            guard let connection = adopted[id], connection.isWritable != isWritable else { return }
            connection.isWritable = isWritable
            if case .relaying(let next, _) = connection.phase { tell(next, .relayWritable(id: connection.id, isWritable)) }
            if isWritable { resumeSending(on: connection) }
        case .relayPeerClosed(let id, let reason):
            guard let connection = adopted[id] else { return }
            if case .relaying(let next, _) = connection.phase {
                passOnClose(of: connection, reason, to: next)
            } else {
                finishIntake(of: connection, reason)
            }
        case .relayProofLost(let id, let refusal):
            if let connection = adopted[id] { proofLost(connection, refusal: refusal, now: now) }
        case .relaySend(let id, let bytes):
            guard let connection = relays[id] else { return }
            if case .remote(let previous, let id) = connection.link { return tell(previous, .relaySend(id: id, bytes: bytes)) }
            counters.bytesSent &+= UInt64(bytes.readableBytes)
            connection.listener.figures.bytesSent &+= UInt64(bytes.readableBytes)
            let wasWritable = connection.isWritable
            connection.isWritable = transport.send(bytes, on: connection)
            if wasWritable && !connection.isWritable { tell(peer, .relayWritable(id: id, false)) }
        case .relayReading(let id, let isReading):
            guard let connection = relays[id] else { return }
            connection.isRead = isReading
            setRelayReading(of: connection)
        case .relayClose(let id, let reason):
            guard let connection = relays[id] else { return }
            switch connection.link {
            case .local: transport.close(connection, because: reason)
            // The session had moved on before its connection came: this half stands between two others.
            case .remote(let previous, let id): tell(previous, .relayClose(id: id, reason))
            }
            forget(connection)
        default: break
        }
    }

    /// The socket's side is gone: the session's side is told.
    func passOnClose(of connection: ClientConnection, _ reason: CloseReason, to shard: ShardID) {
        tell(shard, .relayPeerClosed(id: connection.id, reason))
        forget(connection)
    }

    private func adopt(_ id: UInt64, info: ConnectionInfo, _ accepted: AcceptedConnect, from peer: ShardID) {
        let connection = makeConnection(info)
        connection.link = .remote(peer, id: id)
        adopted[id] = connection
        connection.begin(accepted.connect)
        claim(accepted, on: connection)
    }
}
