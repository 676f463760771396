/// Messages of mode `rules`: JSON that rules read, with the stamp as hexadecimal digits, and filler up to the payload's size.
///
/// What is published: `{"user":"7","stamp":"…48 digits…","filler":"…"}`. What a rule must send on has `stamp` and `filler` with the same
/// values, wherever it puts them and with whatever beside them.
package enum StatusText {
    /// Digits of a stamp.
    static let digitCount = 2 * MessageStamp.byteCount
    /// The smallest payload, in bytes: everything but filler, for the greatest number of users.
    package static let payloadBytesMin = 108

    private static let stampName = Array(#""stamp":"#.utf8)
    private static let fillerName = Array(#""filler":"#.utf8)

    /// A payload of `payloadBytes` for one user, and where its stamp's digits begin.
    static func payload(user: Int, run: UInt32, payloadBytes: Int) -> (bytes: [UInt8], stampOffset: Int) {
        let head = Array(#"{"user":"\#(user)","stamp":""#.utf8)
        var bytes = head + [UInt8](repeating: 0x30, count: digitCount) + Array(#"","filler":""#.utf8)
        let fillerBytes = max(0, payloadBytes - bytes.count - 2)
        bytes += (0..<fillerBytes).map(filler(at:)) + Array(#""}"#.utf8)
        return (bytes, head.count)
    }

    /// How much filler a payload of `payloadBytes` has for one user.
    static func fillerBytes(user: Int, payloadBytes: Int) -> Int {
        max(0, payloadBytes - #"{"user":"\#(user)","stamp":"","filler":""}"#.utf8.count - digitCount)
    }

    /// The stamp of a message between `start` and `end`, and whether its filler is what was sent; `nil` when it has no stamp.
    static func read(_ bytes: RawSpan, start: Int, end: Int, fillerBytes: Int) -> (stamp: MessageStamp, isIntact: Bool)? {
        guard let digits = valueStart(of: stampName, in: bytes, start: start, end: end), end - digits > digitCount,
            let stamp = MessageStamp(readingDigits: bytes, at: digits)
        else { return nil }
        guard let text = valueStart(of: fillerName, in: bytes, start: start, end: end), end - text > fillerBytes else {
            return (stamp, false)
        }
        for index in 0..<fillerBytes where byte(bytes, text + index) != filler(at: index) { return (stamp, false) }
        return (stamp, byte(bytes, text + fillerBytes) == 0x22)
    }

    private static func filler(at index: Int) -> UInt8 { 0x61 + UInt8(truncatingIfNeeded: index % 26) }

    /// The offset of the first character of a text value, behind its name, spaces and quotation mark.
    private static func valueStart(of name: [UInt8], in bytes: RawSpan, start: Int, end: Int) -> Int? {
        var offset = start
        while end - offset > name.count {
            if name.indices.allSatisfy({ byte(bytes, offset + $0) == name[$0] }) {
                offset += name.count
                while offset < end, byte(bytes, offset) == 0x20 { offset += 1 }
                return offset < end && byte(bytes, offset) == 0x22 ? offset + 1 : nil
            }
            offset += 1
        }
        return nil
    }

    /// The byte at an offset that the caller has compared with the end.
    @inline(__always)
    private static func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < bytes.byteCount, "an offset within the bytes")
        // In bounds: checked above.
        return unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}

extension MessageStamp {
    /// Reads a stamp that was written as hexadecimal digits; `nil` when other characters are among them, or they are not all there.
    init?(readingDigits bytes: RawSpan, at offset: Int) {
        guard offset >= 0, bytes.byteCount - offset >= StatusText.digitCount else { return nil }
        var words = (UInt64(0), UInt64(0), UInt64(0))
        for index in 0..<StatusText.digitCount {
            // In bounds: checked above.
            let character = unsafe bytes.unsafeLoad(fromByteOffset: offset + index, as: UInt8.self)
            let digit: UInt64
            switch character {
            case 0x30...0x39: digit = UInt64(character - 0x30)
            case 0x61...0x66: digit = UInt64(character - 0x61 + 10)
            default: return nil
            }
            switch index / 16 {
            case 0: words.0 = words.0 << 4 | digit
            case 1: words.1 = words.1 << 4 | digit
            default: words.2 = words.2 << 4 | digit
            }
        }
        self.init(
            run: UInt32(truncatingIfNeeded: words.0 >> 32), publisher: UInt32(truncatingIfNeeded: words.0), sequence: words.1,
            intendedAt: words.2)
    }
}

extension UInt64 {
    /// Writes the number as 16 hexadecimal digits.
    func writeDigits(into target: UnsafeMutableRawBufferPointer, at offset: Int) {
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: self >> UInt64(60 - 4 * index)) & 0xF
            unsafe target.storeBytes(of: digit < 10 ? 0x30 + digit : 0x57 + digit, toByteOffset: offset + index, as: UInt8.self)
        }
    }
}
