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
        let connection = SubscriberConnection(
            number: number,
            stream: SubscriberStream(verifier: verifier, run: run, payloadBytes: parameters.payloadBytes),
            // The payload, the topic with its length, the identifier, the header; this run's packets have no other parts.
            packetBytesMax: parameters.payloadBytes + filter.utf8.count + 16,
            link: SessionLink(loop: self))
        add(connection)
        return dialer.open(
            clientID: topology.clientID("s", number), subscribe: RawPackets.subscribe(filter: filter, qos: parameters.qos),
            successor: connection, keepsSession: parameters.keepsSessions, on: eventLoop
        ).map { _ in }
    }

    /// Ends subscriber `number`'s session, which the broker would keep.
    package func endSession(ofSubscriber number: Int, topology: Topology, dialer: Dialer) -> EventLoopFuture<Void> {
        dialer.open(clientID: topology.clientID("s", number), subscribe: nil, successor: nil, on: eventLoop).flatMap { channel in
            channel.writeAndFlush(ByteBuffer(bytes: RawPackets.disconnect)).flatMap { channel.close() }
        }
    }

    /// Opens publisher `number`'s session, up to its CONNACK.
    package func openPublisher(
        _ number: Int, topology: Topology, parameters: LoadParameters, run: UInt32, dialer: Dialer
    ) -> EventLoopFuture<Void> {
        let template = PublishTemplate(
            topic: topology.topic(ofPublisher: number), qos: parameters.qos, payloadBytes: parameters.payloadBytes, run: run,
            publisher: UInt32(number))
        let flow = PublisherFlow(
            window: parameters.rate == nil ? parameters.inflight : Int(PublisherFlow.windowMax),
            waitsForAcknowledgement: parameters.qos > .atMostOnce, audiences: topology.audiences)
        let connection = PublisherConnection(
            stream: PublisherStream(publisher: number, template: template, flow: flow), link: SessionLink(loop: self))
        add(connection)
        return dialer.open(clientID: topology.clientID("p", number), subscribe: nil, successor: connection, on: eventLoop)
            .map { _ in }
    }
}
