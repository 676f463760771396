import DequeModule
import MQTTCodec
import NIOCore

/// From a routed message to the sessions that want it: the one door, the send window, the queue (MQTT 3.1.1 sections 4.3 to 4.6).
extension Shard {
    func deliver(_ outgoing: inout OutgoingMessage, along route: Route) {
        deliverLocally(&outgoing, along: route)
        var shards = route.shards
        while let shard = shards.popFirst() { tell(shard, .deliver(outgoing.message)) }
    }

    func deliverLocally(_ outgoing: inout OutgoingMessage, along route: Route) {
        for delivery in route.deliveries {
            offer(&outgoing, qos: min(delivery.qos, outgoing.message.qos), to: delivery.session)  // [MQTT-3.8.4-6]
        }
    }

    /// The one door: asked at the time of every delivery, whatever brought the message here.
    func admits(_ topic: ByteBuffer, to session: Session) -> Bool {
        if authorizer.isUnrestricted || authorizer.allowsDelivery(of: String(buffer: topic), to: session.subscriber) { return true }
        counters.drop(.deliveryDenied)
        session.dropped += 1
        return false
    }

    private func offer(_ outgoing: inout OutgoingMessage, qos: QoS, to session: Session) {
        guard admits(outgoing.message.topic, to: session) else { return }
        if qos == .atMostOnce {
            guard let connection = session.connection else {
                counters.drop(.offlineAtQoS0)
                return
            }
            sendAtQoS0(outgoing.frameAtQoS0(), to: session, on: connection)
            return
        }
        if let connection = session.connection, session.queue.isEmpty, canSend(session, on: connection) {
            send(outgoing.stored(), qos: qos, isRetainedCopy: false, to: session, on: connection)
        } else {
            enqueue(outgoing.stored(), qos: qos, for: session)
        }
    }

    private func sendAtQoS0(_ frame: ByteBuffer, to session: Session, on connection: ClientConnection) {
        let waiting = connection.outbound.readableBytes
        if waiting >= limits.outboundBytesMax {
            if connection.isWritable { flush(connection) }  // does not wait for the end of a turn that brings much
            if !connection.isWritable && connection.outbound.readableBytes >= limits.outboundBytesMax {
                counters.drop(.outboundFull)
                session.dropped += 1
                return
            }
        }
        connection.outbound.writeImmutableBuffer(frame)
        counters.publishSent[0] &+= 1
        counters.packetsSent &+= 1
        markDirty(connection)
    }

    private func canSend(_ session: Session, on connection: ClientConnection) -> Bool {
        if connection.outbound.readableBytes >= limits.outboundBytesMax {
            guard connection.isWritable else { return false }
            flush(connection)
        }
        return session.window.hasRoom(inflightMax: limits.inflightMax)
    }

    private func send(_ message: Message, qos: QoS, isRetainedCopy: Bool, to session: Session, on connection: ClientConnection) {
        let packetID = session.window.open(message, qos: qos, isRetainedCopy: isRetainedCopy)
        write(message, qos: qos, retain: isRetainedCopy, duplicate: false, packetID: packetID, on: connection)
    }

    private func write(_ message: Message, qos: QoS, retain: Bool, duplicate: Bool, packetID: UInt16, on connection: ClientConnection) {
        connection.outbound.writePublish(
            topic: message.topic, payload: message.payload, qos: qos, retain: retain, duplicate: duplicate, packetID: packetID)
        counters.publishSent[Int(qos.rawValue)] &+= 1
        counters.packetsSent &+= 1
        markDirty(connection)
    }

    private func enqueue(_ message: Message, qos: QoS, for session: Session) {
        if session.queue.append(message, qos: qos, limits: limits) {
            session.isQueueFull = false
            return
        }
        counters.drop(.queueFull)
        session.dropped += 1
        if session.isQueueFull { return }
        session.isQueueFull = true
        let name = session.queue.count >= limits.queueMessagesMax ? "queueMessagesMax" : "queueBytesMax"
        transport.report(.queueFull(clientID: session.clientID, limit: name))
    }

    /// Sends what waits, as far as window and socket have room: first retained messages for new subscriptions, then the queue in order.
    func pump(_ session: Session) {
        guard let connection = session.connection else { return }
        while canSend(session, on: connection), let next = session.retainedBacklog.popFirst() {
            sendRetained(next.topic, qos: next.qos, to: session, on: connection)
        }
        while canSend(session, on: connection), let next = session.queue.popFirst() {
            guard admits(next.message.topic, to: session) else { continue }
            send(next.message, qos: next.qos, isRetainedCopy: false, to: session, on: connection)  // [MQTT-4.6.0-6]
        }
    }

    /// The retained message as it is now, so that it is never older than what went before it.
    private func sendRetained(_ topic: ByteBuffer, qos: QoS, to session: Session, on connection: ClientConnection) {
        guard let message = retained.message(for: topic), admits(topic, to: session) else { return }
        let qos = min(qos, message.qos)
        if qos == .atMostOnce {
            write(message, qos: qos, retain: true, duplicate: false, packetID: 0, on: connection)  // [MQTT-3.3.1-8]
        } else {
            send(message, qos: qos, isRetainedCopy: true, to: session, on: connection)
        }
    }

    /// After a reconnection: everything unfinished again, with its packet identifier, in the original order.
    /// [MQTT-4.4.0-1] [MQTT-4.6.0-1]
    func resendUnfinished(_ session: Session, on connection: ClientConnection) {
        if !authorizer.isUnrestricted {
            session.window.finishAll { $0.stage != .awaitingPubcomp && !admits($0.message.topic, to: session) }
        }
        session.window.forEachUnfinished { entry in
            if entry.stage == .awaitingPubcomp {
                acknowledge(.pubrel, entry.packetID, on: connection)
            } else {
                write(
                    entry.message, qos: entry.qos, retain: entry.isRetainedCopy, duplicate: true,  // [MQTT-3.3.1-1]
                    packetID: entry.packetID, on: connection)
            }
        }
    }
}
