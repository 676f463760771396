import MQTTCodec
package import NIOCore

/// Opening the sessions of an event loop.
extension LoadLoop {
    /// Opens subscriber `number`'s session, up to its SUBACK.
    package func openSubscriber(
        _ number: Int, topology: Topology, parameters: LoadParameters, run: UInt32, dialer: Dialer
    ) -> EventLoopFuture<Void> {
        let verifier = StreamVerifier(
            subscriber: number, publishers: topology.publishers(ofSubscriber: number), qos: parameters.qos)
        let filter = topology.filter(ofSubscriber: number)
        let stream = SubscriberStream(
            verifier: verifier, run: run, payloadBytes: parameters.payloadBytes, version: parameters.version, format: parameters.format)
        let connection = SubscriberConnection(
            number: number, stream: stream, packetBytesMax: packetBytesMax(filter: filter, parameters: parameters),
            link: SessionLink(loop: self))
        add(connection)
        let request = SessionRequest(
            clientID: topology.clientID("s", number),
            subscribe: RawPackets.subscribe(filter: filter, qos: parameters.qos, version: parameters.version),
            keepsSession: parameters.keepsSessions, source: number)
        return dialer.open(request, successor: connection, on: eventLoop).map { _ in }
    }

    /// The payload, the topic with its length, the identifier, the header, and in MQTT 5 properties that a broker may add; what rules make
    /// of a message may be longer than it.
    private func packetBytesMax(filter: String, parameters: LoadParameters) -> Int {
        let more = parameters.version == .v5 || parameters.format == .json ? 65_536 : 16
        return parameters.payloadBytes + filter.utf8.count + more
    }

    /// Opens subscriber `number`'s session again, without a subscription of its own, and goes on with its stream.
    ///
    /// - Returns: whether the broker still had the session.
    package func reopenSubscriber(_ number: Int, topology: Topology, parameters: LoadParameters, dialer: Dialer) -> EventLoopFuture<Bool> {
        let filter = topology.filter(ofSubscriber: number)
        let old = subscriber(number)
        let connection = SubscriberConnection(
            number: number, stream: old.stream, packetBytesMax: packetBytesMax(filter: filter, parameters: parameters),
            link: SessionLink(loop: self))
        connection.countedDeliveries = old.countedDeliveries
        connection.countedPings = old.countedPings
        replace(connection)
        let request = SessionRequest(clientID: topology.clientID("s", number), keepsSession: true, source: number)
        return dialer.open(request, successor: connection, on: eventLoop).map { $0.isSessionPresent }
    }

    /// Ends subscriber `number`'s session, which the broker would keep.
    package func endSession(ofSubscriber number: Int, topology: Topology, dialer: Dialer) -> EventLoopFuture<Void> {
        let request = SessionRequest(clientID: topology.clientID("s", number), source: number)
        return dialer.open(request, successor: nil, on: eventLoop).flatMap { session in
            let channel = session.channel
            return channel.writeAndFlush(ByteBuffer(bytes: RawPackets.disconnect)).flatMap { channel.close() }
        }
    }

    /// Opens publisher `number`'s session, up to its CONNACK; or, when `events` is told, its connection to where events are put.
    package func openPublisher(
        _ number: Int, topology: Topology, parameters: LoadParameters, run: UInt32, dialer: Dialer, events: BrokerAddress? = nil
    ) -> EventLoopFuture<Void> {
        // Events are put one call after the other, and each call's answer acknowledges its messages: as at QoS 1.
        let qos = events == nil ? parameters.qos : .atLeastOnce
        let version = events == nil ? parameters.version : .v311
        let template = PublishTemplate(
            topic: topology.topic(ofPublisher: number), qos: qos, payloadBytes: parameters.payloadBytes, run: run,
            publisher: UInt32(number), version: version, format: parameters.format)
        let window = parameters.rate == nil ? parameters.inflight : Int(PublisherFlow.windowMax)
        let flow = PublisherFlow(window: window, waitsForAcknowledgement: qos > .atMostOnce, audiences: topology.audiences)
        let stream = PublisherStream(
            publisher: number, template: template, flow: flow, version: version, timesAcknowledgements: parameters.mode == .durable)
        let connection = PublisherConnection(
            stream: stream, packetBytesMax: version == .v5 ? 65_536 : 8, link: SessionLink(loop: self))
        add(connection)
        if let events { return dialer.openEvents(events, successor: connection, on: eventLoop) }
        let request = SessionRequest(
            clientID: topology.clientID("p", number), window: parameters.rate == nil && qos > .atMostOnce ? window : 1,
            source: topology.subscribers + number)
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        return dialer.open(request, successor: connection, on: eventLoop).map { session in
            if qos > .atMostOnce { bound.value.stream.flow.limitWindow(session.receiveMaximum) }
        }
    }
}
