import MQTTCodec
import NIOCore

/// From bytes to packets: framing, the order of packets, and what each type leads to.
extension Shard {
    func process(_ bytes: ByteBuffer, on connection: ClientConnection) {
        if connection.isClosed { return }
        connection.lastReceived = now
        var buffer = bytes
        let isContinued = connection.inbox.readableBytes > 0
        if isContinued {
            connection.inbox.writeImmutableBuffer(bytes)
            buffer = connection.inbox
            connection.inbox = ByteBuffer()
        }
        do {
            // One after the other, so that answers leave in the order of what they answer [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4].
            while try step(&buffer, on: connection) {}
        } catch {
            end(connection, reason: .malformed(error), closingTransport: true)  // no CONNACK [MQTT-3.1.4-1] [MQTT-4.8.0-1]
        }
        closeIfAnswersPileUp(on: connection)
        switch connection.phase {
        case .closed: break
        case .relaying(let shard, _):
            if buffer.readableBytes > 0 { tell(shard, .relayReceived(id: connection.id, bytes: buffer)) }
        case .awaitingConnect, .connected:
            if buffer.readableBytes == 0 { break }
            // The storage of a packet that is still growing is kept, or its every piece would copy all that came before.
            // Otherwise a copy, so that a few bytes do not keep a whole read's storage.
            let isGrowing = isContinued && buffer.readerIndex == 0
            connection.inbox = isGrowing ? buffer : ByteBuffer(bytes: buffer.readableBytesView)
        }
    }

    /// The SUBACK is on its way: what came behind its SUBSCRIBE is next.
    func resumeIntake(of connection: ClientConnection) {
        connection.isAwaitingSuback = false
        if connection.inbox.readableBytes > 0 { process(ByteBuffer(), on: connection) }
    }

    /// Answers must not be dropped, so a client that asks on and on and reads nothing is closed.
    ///
    /// What counts is what lies beyond the deliveries, which stop at `outboundBytesMax` and one packet.
    private func closeIfAnswersPileUp(on connection: ClientConnection) {
        if connection.isWritable || !connection.isConnected { return }
        guard (connection.outbound.readableBytes - limits.packetBytesMax) / 2 > limits.outboundBytesMax else { return }
        let text = "the client sends and does not read its answers (outboundBytesMax)"
        end(connection, reason: .limitExceeded(text), closingTransport: true)  // [MQTT-4.8.0-2]
    }

    /// Handles one packet.
    ///
    /// Answers false when more bytes are needed or the connection no longer takes any.
    private func step(_ buffer: inout ByteBuffer, on connection: ClientConnection) throws(DecodeError) -> Bool {
        switch connection.phase {
        case .connected:
            if connection.isAwaitingSuback { return false }
            guard let header = try FixedHeader(reading: buffer.readableBytesUInt8Span, at: 0, packetBytesMax: limits.packetBytesMax),
                buffer.readableBytes >= header.packetLength
            else { return false }
            counters.packetsReceived &+= 1
            if header.type == .publish {
                try receivePublish(in: buffer, header: header, on: connection)  // answers as its QoS asks [MQTT-3.3.4-1]
                buffer.moveReaderIndex(forwardBy: header.packetLength)
            } else if let packet = buffer.readSlice(length: header.packetLength) {
                try receive(packet, header: header, on: connection)
            }
            return connection.isConnected
        case .awaitingConnect:
            return try stepBeforeConnect(&buffer, on: connection)
        case .relaying, .closed:
            return false  // what follows a refused CONNECT is not read [MQTT-3.1.4-5]
        }
    }

    private func stepBeforeConnect(_ buffer: inout ByteBuffer, on connection: ClientConnection) throws(DecodeError) -> Bool {
        guard buffer.readableBytes > 0 else { return false }
        // The first byte decides: a stranger's bytes are not gathered first.
        let first = buffer.readableBytesUInt8Span[0]
        guard first >> 4 == PacketType.connect.rawValue, first != Self.tlsHandshake else {
            end(connection, reason: .protocolViolation(Self.describe(firstByte: first)), closingTransport: true)  // [MQTT-3.1.0-1]
            return false
        }
        guard let header = try FixedHeader(reading: buffer.readableBytesUInt8Span, at: 0, packetBytesMax: limits.connectBytesMax),
            let packet = buffer.readSlice(length: header.packetLength)
        else { return false }
        counters.packetsReceived &+= 1
        do {
            guard case .connect(let connect) = try Packet(decoding: packet, header: header) else { return false }
            receiveConnect(connect, on: connection)
        } catch DecodeError.unsupportedProtocolLevel(let level) {
            refuseLevel(level, on: connection)
        }
        return true
    }

    /// The first byte of TLS, which reads as CONNECT with flags.
    private static let tlsHandshake: UInt8 = 0x16

    private static func describe(firstByte: UInt8) -> String {
        if firstByte == tlsHandshake {
            return "the first bytes are a TLS handshake, and this listener speaks plain MQTT: use an mqtts listener"
        }
        if firstByte >= 0x41 && firstByte <= 0x5A { return "the first bytes look like HTTP, and this listener speaks MQTT" }
        return "the first packet is not CONNECT"
    }

    private func receive(_ bytes: ByteBuffer, header: FixedHeader, on connection: ClientConnection) throws(DecodeError) {
        guard let session = connection.session else { return }
        switch try Packet(decoding: bytes, header: header, filtersMax: limits.filtersPerPacketMax) {
        case .puback(let packetID):
            if session.window.acknowledge(packetID) { pump(session) }  // until here it was unacknowledged [MQTT-4.3.2-1]
        case .pubrec(let packetID):
            receivePubrec(packetID, from: session, on: connection)
        case .pubrel(let packetID):
            session.awaitingPubrel.release(packetID)
            acknowledge(.pubcomp, packetID, on: connection)  // [MQTT-4.3.3-2]: also for an identifier that is not known
        case .pubcomp(let packetID):
            if session.window.complete(packetID) { pump(session) }
        case .subscribe(let packet):
            receiveSubscribe(packet, from: session, on: connection)
        case .unsubscribe(let packet):
            // One UNSUBACK, whatever their number [MQTT-3.10.4-6].
            for filter in packet.filters { removeSubscription(of: session, filter: filter) }  // [MQTT-3.10.4-1]
            acknowledge(.unsuback, packet.packetID, on: connection)  // [MQTT-3.10.4-4] [MQTT-3.10.4-5]
        case .pingreq:
            connection.outbound.writeEmptyPacket(.pingresp)  // [MQTT-3.12.4-1]
            counters.packetsSent &+= 1
            markDirty(connection)
        case .disconnect:
            connection.will = nil  // [MQTT-3.1.2-10] [MQTT-3.14.4-3]
            end(connection, reason: .disconnected, closingTransport: true)  // [MQTT-3.14.4-1]
        case .connect:
            end(connection, reason: .protocolViolation("a second CONNECT"), closingTransport: true)  // [MQTT-3.1.0-2]
        case .connack, .suback, .unsuback, .pingresp, .publish:
            let text = "\(header.type.name) is sent by servers only"
            end(connection, reason: .protocolViolation(text), closingTransport: true)
        }
    }

    private func receivePubrec(_ packetID: UInt16, from session: Session, on connection: ClientConnection) {
        if session.window.received(packetID) {
            acknowledge(.pubrel, packetID, on: connection)  // [MQTT-4.3.3-1]
        }
    }

    func acknowledge(_ type: PacketType, _ packetID: UInt16, on connection: ClientConnection) {
        connection.outbound.writeAcknowledgement(type, packetID: packetID)  // [MQTT-2.3.1-6] [MQTT-2.3.1-7]
        counters.packetsSent &+= 1
        markDirty(connection)
    }
}
