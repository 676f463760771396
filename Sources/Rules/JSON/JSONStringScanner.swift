/// Checks one JSON string and decodes it where it holds escapes.
struct JSONStringScanner {
    /// At the start: the byte after the opening quote.
    ///
    /// At the end: the byte after the closing quote.
    private(set) var position: Int
    /// Where the decoded form begins in the arena; nil if the text has no escape and needs none.
    private(set) var decodedStart: Int?

    init(position: Int) {
        self.position = position
    }

    mutating func scan(_ bytes: [UInt8], into arena: inout [UInt8]) throws(JSONError) {
        var segmentStart = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                if decodedStart != nil { arena.append(contentsOf: bytes[segmentStart..<position]) }
                position += 1
                return
            case UInt8(ascii: "\\"):
                if decodedStart == nil { decodedStart = arena.count }
                arena.append(contentsOf: bytes[segmentStart..<position])
                try decodeEscape(bytes, into: &arena)
                segmentStart = position
            case 0..<0x20:
                throw JSONError(offset: position, reason: .controlCharacterInString)
            case 0x20..<0x80:
                position += 1
            default:
                guard let length = JSONStringScanner.sequenceLength(bytes, at: position) else {
                    throw JSONError(offset: position, reason: .invalidUTF8)
                }
                position += length
            }
        }
        throw JSONError(offset: position, reason: .unexpectedEnd)
    }

    private mutating func decodeEscape(_ bytes: [UInt8], into arena: inout [UInt8]) throws(JSONError) {
        let start = position
        position += 1
        guard position < bytes.count else { throw JSONError(offset: position, reason: .unexpectedEnd) }
        let letter = bytes[position]
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): arena.append(letter)
        case UInt8(ascii: "b"): arena.append(0x08)
        case UInt8(ascii: "f"): arena.append(0x0C)
        case UInt8(ascii: "n"): arena.append(0x0A)
        case UInt8(ascii: "r"): arena.append(0x0D)
        case UInt8(ascii: "t"): arena.append(0x09)
        case UInt8(ascii: "u"):
            // Half of a surrogate pair is a text that JSON allows (RFC 8259 section 8.2) and UTF-8 has no bytes for.
            let scalar = Unicode.Scalar(try codePoint(bytes)) ?? "\u{FFFD}"
            arena.append(contentsOf: String(Character(scalar)).utf8)
        default:
            throw JSONError(offset: start, reason: .invalidEscape)
        }
    }

    /// What one escape, or two that make a surrogate pair, stand for; half of a pair as it is.
    private mutating func codePoint(_ bytes: [UInt8]) throws(JSONError) -> UInt32 {
        let first = try hexUnit(bytes)
        guard (0xD800..<0xDC00).contains(first), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { return first }
        let end = position
        position += 2
        let second = try hexUnit(bytes)
        guard (0xDC00..<0xE000).contains(second) else {
            position = end  // another character's
            return first
        }
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private mutating func hexUnit(_ bytes: [UInt8]) throws(JSONError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw JSONError(offset: bytes.count, reason: .unexpectedEnd) }
        var unit: UInt32 = 0
        for index in position..<position + 4 {
            guard let digit = JSONStringScanner.hexValue(bytes[index]) else {
                throw JSONError(offset: index, reason: .invalidEscape)
            }
            unit = unit << 4 | digit
        }
        position += 4
        return unit
    }

    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// The length of the well-formed UTF-8 sequence at `index` (Unicode table 3-7), or nil.
    private static func sequenceLength(_ bytes: [UInt8], at index: Int) -> Int? {
        let second: ClosedRange<UInt8>
        let length: Int
        switch bytes[index] {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        guard bytes.count - index >= length, second.contains(bytes[index + 1]) else { return nil }
        for offset in 2..<max(length, 2) where !(0x80...0xBF).contains(bytes[index + offset]) { return nil }
        return length
    }
}
