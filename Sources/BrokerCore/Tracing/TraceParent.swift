/// Where in a trace something was sent from, as W3C Trace Context writes it: `00-TRACE-SPAN-FLAGS`.
package struct TraceParent: Sendable, Equatable {
    /// Bytes of the text in the version that is written here.
    package static let length = 55

    /// 32 lower-case hexadecimal digits, not all of them 0.
    package let traceID: String
    /// 16 lower-case hexadecimal digits, not all of them 0.
    package let spanID: String
    package let flags: UInt8

    package var isSampled: Bool { flags & 1 != 0 }

    package init(traceID: String, spanID: String, flags: UInt8) {
        (self.traceID, self.spanID, self.flags) = (traceID, spanID, flags)
    }

    /// Reads the text; `nil` for what the standard says to drop.
    ///
    /// A later version may have more behind what this one knows, with another dash before it.
    package init?(_ text: some Collection<UInt8>) {
        let bytes = Array(text)
        guard bytes.count >= Self.length, [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }),
            let version = Self.number(bytes[0..<2]), version != 0xFF, let flags = Self.number(bytes[53..<55]),
            Self.isIdentifier(bytes[3..<35]), Self.isIdentifier(bytes[36..<52])
        else { return nil }
        if bytes.count > Self.length, version == 0 || bytes[Self.length] != UInt8(ascii: "-") { return nil }
        traceID = String(decoding: bytes[3..<35], as: UTF8.self)
        spanID = String(decoding: bytes[36..<52], as: UTF8.self)
        // Of a later version only the flag that is known counts.
        self.flags = version == 0 ? flags : flags & 1
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt8? {
        var number: UInt8 = 0
        for byte in bytes {
            guard let digit = digit(byte) else { return nil }
            number = number << 4 | digit
        }
        return number
    }

    private static func isIdentifier(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { digit($0) != nil } && bytes.contains { $0 != UInt8(ascii: "0") }
    }

    package var text: String {
        let digits = String(flags, radix: 16)
        return "00-\(traceID)-\(spanID)-\(digits.utf8.count < 2 ? "0" : "")\(digits)"
    }
}
