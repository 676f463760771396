/// One property of a block: where it lies in the span that was read.
struct PropertyField {
    var identifier: PropertyIdentifier
    /// Where the identifier's byte lies.
    var start: Int
    /// Where the value lies, of texts and bytes without their length in front.
    var value: Range<Int>
    /// The name of a user property; empty for others.
    var name: Range<Int>
    /// The value of an integer; 0 for others.
    var number: UInt32
    /// Where the next property begins.
    var end: Int { value.upperBound }
}

/// Walks over a property block, one property a step, each byte once.
struct PropertyScanner {
    private(set) var position: Int
    private let end: Int
    private let type: PacketType

    /// A block that lies at `range` of the span that is then passed to ``next(in:)``.
    init(_ range: Range<Int>, of type: PacketType) {
        position = range.lowerBound
        end = range.upperBound
        self.type = type
    }

    /// The next property; `nil` at the block's end.
    mutating func next(in bytes: Span<UInt8>) throws(DecodeError) -> PropertyField? {
        guard position < end else { return nil }
        let start = position
        guard end <= bytes.count else { throw .truncated(type) }
        // An identifier is a variable byte integer; all that exist are below 128, so that a second byte is never needed.
        guard let identifier = PropertyIdentifier(rawValue: bytes[start]) else { throw .unknownProperty(bytes[start], type) }
        position += 1
        var field = PropertyField(identifier: identifier, start: start, value: 0..<0, name: 0..<0, number: 0)
        let valueStart = position
        switch identifier.type {
        case .byte: field.number = try integer(of: 1, in: bytes)
        case .twoByteInteger: field.number = try integer(of: 2, in: bytes)
        case .fourByteInteger: field.number = try integer(of: 4, in: bytes)
        case .variableByteInteger:
            field.number = UInt32(truncatingIfNeeded: try readVariableByteInteger(bytes, at: &position, end: end, in: type))
        case .text, .binary:
            field.value = try prefixed(in: bytes)
            return field
        case .textPair:
            field.name = try prefixed(in: bytes)
            field.value = try prefixed(in: bytes)
            return field
        }
        field.value = valueStart..<position
        return field
    }

    private mutating func integer(of count: Int, in bytes: Span<UInt8>) throws(DecodeError) -> UInt32 {
        guard count <= end - position else { throw .truncated(type) }
        var value: UInt32 = 0
        for _ in 0..<count {
            value = value << 8 | UInt32(bytes[position])
            position += 1
        }
        return value
    }

    /// The range of a text or of bytes whose two-byte length lies at the position.
    private mutating func prefixed(in bytes: Span<UInt8>) throws(DecodeError) -> Range<Int> {
        let length = Int(try integer(of: 2, in: bytes))
        guard length <= end - position else { throw .truncated(type) }
        defer { position += length }
        return position..<position + length
    }
}
