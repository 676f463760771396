import MQTTCodec
import NIOCore

/// PUBLISH from clients, and messages accepted by this shard: retained, statistics, routing, rules (MQTT 3.1.1 section 3.3).
extension Shard {
    func receivePublish(in buffer: ByteBuffer, header: FixedHeader, on connection: ClientConnection) throws(DecodeError) {
        guard let session = connection.session else { return }
        let layout = try PublishLayout(reading: buffer.readableBytesUInt8Span, at: 0, header: header, version: .v311)
        guard let route = try route(of: layout, in: buffer, on: connection) else { return }
        counters.publishReceived[Int(layout.qos.rawValue)] &+= 1
        guard let payload = buffer.getSlice(at: buffer.readerIndex + layout.payloadStart, length: layout.payloadLength) else { return }
        let message = Message(topic: route.topic, payload: payload, qos: layout.qos, retain: layout.retain)
        switch layout.qos {
        case .atMostOnce:
            var outgoing = OutgoingMessage(message)
            if header.flags == 0 && header.isMinimal {
                outgoing.frame = buffer.getSlice(at: buffer.readerIndex, length: header.packetLength)
            }
            acceptFromClient(&outgoing, along: route, on: connection)
        case .atLeastOnce:
            var outgoing = OutgoingMessage(message)
            acceptFromClient(&outgoing, along: route, on: connection)
            acknowledge(.puback, layout.packetID, on: connection)  // [MQTT-4.3.2-2]
        case .exactlyOnce:
            if session.awaitingPubrel.count >= limits.awaitingPubrelMax, !session.awaitingPubrel.contains(layout.packetID) {
                let text = "more than \(limits.awaitingPubrelMax) QoS 2 messages without PUBREL (awaitingPubrelMax)"
                return end(connection, reason: .limitExceeded(text), closingTransport: true)
            }
            if session.awaitingPubrel.receive(layout.packetID) {  // [MQTT-4.3.3-2]
                var outgoing = OutgoingMessage(message)
                acceptFromClient(&outgoing, along: route, on: connection)
            }
            acknowledge(.pubrec, layout.packetID, on: connection)  // [MQTT-4.3.3-2]
        }
    }

    /// The route of a PUBLISH; the publisher's last one if the topic is the same.
    ///
    /// `nil` when the topic's length closed the connection.
    private func route(of layout: PublishLayout, in buffer: ByteBuffer, on connection: ClientConnection) throws(DecodeError) -> Route? {
        let start = buffer.readerIndex + layout.topicStart
        if let last = connection.lastRoute, last.generation == index.generation,
            last.topic.hasSameBytes(as: buffer, at: start, length: layout.topicLength)
        {
            return last
        }
        guard let topic = buffer.getSlice(at: start, length: layout.topicLength) else { throw .truncated(.publish) }
        try Topics.validate(name: topic.readableBytesUInt8Span, in: .publish)
        if let problem = topicProblem(topic) {
            end(connection, reason: .limitExceeded(problem), closingTransport: true)
            return nil
        }
        let route = routes.route(for: topic, index: &index, topics: &topics)
        connection.lastRoute = route
        return route
    }

    func topicProblem(_ topic: ByteBuffer) -> String? {
        if topic.readableBytes > limits.topicBytesMax { return "a topic longer than \(limits.topicBytesMax) bytes (topicBytesMax)" }
        var levels = 1
        for byte in topic.readableBytesView where byte == UInt8(ascii: "/") { levels += 1 }
        if levels > limits.topicLevelsMax { return "a topic of more than \(limits.topicLevelsMax) levels (topicLevelsMax)" }
        return nil
    }

    /// Clients do not publish to the broker's own topics, and nowhere without the right to.
    func mayPublish(_ topic: ByteBuffer, _ publisher: Publisher) -> Bool {
        let isSystemTopic = topic.readableBytesView.first == UInt8(ascii: "$")
        if !isSystemTopic, authorizer.isUnrestricted || authorizer.allowsPublish(to: String(buffer: topic), by: publisher) { return true }
        counters.drop(.publishDenied)
        transport.report(.publishDenied(clientID: publisher.clientID ?? "", topic: String(buffer: topic)))
        return false
    }

    private func acceptFromClient(_ outgoing: inout OutgoingMessage, along route: Route, on connection: ClientConnection) {
        if route.isSystemTopic || !authorizer.isUnrestricted {
            // MQTT 3.1.1 has no refusal for a publish: it is acknowledged and goes nowhere [MQTT-3.3.5-2].
            guard mayPublish(route.topic, connection.publisher) else { return }
        }
        accept(&outgoing, along: route, from: connection)
    }

    /// A message that did not come as a PUBLISH of a connection here: by the broker itself, or a will.
    func accept(_ message: Message, from publisher: Publisher) {
        let route = routes.route(for: message.topic, index: &index, topics: &topics)
        var outgoing = OutgoingMessage(message)
        accept(&outgoing, along: route, publisher: publisher)
    }

    private func accept(_ outgoing: inout OutgoingMessage, along route: Route, from connection: ClientConnection) {
        // The publisher's name is made only for those who ask for it.
        if taps.isEmpty && !route.hasRules {
            accept(&outgoing, along: route, publisher: nil)
        } else {
            accept(&outgoing, along: route, publisher: connection.publisher)
        }
    }

    private func accept(_ outgoing: inout OutgoingMessage, along route: Route, publisher: Publisher?) {
        if outgoing.message.retain { retain(&outgoing) }
        if let record = route.record {
            record.messages &+= 1
            record.bytes &+= UInt64(outgoing.message.payload.readableBytes)
            record.lastSeen = now
        }
        deliver(&outgoing, along: route)
        guard let publisher else { return }
        if !taps.isEmpty { tap(outgoing.message, publisher) }
        if route.hasRules, let rules {
            for output in rules.evaluate(outgoing.message, from: publisher) { enqueueOwn(output) }
        }
    }

    private func retain(_ outgoing: inout OutgoingMessage) {
        if !retained.update(outgoing.stored()) {
            counters.drop(.retainedFull)
            transport.report(.retainedFull(topic: outgoing.message.topicName))
        }
    }

    private func tap(_ message: Message, _ publisher: Publisher) {
        let name = message.topicName
        for tap in taps where Topics.matches(name: name, filter: tap.filter) {
            transport.tapped(tap.id, message: message, publisher: publisher)
        }
    }
}
