/// `format` of a text, where that says more than its type does.
package enum TextFormat: String, Sendable, CaseIterable {
    /// RFC 3339: a date, a time with seconds, and a distance from UTC.
    case dateTime = "date-time"
    /// Four numbers with dots.
    case ipv4

    func holds(_ text: String) -> Bool {
        let bytes = ArraySlice(text.utf8)
        return switch self {
        case .dateTime: Self.isDateTime(bytes)
        case .ipv4: !bytes.contains(UInt8(ascii: ":")) && AddressKey.address(bytes) != nil
        }
    }

    private static func isDateTime(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        func number(_ digits: Int, _ range: ClosedRange<Int64>) -> Int64? {
            let run = rest.prefix(digits)
            guard run.count == digits, run.allSatisfy(JSONParser.isDigit) else { return nil }
            rest = rest.dropFirst(digits)
            let number = run.reduce(0) { $0 * 10 + Int64($1 & 0x0F) }
            return range.contains(number) ? number : nil
        }
        func take(_ signs: StaticString) -> Bool {
            guard let first = rest.first, "\(signs)".utf8.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4, 0...9_999), take("-"), let month = number(2, 1...12), take("-"), let day = number(2, 1...31),
            day <= CivilTime.daysIn(month: month, of: year), take("Tt"), number(2, 0...23) != nil, take(":"), number(2, 0...59) != nil,
            take(":"), number(2, 0...60) != nil
        else { return false }
        if take(".") {
            let fraction = rest.prefix(while: JSONParser.isDigit)
            guard !fraction.isEmpty else { return false }
            rest = rest.dropFirst(fraction.count)
        }
        if take("Zz") { return rest.isEmpty }
        return take("+-") && number(2, 0...23) != nil && take(":") && number(2, 0...59) != nil && rest.isEmpty
    }
}
