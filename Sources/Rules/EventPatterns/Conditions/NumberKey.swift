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

    /// The shortest text of a double has no more digits.
    private static let digitsMax = 17

    /// The double of a comparable number, or nil for a number that is not comparable.
    static func comparable(_ text: ArraySlice<UInt8>) -> Double? {
        guard let decimal = Decimal(text) else { return nil }
        let isAlwaysExact = decimal.digits <= digitsAlwaysExact && abs(decimal.exponent) <= exponentAlwaysExact
        if isAlwaysExact, abs(decimal.exponent) < powersOfTen.count {
            // Both are exact, so the one operation rounds as the text would.
            let magnitude = Double(decimal.coefficient)
            let power = powersOfTen[abs(decimal.exponent)]
            let double = decimal.exponent < 0 ? magnitude / power : magnitude * power
            return decimal.isNegative ? -double : double
        }
        guard let double = Double(String(decoding: text, as: UTF8.self)), double.isFinite else { return nil }
        if isAlwaysExact { return double }
        guard let shortest = Decimal(ArraySlice("\(double)".utf8)), shortest == decimal else { return nil }
        return double
    }

    /// Those that a double holds exactly.
    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// A double as an integer that has the same order; both zeros are one.
    static func ordered(_ double: Double) -> UInt64 {
        let bits = (double == 0 ? 0 : double).bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }

    /// The double that ``ordered(_:)`` made into an integer.
    static func double(_ ordered: UInt64) -> Double {
        Double(bitPattern: ordered >> 63 == 1 ? ordered & ~(1 << 63) : ~ordered)
    }

    /// A decimal without leading and trailing zeros: ±coefficient·10^exponent.
    private struct Decimal: Equatable {
        var isNegative = false
        /// How many the coefficient has.
        var digits = 0
        var coefficient: UInt64 = 0
        var exponent = 0

        /// Nil for more digits or a greater exponent than any double's shortest text has.
        init?(_ text: ArraySlice<UInt8>) {
            var fractionDigits = 0
            /// Zeros that are the last so far.
            var zeros = 0
            var index = text.startIndex
            if text.first == UInt8(ascii: "-") {
                isNegative = true
                index += 1
            }
            var isFraction = false
            while index < text.endIndex, text[index] | 0x20 != UInt8(ascii: "e") {
                let byte = text[index]
                index += 1
                if byte == UInt8(ascii: ".") {
                    isFraction = true
                    continue
                }
                if isFraction { fractionDigits += 1 }
                if byte == UInt8(ascii: "0") {
                    if digits > 0 { zeros += 1 }
                    continue
                }
                digits += zeros + 1
                guard digits <= digitsMax else { return nil }
                for _ in 0..<zeros { coefficient *= 10 }
                coefficient = coefficient * 10 + UInt64(byte & 0x0F)
                zeros = 0
            }
            guard let written = Decimal.exponent(text[index...]) else { return nil }
            exponent = written - fractionDigits + zeros
            if digits == 0 {
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
