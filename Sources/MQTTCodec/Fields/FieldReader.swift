import NIOCore

/// Takes the fields of one packet's body off its front, each bounded by the body's end.
struct FieldReader {
    private var body: ByteBuffer
    private let type: PacketType

    init(_ body: ByteBuffer, of type: PacketType) {
        self.body = body
        self.type = type
    }

    var isAtEnd: Bool { body.readableBytes == 0 }

    mutating func byte() throws(DecodeError) -> UInt8 {
        guard let value = body.readInteger(as: UInt8.self) else { throw .truncated(type) }
        return value
    }

    mutating func twoByteInteger() throws(DecodeError) -> UInt16 {
        guard let value = body.readInteger(as: UInt16.self) else { throw .truncated(type) }
        return value
    }

    /// A packet identifier, which is never 0.
    mutating func packetIdentifier() throws(DecodeError) -> UInt16 {
        let value = try twoByteInteger()
        if value == 0 { throw .zeroPacketIdentifier(type) }  // [MQTT-2.3.1-1] [MQTT5-2.2.1-3] [MQTT5-2.2.1-4]
        return value
    }

    /// Length-prefixed bytes of any content.
    mutating func binary() throws(DecodeError) -> ByteBuffer {
        let length = Int(try twoByteInteger())  // of a topic, too: it has at most 65,535 bytes [MQTT-4.7.3-3] [MQTT5-4.7.3-3]
        guard let slice = body.readSlice(length: length) else { throw .truncated(type) }
        return slice
    }

    /// A length-prefixed text: UTF-8 without U+0000.
    mutating func text() throws(DecodeError) -> String {
        let slice = try binary()
        try Topics.validate(text: slice.readableBytesUInt8Span, in: type)
        return String(buffer: slice)  // U+FEFF stays where it stands [MQTT-1.5.3-3] [MQTT5-1.5.4-3]
    }

    mutating func topicName() throws(DecodeError) -> ByteBuffer {
        let slice = try binary()
        try Topics.validate(name: slice.readableBytesUInt8Span, in: type)
        return slice
    }

    mutating func topicFilter() throws(DecodeError) -> String {
        let slice = try binary()
        try Topics.validate(filter: slice.readableBytesUInt8Span, in: type)
        return String(buffer: slice)
    }

    /// A reason code that this type may carry when `sender` sends it.
    mutating func reasonCode(from sender: Sender) throws(DecodeError) -> ReasonCode {
        let byte = try byte()
        guard let code = ReasonCode(rawValue: byte), code.isAllowed(in: type, from: sender) else { throw .invalidReasonCode(type, byte) }
        return code
    }

    /// A property block with its length in front; empty where the version has none.
    mutating func properties(of place: PropertyPlace, _ context: DecodingContext) throws(DecodeError) -> Properties {
        if context.version != .v5 { return Properties() }
        var position = 0
        let length = try readVariableByteInteger(body.readableBytesUInt8Span, at: &position, end: body.readableBytes, in: type)
        body.moveReaderIndex(forwardBy: position)
        if length > context.limits.propertyBytesMax { throw .propertiesTooLong(bytes: length, limit: context.limits.propertyBytesMax) }
        guard let block = body.readSlice(length: length) else { throw .truncated(type) }
        return try Properties(decoding: block, of: place, sender: context.sender, limits: context.limits)
    }

    func end() throws(DecodeError) {
        if !isAtEnd { throw .trailingBytes(type) }
    }
}
