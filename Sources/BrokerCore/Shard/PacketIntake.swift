import MQTTCodec
import NIOCore

/// From bytes to packets: framing, the order of packets, and what each type leads to.
extension Shard {
    /// Bytes behind a packet that waits for other shards beyond which a connection is not read until they are fewer.
    static let inboxBytesMax = 65_536

    /// Nodes of the index that the packets of one client may lead to before others are looked at, with ``changeVisits`` for each change of it.
    static let visitsPerTurn: UInt64 = 65_536

    /// Takes bytes from a client, and does what they ask for: no more than about `share` of them, when others have waited long enough.
    func process(_ bytes: ByteBuffer, on connection: ClientConnection, share: Int = .max) {
        if connection.isClosed { return }
        connection.lastReceived = now
        var buffer = bytes
        let isContinued = connection.inbox.readableBytes > 0
        if isContinued {
            connection.inbox.writeImmutableBuffer(bytes)
            buffer = connection.inbox
            connection.inbox = ByteBuffer()
        }
        publisher = connection
        let rest = share == .max ? 0 : buffer.readableBytes - share
        do {
            // One after the other, so that answers leave in the order of what they answer [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4]
            // [MQTT5-4.6.0-2] [MQTT5-4.6.0-3] [MQTT5-4.6.0-4].
            let start = work
            while try step(&buffer, on: connection), buffer.readableBytes > rest {
                if work - start > Self.visitsPerTurn { pause(connection) }
            }
        } catch {
            end(connection, reason: .malformed(error), closingTransport: true)  // no CONNACK [MQTT-3.1.4-1] [MQTT-4.8.0-1] [MQTT5-4.13.1-1]
        }
        publishOwnMessages()  // what rules made of its messages it waits for like for these
        publisher = nil
        closeIfAnswersPileUp(on: connection)
        switch connection.phase {
        case .closed, .refusing: break
        case .relaying(let shard, _):
            if buffer.readableBytes > 0 { tell(shard, .relayReceived(id: connection.id, bytes: buffer)) }
        case .awaitingConnect, .authenticating, .checking, .connected:
            if buffer.readableBytes == 0 { break }
            // Storage that is half full or more is kept, or every piece of a packet that is still growing would copy all that came before,
            // and every packet that waited what is behind it. Otherwise a copy, so that a few bytes do not keep a whole read's storage.
            let isMostlyFull = isContinued && buffer.readableBytes >= buffer.readerIndex
            connection.inbox = isMostlyFull ? buffer : ByteBuffer(bytes: buffer.readableBytesView)
        }
        updateReading(of: connection)
        if connection.strangersBytes > 0 || !connection.isConnected { countStranger(connection) }
        if connection.inbox.readableBytes > BrokerLimits.connectBytesAlways || connection.inboxBytesCounted > 0 {
            countInbox(of: connection)
        }
    }

    /// What the client waited for.
    enum Wait {
        /// Other shards: its SUBACK, or its CONNACK, is on its way.
        case peers
        /// Room: it may publish again.
        case room
    }

    /// What waits in the inbox is next, unless it waits for something else, too.
    func resumeIntake(of connection: ClientConnection, after wait: Wait) {
        if connection.isLeaving { return }  // what it sent is worked off by turns
        switch wait {
        case .peers: connection.isAwaitingPeers = false
        case .room: connection.isHeld = false
        }
        if connection.inbox.readableBytes > 0 { process(ByteBuffer(), on: connection) }
        updateReading(of: connection)
    }

    /// Answers must not be dropped, so a client that asks on and on and reads nothing is closed.
    ///
    /// Deliveries are not counted: they stop at limits of their own, and those may have been others when they were written.
    private func closeIfAnswersPileUp(on connection: ClientConnection) {
        if connection.isWritable || !connection.isConnected { return }
        guard connection.unreadAnswerBytes / 2 > limits.outboundBytesMax else { return }
        let text = "the client sends and does not read its answers (outboundBytesMax)"
        end(connection, reason: .limitExceeded(.quotaExceeded, text), closingTransport: true)  // [MQTT-4.8.0-2]
    }

    /// Handles one packet.
    ///
    /// Answers false when more bytes are needed or the connection no longer takes any.
    private func step(_ buffer: inout ByteBuffer, on connection: ClientConnection) throws(DecodeError) -> Bool {
        switch connection.phase {
        case .connected, .authenticating:
            if connection.isAwaitingPeers || connection.isHeld || connection.isAwaitingAnswers { return false }
            if receiveTogether(&buffer, on: connection) { return !connection.isClosed }
            // [MQTT5-3.2.2-15]
            let packetBytesMax = connection.isConnected ? connection.limits.values.packetBytesMax : limits.connectBytesMax
            guard
                let header = try FixedHeader(
                    reading: buffer.readableBytesUInt8Span, at: 0, packetBytesMax: packetBytesMax, version: connection.version),
                buffer.readableBytes >= header.packetLength
            else { return false }
            counters.packetsReceived &+= 1
            turns?.begin()
            if !connection.isConnected { connection.packetBytesKept += header.packetLength }
            if connection.isTraced { traceReceived(buffer, header: header, on: connection) }
            if header.type == .publish, connection.isConnected {
                // Answers as its QoS asks [MQTT-3.3.4-1] [MQTT5-3.3.4-1].
                try receivePublish(in: buffer, header: header, on: connection)
                buffer.moveReaderIndex(forwardBy: header.packetLength)
            } else if let packet = buffer.readSlice(length: header.packetLength) {
                try receive(packet, header: header, on: connection)
            }
            return !connection.isClosed
        case .awaitingConnect:
            return try stepBeforeConnect(&buffer, on: connection)
        case .checking:
            return false  // it is looked at when the client is let in
        case .relaying, .refusing, .closed:
            return false  // what follows a refused CONNECT is not read [MQTT-3.1.4-5] [MQTT5-3.1.4-6]
        }
    }

    private func stepBeforeConnect(_ buffer: inout ByteBuffer, on connection: ClientConnection) throws(DecodeError) -> Bool {
        guard buffer.readableBytes > 0 else { return false }
        // The first byte decides: a stranger's bytes are not gathered first.
        let first = buffer.readableBytesUInt8Span[0]
        guard first >> 4 == PacketType.connect.rawValue, first != Self.tlsHandshake else {
            // [MQTT-3.1.0-1] [MQTT5-3.1.0-1]
            end(connection, reason: .protocolViolation(Self.describe(firstByte: first)), closingTransport: true)
            return false
        }
        guard
            let header = try FixedHeader(
                reading: buffer.readableBytesUInt8Span, at: 0, packetBytesMax: limits.connectBytesMax, version: .v31),
            let packet = buffer.readSlice(length: header.packetLength)
        else { return false }
        counters.packetsReceived &+= 1
        turns?.begin()
        connection.packetBytesKept = header.packetLength
        let version: ProtocolVersion
        do {
            version = try Connect.version(of: packet, header: header)
        } catch DecodeError.unsupportedProtocolLevel(let level, let isOfOldName) {
            refuseLevel(level, ofOldName: isOfOldName, on: connection)
            return true
        }
        do {
            if case .connect(let connect) = try Packet(
                decoding: packet, header: header, version: version, sender: .client, limits: connection.limits.decoding)
            {
                receiveConnect(connect, on: connection)
            }
        } catch {
            // MQTT 5 has a word for it; in MQTT 3.1.1 the connection just ends [MQTT5-3.1.4-1] [MQTT5-4.13.1-1].
            guard version == .v5 else { throw error }
            refuse("", on: connection, error.reasonCode, error.description, version: .v5)
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
        // What a server only may send has no form that a client could get right.
        guard header.type.isSentByClients else {
            return end(connection, reason: .protocolViolation("\(header.type.name) is sent by servers only"), closingTransport: true)
        }
        // Whatever stands in it [MQTT-3.1.0-2] [MQTT5-3.1.0-2].
        guard header.type != .connect else {
            return end(connection, reason: .protocolViolation("a second CONNECT"), closingTransport: true)
        }
        let packet = try Packet(
            decoding: bytes, header: header, version: connection.version, sender: .client, limits: connection.limits.decoding)
        guard let session = connection.session, connection.isConnected else {
            return receiveWhileAuthenticating(packet, on: connection)
        }
        // Whatever the send quota is: it bounds PUBLISH only [MQTT5-3.3.4-10] [MQTT5-4.9.0-3].
        switch packet {
        case .puback(let packet):
            let place = keptPlace(of: packet.packetID, in: session)
            if session.window.acknowledge(packet.packetID) {  // until here it was unacknowledged [MQTT-4.3.2-1]
                recordRemoval(at: place, from: session)
                pump(session)
            } else {
                endIfContradicted(by: .puback, packet.packetID, of: session, on: connection)
            }
        case .pubrec(let packet): receivePubrec(packet, from: session, on: connection)
        case .pubrel(let packet): receivePubrel(packet.packetID, from: session, on: connection)
        case .pubcomp(let packet):
            let place = keptPlace(of: packet.packetID, in: session)
            if session.window.complete(packet.packetID) {
                recordRemoval(at: place, from: session)
                pump(session)
            } else {
                endIfContradicted(by: .pubcomp, packet.packetID, of: session, on: connection)
            }
        case .subscribe(let packet): receiveSubscribe(packet, from: session, on: connection)
        case .unsubscribe(let packet): receiveUnsubscribe(packet, from: session, on: connection)
        case .pingreq: send(.pingresp, on: connection)  // [MQTT-3.12.4-1] [MQTT5-3.12.4-1]
        case .disconnect(let packet): receiveDisconnect(packet, from: session, on: connection)
        case .auth(let packet): receiveAuth(packet, on: connection)
        case .connect:
            // [MQTT-3.1.0-2] [MQTT5-3.1.0-2] [MQTT5-3.2.0-2]
            end(connection, reason: .protocolViolation("a second CONNECT"), closingTransport: true)
        case .publish, .connack, .suback, .unsuback, .pingresp: break  // seen to before
        }
    }

    private func receivePubrec(_ packet: Acknowledgement, from session: Session, on connection: ClientConnection) {
        let place = keptPlace(of: packet.packetID, in: session)
        let wasFull = session.window.bytes >= limits.inflightBytesMax
        if packet.reasonCode.isError {
            if session.window.refuse(packet.packetID) {
                recordRemoval(at: place, from: session)
                pump(session)
            } else {
                endIfContradicted(by: .pubrec, packet.packetID, of: session, on: connection)
            }
        } else if session.window.received(packet.packetID) {
            recordRelease(at: place, of: session)
            // [MQTT-4.3.3-1] [MQTT5-4.3.3-4]
            acknowledge(.pubrel, packet.packetID, after: need(of: session), on: connection)
            // Its bytes are free, if not its place.
            if wasFull { pump(session) } else { countWaiting(of: session) }
        } else if !endIfContradicted(by: .pubrec, packet.packetID, of: session, on: connection) {
            // Also in MQTT 3.1.1, which cannot tell why: without an answer the client's identifier would be taken for ever.
            acknowledge(.pubrel, packet.packetID, .packetIdentifierNotFound, on: connection)
        }
    }

    /// Ends the connection for an acknowledgement that the message with its identifier cannot have; answers whether it did.
    ///
    /// Passed over, the message would wait for ever, and take a place among those under way.
    @discardableResult
    private func endIfContradicted(
        by type: PacketType, _ packetID: UInt16, of session: Session, on connection: ClientConnection
    ) -> Bool {
        guard session.window.isContradicted(by: type, packetID) else { return false }
        let text = "\(type.name) is not what the message with packet identifier \(packetID) waits for"
        // [MQTT-3.3.4-1] [MQTT-4.8.0-1] [MQTT5-3.3.4-1] [MQTT5-4.13.1-1]
        end(connection, reason: .protocolViolation(text), closingTransport: true)
        return true
    }

    // MARK: Answers

    /// Answers, when what the answer promises is on disk: `need`, or what the packet at hand has led to.
    func acknowledge(
        _ type: PacketType, _ packetID: UInt16, _ code: ReasonCode = .success, after need: CommitNeed? = nil,
        on connection: ClientConnection
    ) {
        if turns != nil, holds(.acknowledgement(type, packetID, code), until: need, on: connection) { return }
        write(type, packetID, code, on: connection)
    }

    func write(_ type: PacketType, _ packetID: UInt16, _ code: ReasonCode, on connection: ClientConnection) {
        let before = connection.outbound.count
        // [MQTT-2.3.1-6] [MQTT5-2.2.1-5]
        connection.outbound.buffer.writeAcknowledgement(type, packetID: packetID, reasonCode: code, version: connection.version)
        connection.noteAnswer(behind: before)
        counters.packetsSent &+= 1
        markDirty(connection)
    }

    /// Sends a packet that is no PUBLISH, without what is only for people if the client does not want it or takes no packet that large
    /// [MQTT5-3.1.2-24] [MQTT5-3.1.2-29].
    func send(_ packet: Packet, on connection: ClientConnection) {
        var packet = packet
        if let terms = connection.terms {
            let isExempt = if case .connack = packet { true } else if case .disconnect = packet { true } else { false }
            if !terms.wantsProblemInformation && !isExempt || packet.encodedSize(version: .v5) > terms.packetBytesMax {
                packet.removeProblemInformation()  // [MQTT5-3.14.2-3]
            }
            if packet.encodedSize(version: .v5) > terms.packetBytesMax {
                let text = "the client takes no packet as large as an answer that it must get (Maximum Packet Size)"
                if case .disconnect = packet { return }
                // Without CONNACK there is no DISCONNECT either [MQTT5-3.14.0-1].
                let isConnack = if case .connack = packet { true } else { false }
                let reason = isConnack ? CloseReason.refused(.packetTooLarge, text) : .limitExceeded(.packetTooLarge, text)
                return end(connection, reason: reason, closingTransport: true)
            }
        }
        let before = connection.outbound.count
        packet.encode(into: &connection.outbound.buffer, version: connection.version)
        connection.noteAnswer(behind: before)
        counters.packetsSent &+= 1
        markDirty(connection)
    }
}

extension Packet {
    /// Removes reason string and user properties, where the packet has such.
    fileprivate mutating func removeProblemInformation() {
        switch self {
        case .connack(var packet):
            packet.properties.removeProblemInformation()
            self = .connack(packet)
        case .suback(var packet):
            packet.properties.removeProblemInformation()
            self = .suback(packet)
        case .unsuback(var packet):
            packet.properties.removeProblemInformation()
            self = .unsuback(packet)
        case .disconnect(var packet):
            packet.properties.removeProblemInformation()
            self = .disconnect(packet)
        case .auth(var packet):
            packet.properties.removeProblemInformation()
            self = .auth(packet)
        default: break
        }
    }
}
