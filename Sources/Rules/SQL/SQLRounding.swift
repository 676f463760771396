/// Rounding, bits, and the way to and from double precision.
extension SQLNumber {
    enum Rounding { case down, up, nearest, towardZero }

    /// The value with at most `places` digits after the point; halves are rounded away from zero.
    func rounded(_ rule: Rounding, places: Int = 0) -> SQLNumber {
        let excess = -exponent - places
        guard excess > 0, coefficient != 0 else { return self }
        // A unit of the last place kept is greater than the whole number where more digits are dropped than there are.
        let unit = excess <= SQLNumber.digitsMax ? SQLNumber.powerOfTen(excess) : nil
        var quotient = unit.map { coefficient / $0 } ?? 0
        let rest = unit.map { coefficient % $0 } ?? coefficient
        let raises =
            switch rule {
            case .towardZero: false
            case .down: rest != 0 && isNegative
            case .up: rest != 0 && !isNegative
            case .nearest: unit.map { rest >= $0 - rest } ?? false
            }
        if raises { quotient += 1 }
        return SQLNumber(isNegative: isNegative && quotient != 0, WideInteger(quotient), exponent: -places) ?? .zero
    }

    /// The whole number below, cut to what `Int` holds.
    var floorPosition: Int {
        let whole = rounded(.down)
        guard let magnitude = whole.integer.flatMap({ Int(exactly: $0) }) else { return whole.isNegative ? .min : .max }
        return whole.isNegative ? -magnitude : magnitude
    }

    var magnitude: SQLNumber { isNegative ? negated : self }

    var isZero: Bool { coefficient == 0 }

    /// The whole number below, for operations on bits; nil past 34 digits.
    var bits: Int128? {
        let whole = rounded(.down)
        guard let magnitude = whole.integer.flatMap({ Int128(exactly: $0) }) else { return nil }
        return whole.isNegative ? -magnitude : magnitude
    }

    init?(bits: Int128) {
        self.init(isNegative: bits < 0, WideInteger(bits.magnitude), exponent: 0)
    }

    /// The nearest number of double precision; infinite past its range.
    var double: Double { Double(text) ?? .nan }

    /// Nil for what is no number or infinite.
    init?(_ double: Double) {
        guard double.isFinite else { return nil }
        self.init(ArraySlice("\(double)".utf8))
        isDecimal = true
    }

    /// As a text of the version: whole Decimals keep a `.0` in the older one.
    func text(_ version: SQLVersion) -> String {
        guard version == .v2015, isDecimal, exponent >= 0, order < SQLNumber.digitsMax else { return text }
        return text + ".0"
    }

    func marked(asDecimal: Bool) -> SQLNumber {
        var copy = self
        copy.isDecimal = asDecimal
        return copy
    }
}
