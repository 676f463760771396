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
        if value == 0 { throw .zeroPacketIdentifier(type) }  // [MQTT-2.3.1-1]
        return value
    }

    /// Length-prefixed bytes of any content.
    mutating func binary() throws(DecodeError) -> ByteBuffer {
        let length = Int(try twoByteInteger())  // of a topic, too: it has at most 65,535 bytes [MQTT-4.7.3-3]
        guard let slice = body.readSlice(length: length) else { throw .truncated(type) }
        return slice
    }

    /// A length-prefixed text: UTF-8 without U+0000.
    mutating func text() throws(DecodeError) -> String {
        let slice = try binary()
        try Topics.validate(text: slice.readableBytesUInt8Span, in: type)
        return String(buffer: slice)  // U+FEFF stays where it stands [MQTT-1.5.3-3]
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

    mutating func rest() -> ByteBuffer {
        defer { body.moveReaderIndex(to: body.writerIndex) }
        return body
    }

    func end() throws(DecodeError) {
        if !isAtEnd { throw .trailingBytes(type) }
    }
}
