import MQTTCodec
import NIOCore

/// PUBLISH from clients: its topic or alias, its QoS, and what the client is answered (MQTT 3.1.1 and MQTT 5 section 3.3).
extension Shard {
    func receivePublish(in buffer: ByteBuffer, header: FixedHeader, on connection: ClientConnection) throws(DecodeError) {
        guard let session = connection.session else { return }
        let terms = connection.terms
        let layout = try PublishLayout(
            reading: buffer.readableBytesUInt8Span, at: 0, header: header, version: connection.version, limits: connection.limits.decoding)
        if layout.qos == .exactlyOnce, connection.isAWS { return refuseQoS2(on: connection) }
        guard let route = try route(of: layout, in: buffer, on: connection) else { return }
        if route.isSystemTopic, connection.isAWS, !(route.isBasicIngest && rules != nil) {
            let text = "a publish to a topic that begins with $, which nothing here serves"
            return end(connection, reason: .limitExceeded(.topicNameInvalid, text), closingTransport: true)
        }
        counters.publishReceived[Int(layout.qos.rawValue)] &+= 1
        counters.publishBytesReceived &+= UInt64(layout.payloadLength)
        connection.listener.figures.messagesReceived &+= 1
        guard let payload = buffer.getSlice(at: buffer.readerIndex + layout.payloadStart, length: layout.payloadLength) else { return }
        var message = Message(topic: route.topic, payload: payload, qos: layout.qos, retain: layout.retain)
        message.acceptedAt = AcceptTime(now)
        if terms != nil, layout.propertyCount > 0 {
            message.properties = MessageProperties(
                forwarded: layout.forwardedProperties(in: buffer), expiryInterval: layout.messageExpiryInterval, now: now)
        }
        let isChanged = message.properties != nil && spans != nil && followTrace(&message)
        if layout.qos == .exactlyOnce, !mayReceive(layout.packetID, session, on: connection) { return }
        chargePublish(bytes: header.packetLength, of: connection)
        var outgoing = OutgoingMessage(message, now: now)
        if route.hasNoLocal { outgoing.publisher = session }
        // The publisher's own bytes, where the fixed header says nothing that is for the publisher only.
        if header.flags == 0, header.isMinimal, layout.topicAlias == nil, !isChanged,
            let frame = buffer.getSlice(at: buffer.readerIndex, length: header.packetLength)
        {
            outgoing.take(frame: frame, version: connection.version)
        }
        let isUTF8 = layout.payloadFormatIndicator == .utf8
        switch layout.qos {
        case .atMostOnce:
            _ = acceptFromClient(&outgoing, along: route, isUTF8: isUTF8, on: connection)
        case .atLeastOnce:
            let code = acceptFromClient(&outgoing, along: route, isUTF8: isUTF8, on: connection)
            if connection.isClosed { return }
            noteOwnMessages()
            // Nothing is kept of the identifier: the next one is new [MQTT-4.3.2-2] [MQTT5-4.3.2-4] [MQTT5-4.3.2-5].
            acknowledge(.puback, layout.packetID, code, on: connection)
        case .exactlyOnce:
            var code = ReasonCode.success
            let isRepeated = session.awaitingPubrel.contains(layout.packetID)
            if !isRepeated {  // [MQTT-4.3.3-2] [MQTT5-4.3.3-10]
                prepare(&outgoing, layout.packetID, of: session)
                code = acceptFromClient(&outgoing, along: route, isUTF8: isUTF8, on: connection)
                if connection.isClosed { return }
                noteOwnMessages()
                if !code.isError {
                    session.awaitingPubrel.receive(layout.packetID)  // [MQTT5-4.3.3-9]
                    countAwaitingPubrel(of: session)
                    recordReceived(layout.packetID, of: session, with: route.shards, done: outgoing.origin?.done ?? ShardSet())
                } else if session.awaitingPubrel.release(layout.packetID) {
                    // With a code from 0x80 on the identifier is free [MQTT5-4.3.3-9]: what comes with it next is another message.
                    recordForgotten(layout.packetID, of: session)
                    countAwaitingPubrel(of: session)
                }
            } else {
                session.awaitingPubrel.receive(layout.packetID)  // counts as one of this connection now
            }
            // [MQTT-4.3.3-2] [MQTT5-4.3.3-8]
            let need = isRepeated ? receivingNeed(of: session, on: connection) : code.isError ? CommitNeed() : turns?.touched
            acknowledge(.pubrec, layout.packetID, code, after: need, on: connection)
        }
        if turns?.touched.own == true, isStoreBehind { holdPublisher() }
    }

    /// A QoS 2 message of a session that is kept can be told from others, also after a crash.
    private func prepare(_ outgoing: inout OutgoingMessage, _ packetID: UInt16, of session: Session) {
        guard let turns, turns.isStrict, session.keeping.isKept else { return }
        let origin = KeptOrigin(of: session)
        origin.inbound = InboundID(session: session.epoch, packetID: packetID)
        (origin.done, origin.groupsAreDone) = session.awaitingPubrel.partDone(packetID)
        outgoing.origin = origin
    }

    /// What rules publish for a message comes later in the turn, and is to be on disk with it.
    private func noteOwnMessages() {
        if let turns, !ownMessages.isEmpty { turns.touchAll() }
    }

    /// IoT Core has no QoS 2: it tells clients of MQTT 5 beforehand, and does not answer those of MQTT 3.1.1.
    private func refuseQoS2(on connection: ClientConnection) {
        counters.drop(.qosNotSupported)
        if connection.terms == nil { return }
        end(connection, reason: .limitExceeded(.qosNotSupported, "QoS 2 (dialect: aws)"), closingTransport: true)
    }

    /// The route of a PUBLISH; the publisher's last one if the topic is the same.
    ///
    /// `nil` when its topic or alias closed the connection.
    private func route(of layout: PublishLayout, in buffer: ByteBuffer, on connection: ClientConnection) throws(DecodeError) -> Route? {
        if let alias = layout.topicAlias { return try route(ofAlias: alias, layout, in: buffer, on: connection) }
        return try route(ofTopicIn: layout, in: buffer, on: connection)
    }

    private func route(
        ofTopicIn layout: PublishLayout, in buffer: ByteBuffer, on connection: ClientConnection
    ) throws(DecodeError) -> Route? {
        let start = buffer.readerIndex + layout.topicStart
        if let last = connection.lastRoute, last.generation == index.generation,
            last.topic.hasSameBytes(as: buffer, at: start, length: layout.topicLength)
        {
            return last
        }
        guard let topic = buffer.getSlice(at: start, length: layout.topicLength) else { throw .truncated(.publish) }
        try Topics.validate(name: topic.readableBytesUInt8Span, in: .publish)
        if let problem = topicProblem(topic, of: connection) {
            end(connection, reason: .limitExceeded(.topicNameInvalid, problem), closingTransport: true)
            return nil
        }
        let route = routes.route(for: topic, index: &index, topics: &topics)
        connection.lastRoute = route
        return route
    }

    /// A topic alias is given with a topic, and used without one from then on [MQTT5-3.3.2-12].
    private func route(
        ofAlias alias: UInt16, _ layout: PublishLayout, in buffer: ByteBuffer, on connection: ClientConnection
    ) throws(DecodeError) -> Route? {
        guard let terms = connection.terms else { return nil }
        guard terms.inboundAliases.allows(alias) else {
            let text = "topic alias \(alias) is beyond the maximum of \(connection.limits.values.topicAliasesMax) (topicAliasesMax)"
            end(connection, reason: .limitExceeded(.topicAliasInvalid, text), closingTransport: true)  // [MQTT5-3.2.2-17] [MQTT5-3.3.2-9]
            return nil
        }
        if layout.topicLength == 0 {
            guard let topic = terms.inboundAliases.topic(of: alias) else {
                end(connection, reason: .protocolViolation("topic alias \(alias) stands for no topic"), closingTransport: true)
                return nil
            }
            if let last = connection.lastRoute, last.generation == index.generation, last.topic == topic { return last }
            let route = routes.route(for: topic, index: &index, topics: &topics)
            connection.lastRoute = route
            return route
        }
        guard let route = try route(ofTopicIn: layout, in: buffer, on: connection) else { return nil }
        terms.inboundAliases.set(alias, to: route.topic)
        return route
    }

    /// Answers what the client is told, if its version can be told anything.
    private func acceptFromClient(
        _ outgoing: inout OutgoingMessage, along route: Route, isUTF8: Bool, on connection: ClientConnection
    ) -> ReasonCode {
        if connection.isAWS, outgoing.message.payload.readableBytes > AWSQuotas.payloadBytes {
            let text = "a payload of more than \(AWSQuotas.payloadBytes) bytes (dialect: aws)"
            end(connection, reason: .limitExceeded(.packetTooLarge, text), closingTransport: true)
            return .packetTooLarge
        }
        if route.isSystemTopic || !authorizer.isUnrestricted {
            // MQTT 3.1.1 has no refusal for a publish: it is acknowledged and goes nowhere [MQTT-3.3.5-2].
            guard mayPublish(route.topic, retain: outgoing.message.retain, connection.publisher) else {
                if connection.isAWS, connection.terms == nil || outgoing.message.qos == .atMostOnce {
                    end(connection, reason: .notPermitted("a publish that is not authorized (dialect: aws)"), closingTransport: true)
                }
                return .notAuthorized
            }
            if connection.isTraced, let clientID = connection.clientID {
                traceDecision("publish allowed", of: clientID, [.text("topic", String(buffer: route.topic))])
            }
        }
        if isUTF8, (try? UTF8Span(validating: outgoing.message.payload.readableBytesUInt8Span)) == nil {
            counters.drop(.payloadFormatInvalid)
            return .payloadFormatInvalid
        }
        if turns != nil, lacksStore(for: outgoing.message, along: route) { return refuseForWantOfStore(on: connection) }
        // Who can be told is refused whole; of all others the last message counts, kept or not.
        if outgoing.message.retain, connection.terms != nil, outgoing.message.qos > .atMostOnce, !route.isBasicIngest,
            !retained.hasRoom(for: outgoing.message, by: connection.publisher)
        {
            counters.drop(.retainedFull)
            transport.report(.retainedFull(topic: outgoing.message.topicName))
            return .quotaExceeded
        }
        if outgoing.message.properties != nil { tellTrace(of: outgoing.message) }
        accept(&outgoing, along: route, from: connection)
        return route.isEmpty ? .noMatchingSubscribers : .success
    }
}
