/// Numbers of patterns and events in a form that is equal exactly where the service calls them equal.
///
/// The service compares through a double: 300 = 3e2 = 300.0. A number whose decimal value is not the value of the shortest
/// text of its double (0.12345678901234567890123, 9007199254740993) is not comparable; it equals only the same spelling.
enum NumberKey {
    /// A decimal with this many significant digits always survives the way through a double (DBL_DIG).
    private static let digitsAlwaysExact = 15
    /// Far inside the range of normal doubles, so that the rule about digits holds.
    private static let exponentAlwaysExact = 250
    /// Exponents are read up to here: past it no double is near.
    private static let exponentMax = 1_000_000

    /// The double of a comparable number, or nil for a number that is not comparable.
    static func comparable(_ text: ArraySlice<UInt8>) -> Double? {
        guard let decimal = Decimal(text), let double = Double(String(decoding: text, as: UTF8.self)), double.isFinite else { return nil }
        if decimal.digits.count <= digitsAlwaysExact, abs(decimal.exponent) <= exponentAlwaysExact { return double }
        guard let shortest = Decimal(ArraySlice("\(double)".utf8)), shortest == decimal else { return nil }
        return double
    }

    /// A double as an integer that has the same order; both zeros are one.
    static func ordered(_ double: Double) -> UInt64 {
        let bits = (double == 0 ? 0 : double).bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }

    /// The double that ``ordered(_:)`` made into an integer.
    static func double(_ ordered: UInt64) -> Double {
        Double(bitPattern: ordered >> 63 == 1 ? ordered & ~(1 << 63) : ~ordered)
    }

    /// A decimal without leading and trailing zeros: ±0.d₁d₂… is never stored, ±d₁d₂…·10^exponent is.
    private struct Decimal: Equatable {
        var isNegative = false
        var digits: [UInt8] = []
        var exponent = 0

        init?(_ text: ArraySlice<UInt8>) {
            var fractionDigits = 0
            var index = text.startIndex
            if text.first == UInt8(ascii: "-") {
                isNegative = true
                index += 1
            }
            var isFraction = false
            while index < text.endIndex, text[index] | 0x20 != UInt8(ascii: "e") {
                if text[index] == UInt8(ascii: ".") {
                    isFraction = true
                } else {
                    if !digits.isEmpty || text[index] != UInt8(ascii: "0") { digits.append(text[index]) }
                    if isFraction { fractionDigits += 1 }
                }
                index += 1
            }
            guard let written = Decimal.exponent(text[index...]) else { return nil }
            exponent = written - fractionDigits
            while digits.last == UInt8(ascii: "0") {
                digits.removeLast()
                exponent += 1
            }
            if digits.isEmpty {
                isNegative = false
                exponent = 0
            }
        }

        private static func exponent(_ text: ArraySlice<UInt8>) -> Int? {
            var value = 0
            var isNegative = false
            for byte in text.dropFirst() {
                switch byte {
                case UInt8(ascii: "-"): isNegative = true
                case UInt8(ascii: "+"): break
                default:
                    value = value * 10 + Int(byte & 0x0F)
                    if value > exponentMax { return nil }
                }
            }
            return isNegative ? -value : value
        }
    }
}
