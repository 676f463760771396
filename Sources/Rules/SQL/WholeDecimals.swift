/// Numbers of a payload as a version of the language writes them.
///
/// To version 2016-03-23 every whole number is an Int, however it was spelled: `10.0` is 10, `1e3` is 1000, at any depth. The older version,
/// and numbers with a fraction, keep their spelling.
extension JSONView {
    func appendJSON(to output: inout [UInt8], _ version: SQLVersion) {
        guard version >= .v2016, hasSpelledDecimal else { return appendJSON(to: &output) }
        tape.appendCompact(index, to: &output) { spelling in Self.whole(spelling) ?? spelling }
    }

    func json(_ version: SQLVersion) -> [UInt8] {
        var output: [UInt8] = []
        appendJSON(to: &output, version)
        return output
    }

    /// Whether any number of the value is spelled with a point or an exponent.
    private var hasSpelledDecimal: Bool {
        tape.nodes[index..<tape.indexAfter(index)].contains { node in
            node.kind == .number && Self.isSpelledDecimal(tape.source[Int(node.start)..<Int(node.end)])
        }
    }

    private static func isSpelledDecimal(_ spelling: ArraySlice<UInt8>) -> Bool {
        spelling.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
    }

    /// The Int that a Decimal's spelling stands for; nil for an Int's own, and for what has a fraction or more than 34 digits.
    private static func whole(_ spelling: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard isSpelledDecimal(spelling), let number = SQLNumber(spelling), number.integer != nil else { return nil }
        return ArraySlice(number.text.utf8)
    }
}
