extension EventReader {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// A mask of the bytes of `word` that are `byte`; exact up to the lowest one.
    @inline(__always)
    private static func places(of byte: UInt8, in word: UInt64) -> UInt64 {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference & highs
    }

    @inline(__always)
    mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    /// Where a key ends, and whether it has dots; nil for one that has escapes.
    @inline(__always)
    func keyEnd(_ bytes: Span<UInt8>, from start: Int) -> (end: Int, hasDots: Bool)? {
        guard let stop = keyStop(bytes, from: start) else { return nil }
        if bytes[stop] == UInt8(ascii: "\"") { return (stop, false) }
        guard bytes[stop] == UInt8(ascii: "."), let end = stringStop(bytes, from: stop), bytes[end] == UInt8(ascii: "\"") else {
            return nil
        }
        return (end, true)
    }

    /// The next quote, backslash or dot, or nil.
    @inline(__always)
    private func keyStop(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while bytes.count - index >= 8 {
            let word = ByteHash.word(bytes, at: index)
            let quotes = Self.places(of: UInt8(ascii: "\""), in: word)
            let stops = quotes | Self.places(of: UInt8(ascii: "\\"), in: word) | Self.places(of: UInt8(ascii: "."), in: word)
            if stops != 0 { return index + stops.trailingZeroBitCount >> 3 }
            index += 8
        }
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "."): return index
            default: index += 1
            }
        }
        return nil
    }

    /// The next quote or backslash, or nil.
    @inline(__always)
    private func stringStop(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while bytes.count - index >= 8 {
            let word = ByteHash.word(bytes, at: index)
            let stops = Self.places(of: UInt8(ascii: "\""), in: word) | Self.places(of: UInt8(ascii: "\\"), in: word)
            if stops != 0 { return index + stops.trailingZeroBitCount >> 3 }
            index += 8
        }
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "\\") { return index }
            index += 1
        }
        return nil
    }

    /// Passes over a string whose opening quote is at `position`.
    @inline(__always)
    mutating func skipString(_ bytes: Span<UInt8>) -> Bool {
        var index = position + 1
        while let stop = stringStop(bytes, from: index) {
            if bytes[stop] == UInt8(ascii: "\"") {
                position = stop + 1
                return true
            }
            index = stop + 2
        }
        return false
    }

    @inline(__always)
    mutating func skipValue(_ bytes: Span<UInt8>) -> Bool {
        guard position < bytes.count else { return false }
        switch bytes[position] {
        case UInt8(ascii: "\""): return skipString(bytes)
        case UInt8(ascii: "{"), UInt8(ascii: "["): return skipContainer(bytes)
        default:
            let start = position
            while position < bytes.count, !Self.endsScalar(bytes[position]) { position += 1 }
            return position > start
        }
    }

    @inline(__always)
    private static func endsScalar(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte <= 0x20
    }

    /// Passes over an object or array that begins at `position`.
    mutating func skipContainer(_ bytes: Span<UInt8>) -> Bool {
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                guard skipString(bytes) else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 {
                    position += 1
                    return true
                }
            default: break
            }
            position += 1
        }
        return false
    }

    mutating func readString(at path: Int32, in scope: Int32, _ bytes: Span<UInt8>, into fields: inout EventFields) -> Bool {
        let start = position + 1
        guard let stop = stringStop(bytes, from: start) else { return false }
        let textStart = fields.text.count
        if bytes[stop] == UInt8(ascii: "\"") {
            fields.append(bytes, from: start, to: stop)
            position = stop + 1
        } else {
            guard skipString(bytes) else { return false }
            var scanner = JSONStringScanner(position: 0)
            let spelling = (start..<position).map { bytes[$0] }
            guard (try? scanner.scan(spelling, into: &fields.text)) != nil else { return false }
        }
        fields.record(.string, at: path, in: scope, from: textStart)
        return true
    }

    /// Numbers of up to fifteen digits without an exponent are read here: their double is exact, or one division away from it.
    mutating func readNumber(at path: Int32, in scope: Int32, _ bytes: Span<UInt8>, into fields: inout EventFields) -> Bool {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var mantissa: UInt64 = 0
        var digits = 0
        var fraction = -1
        while position < bytes.count, !Self.endsScalar(bytes[position]) {
            let byte = bytes[position]
            if JSONParser.isDigit(byte) {
                mantissa = mantissa &* 10 &+ UInt64(byte & 0x0F)
                digits += 1
                if fraction >= 0 { fraction += 1 }
            } else if byte == UInt8(ascii: "."), fraction < 0 {
                fraction = 0
            } else {
                digits = .max / 2
            }
            position += 1
        }
        guard digits > 0 else { return false }
        if digits <= 15 {
            let number = Double(mantissa) / (fraction > 0 ? Self.powersOfTen[fraction] : 1)
            fields.record(
                .number, at: path, in: scope, from: fields.text.count, bits: NumberKey.ordered(isNegative ? -number : number))
            return true
        }
        let spelling = (start..<position).map { bytes[$0] }
        guard spelling.allSatisfy({ JSONParser.isDigit($0) || "+-.eE".utf8.contains($0) }) else { return false }
        fields.recordNumber(spelling[...], at: path, in: scope)
        return true
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]
}

extension EventFields {
    /// Appends `bytes[start..<end]` to the text.
    @inline(__always)
    mutating func append(_ bytes: Span<UInt8>, from start: Int, to end: Int) {
        // The pointer does not leave the closure.
        unsafe bytes.withUnsafeBufferPointer { unsafe text.append(contentsOf: $0[start..<end]) }
    }
}
