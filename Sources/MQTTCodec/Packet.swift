package import NIOCore

/// One control packet of MQTT 3.1.1 or MQTT 5, of either direction.
///
/// The broker's hot path reads PUBLISH through ``PublishLayout`` and never makes a `Packet` of it.
package enum Packet: Equatable, Sendable {
    /// In storage of its own: it is rare and by far the largest, and would make every packet as large.
    indirect case connect(Connect)
    case connack(Connack)
    case publish(Publish)
    case puback(Acknowledgement)
    case pubrec(Acknowledgement)
    case pubrel(Acknowledgement)
    case pubcomp(Acknowledgement)
    case subscribe(Subscribe)
    case suback(Suback)
    case unsubscribe(Unsubscribe)
    case unsuback(Unsuback)
    case pingreq
    case pingresp
    case disconnect(Disconnect)
    case auth(Auth)

    /// Takes the next whole packet off the front of `buffer`; `nil`, and nothing taken, when more bytes are needed.
    ///
    /// A packet of more than `packetBytesMax` bytes throws as soon as its header is there. CONNECT tells its own version; the others are
    /// read as packets of `version` that `sender` sent. After an error the stream has no next packet: the connection is to be closed.
    package static func read(
        from buffer: inout ByteBuffer, version: ProtocolVersion, sender: Sender, packetBytesMax: Int = 268_435_460,
        limits: DecodingLimits = DecodingLimits()
    ) throws(DecodeError) -> Packet? {
        guard
            let header = try FixedHeader(
                reading: buffer.readableBytesUInt8Span, at: 0, packetBytesMax: packetBytesMax, version: version),
            let packet = buffer.readSlice(length: header.packetLength)
        else { return nil }
        return try Packet(decoding: packet, header: header, version: version, sender: sender, limits: limits)
    }

    /// Decodes one whole packet, fixed header included.
    package init(
        decoding packet: ByteBuffer, header: FixedHeader, version: ProtocolVersion, sender: Sender,
        limits: DecodingLimits = DecodingLimits()
    ) throws(DecodeError) {
        let context = DecodingContext(version: version, sender: sender, limits: limits)
        var body = packet
        body.moveReaderIndex(forwardBy: header.headerLength)
        switch header.type {
        case .connect: self = .connect(try Connect(decoding: body, header: header, limits: limits))
        case .connack: self = .connack(try Connack(decoding: body, context))
        case .publish: self = .publish(try Publish(decoding: packet, header: header, context))
        case .puback: self = .puback(try Acknowledgement(decoding: packet, header: header, in: .puback, context))
        case .pubrec: self = .pubrec(try Acknowledgement(decoding: packet, header: header, in: .pubrec, context))
        case .pubrel: self = .pubrel(try Acknowledgement(decoding: packet, header: header, in: .pubrel, context))
        case .pubcomp: self = .pubcomp(try Acknowledgement(decoding: packet, header: header, in: .pubcomp, context))
        case .subscribe: self = .subscribe(try Subscribe(decoding: body, context))
        case .suback: self = .suback(try Suback(decoding: body, context))
        case .unsubscribe: self = .unsubscribe(try Unsubscribe(decoding: body, context))
        case .unsuback: self = .unsuback(try Unsuback(decoding: body, context))
        case .pingreq:
            try FieldReader(body, of: .pingreq).end()
            self = .pingreq
        case .pingresp:
            try FieldReader(body, of: .pingresp).end()
            self = .pingresp
        case .disconnect: self = .disconnect(try Disconnect(decoding: body, context))
        case .auth: self = .auth(try Auth(decoding: body, context))
        }
    }

    /// Appends the packet as one of `version`; CONNECT as one of its own.
    package func encode(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        switch self {
        case .connect(let packet): packet.encode(into: &buffer, version: version)
        case .connack(let packet): packet.encode(into: &buffer, version: version)
        case .publish(let packet): packet.encode(into: &buffer, version: version)
        case .puback(let packet): packet.encode(as: .puback, into: &buffer, version: version)
        case .pubrec(let packet): packet.encode(as: .pubrec, into: &buffer, version: version)
        case .pubrel(let packet): packet.encode(as: .pubrel, into: &buffer, version: version)
        case .pubcomp(let packet): packet.encode(as: .pubcomp, into: &buffer, version: version)
        case .subscribe(let packet): packet.encode(into: &buffer, version: version)
        case .suback(let packet): packet.encode(into: &buffer, version: version)
        case .unsubscribe(let packet): packet.encode(into: &buffer, version: version)
        case .unsuback(let packet): packet.encode(into: &buffer, version: version)
        case .pingreq: buffer.writeEmptyPacket(.pingreq)
        case .pingresp: buffer.writeEmptyPacket(.pingresp)
        case .disconnect(let packet): packet.encode(into: &buffer, version: version)
        case .auth(let packet): packet.encode(into: &buffer, version: version)
        }
    }

    /// Bytes of the packet as `encode(into:version:)` writes it.
    package func encodedSize(version: ProtocolVersion) -> Int {
        switch self {
        case .connect(let packet): packet.encodedSize(version: version)
        case .connack(let packet): packet.encodedSize(version: version)
        case .publish(let packet): packet.encodedSize(version: version)
        case .puback(let packet), .pubrec(let packet), .pubrel(let packet), .pubcomp(let packet): packet.encodedSize(version: version)
        case .subscribe(let packet): packet.encodedSize(version: version)
        case .suback(let packet): packet.encodedSize(version: version)
        case .unsubscribe(let packet): packet.encodedSize(version: version)
        case .unsuback(let packet): packet.encodedSize(version: version)
        case .pingreq, .pingresp: 2
        case .disconnect(let packet): packet.encodedSize(version: version)
        case .auth(let packet): packet.encodedSize(version: version)
        }
    }
}
