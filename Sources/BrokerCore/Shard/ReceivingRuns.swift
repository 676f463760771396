import MQTTCodec
import NIOCore

/// Packets of one kind that follow each other and that nobody need look at one by one (record 0033).
extension Shard {
    /// Bytes of a run, so that a client that fills its socket is not read far past what its subscribers, or other shards, have room for.
    private var runBytesMax: Int { min(65_536, limits.outboundBytesMax / 4, limits.handOffBytesMax / 4) }
    /// Bytes of a run at QoS 1, whose messages lie in one storage until the last of them is acknowledged.
    private static let keptRunBytesMax = 4_096

    /// Takes what may be taken together from the front of a connected client's bytes.
    ///
    /// Answers false when the next packet is nothing of the kind.
    func receiveTogether(_ buffer: inout ByteBuffer, on connection: ClientConnection) -> Bool {
        guard connection.isConnected, !connection.isTraced, buffer.readableBytes > 0 else { return false }
        let first = buffer.readableBytesUInt8Span[0]
        if PublishRunLayout.mayBegin(with: first) { return receiveRun(&buffer, on: connection) }
        return first == Self.puback && receivePubacks(&buffer, on: connection)
    }

    // MARK: PUBLISH

    private func receiveRun(_ buffer: inout ByteBuffer, on connection: ClientConnection) -> Bool {
        guard let route = connection.lastRoute, route.generation == index.generation, route.takesRuns,
            !connection.isAWS, !connection.limits.paces, !(route.record?.wantsPayload(at: now) ?? false)
        else { return false }
        let topic = route.topic
        guard
            let layout = PublishRunLayout(
                reading: buffer.readableBytesUInt8Span, topic: topic.readableBytesUInt8Span, version: connection.version,
                packetBytesMax: connection.limits.values.packetBytesMax, bytesMax: runBytesMax,
                keptBytesMax: min(runBytesMax, Self.keptRunBytesMax)),
            layout.qos == .atMostOnce || mayAcknowledgeTogether(along: route),
            authorizer.isUnrestricted
                || authorizer.refusal(ofPublish: route.topicName, retain: false, by: connection.publisher) == nil,
            let packets = buffer.readSlice(length: layout.length)
        else { return false }
        turns?.begin()
        counters.packetsReceived &+= UInt64(layout.messages)
        counters.publishReceived[Int(layout.qos.rawValue)] &+= UInt64(layout.messages)
        counters.publishBytesReceived &+= UInt64(layout.payloadBytes)
        connection.listener.figures.messagesReceived &+= UInt64(layout.messages)
        route.record?.count(messages: layout.messages, bytes: layout.payloadBytes, at: now)
        var run = PublishRun(topic: topic, packets: packets, version: connection.version, layout: layout, acceptedAt: AcceptTime(now))
        if layout.qos != .atMostOnce { run = run.stored() }
        deliver(run, along: route)
        if !taps.isEmpty { tap(run, along: route, of: connection) }
        if layout.qos != .atMostOnce, !connection.isClosed { acknowledge(run, on: connection) }
        return true
    }

    /// Whether messages at QoS 1 need nothing on disk, and all get the same answer.
    private func mayAcknowledgeTogether(along route: Route) -> Bool { turns == nil && !route.isEmpty }

    /// PUBACK for each message, in the order in which they came [MQTT-4.6.0-2] [MQTT5-4.6.0-2].
    private func acknowledge(_ run: PublishRun, on connection: ClientConnection) {
        connection.outbound.buffer.writePubacks(of: run.layout, in: run.packets)
        counters.packetsSent &+= UInt64(run.messages)
        markDirty(connection)
    }

    private func deliver(_ run: PublishRun, along route: Route) {
        deliverLocally(run, along: route)
        var shards = route.shards
        guard !shards.isEmpty else { return }
        // In storage of its own: another loop may come to it late, and a slice would keep the publisher's whole read until then.
        let own = run.qos == .atMostOnce ? run.stored() : run
        while let shard = shards.popFirst() {
            handOver(.deliverRun(own), bytes: own.size + takeVisits(), to: shard)
            if congestedPeers.contains(shard) || handOffs.full.contains(shard) { holdPublisher() }
        }
    }

    /// Shows those of the messages that somebody wants to see.
    private func tap(_ run: PublishRun, along route: Route, of connection: ClientConnection) {
        if route.taps.version != tapsVersion { findTaps(of: route) }
        for tap in route.taps.taps {
            var next = tap.next(among: run.messages, at: now)
            guard next != nil else { continue }
            var place = 0
            run.forEachMessage(at: now) { outgoing in
                if place == next {
                    transport.tapped(tap.id, message: outgoing.message, publisher: connection.publisher, skipped: tap.takeSkipped())
                    next = tap.next(among: run.messages - place - 1, at: now).map { place + 1 + $0 }
                }
                place += 1
            }
        }
    }

    // MARK: PUBACK

    private static let puback = PacketType.puback.rawValue << 4

    /// Takes PUBACKs without reason code, which mean success, when there is nothing on disk to be removed for them.
    private func receivePubacks(_ buffer: inout ByteBuffer, on connection: ClientConnection) -> Bool {
        guard turns == nil, let session = connection.session else { return false }
        let taken = Self.acknowledge(reading: buffer.readableBytesUInt8Span, in: &session.window)
        guard taken.packets > 0 else { return false }
        counters.packetsReceived &+= UInt64(taken.packets)
        buffer.moveReaderIndex(forwardBy: 4 * taken.packets)
        if taken.finished { pump(session) }
        return true
    }

    private static func acknowledge(
        reading bytes: Swift.Span<UInt8>, in window: inout OutboundWindow
    ) -> (packets: Int, finished: Bool) {
        var taken = (packets: 0, finished: false)
        while 4 * taken.packets + 4 <= bytes.count {
            let start = 4 * taken.packets
            let packetID = UInt16(bytes[start + 2]) << 8 | UInt16(bytes[start + 3])
            guard bytes[start] == puback, bytes[start + 1] == 2, packetID != 0 else { break }
            taken.packets += 1
            if window.acknowledge(packetID) { taken.finished = true }  // until here it was unacknowledged [MQTT-4.3.2-1]
        }
        return taken
    }
}
