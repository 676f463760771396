/// A number of the rules language: exact decimals of up to 34 digits and a magnitude of 1E-999 to 9.99E999.
///
/// Kept without trailing zeros, so equal values are equal here. A whole number of up to 34 digits is an Int to the language
/// whatever its spelling (`10.0` is 10, as under SQL version 2016-03-23); everything else is a Decimal. More digits are
/// rounded half to even.
struct SQLNumber: Equatable, Sendable {
    static let digitsMax = 34
    static let magnitudeMax = 999
    private static let coefficientLimit: UInt128 = SQLNumber.powerOfTen(digitsMax)

    let isNegative: Bool
    let coefficient: UInt128
    let exponent: Int
    /// Spelled with a point or an exponent, or computed from such a number.
    ///
    /// Version 2015-10-08 tells whole Decimals from Ints by it; equality and version 2016-03-23 do not look at it.
    var isDecimal = false

    static func powerOfTen(_ count: Int) -> UInt128 {
        var result: UInt128 = 1
        for _ in 0..<count { result *= 10 }
        return result
    }

    init(_ value: Int64) {
        let magnitude = WideInteger(UInt128(value.magnitude))
        self = SQLNumber(isNegative: value < 0, magnitude, exponent: 0) ?? SQLNumber.zero
    }

    static let zero = SQLNumber(isNegative: false, coefficient: 0, exponent: 0)

    static func == (left: SQLNumber, right: SQLNumber) -> Bool {
        left.isNegative == right.isNegative && left.coefficient == right.coefficient && left.exponent == right.exponent
    }

    private init(isNegative: Bool, coefficient: UInt128, exponent: Int) {
        self.isNegative = isNegative
        self.coefficient = coefficient
        self.exponent = exponent
    }

    /// Rounds to 34 digits.
    ///
    /// Nil if the magnitude is out of range.
    init?(isNegative: Bool, _ magnitude: WideInteger, exponent: Int) {
        var value = magnitude
        var exponent = exponent
        var dropped: UInt128 = 0
        var isExact = true
        while value.high != 0 || value.low >= SQLNumber.coefficientLimit {
            isExact = isExact && dropped == 0
            (value, dropped) = value.quotientAndRemainder(dividingBy: 10)
            exponent += 1
        }
        var coefficient = value.low
        let isTie = dropped == 5 && isExact
        if dropped > 5 || (dropped == 5 && !isExact) || (isTie && coefficient % 2 == 1) { coefficient += 1 }
        guard coefficient != 0 else {
            self = SQLNumber.zero
            return
        }
        while coefficient % 10 == 0 {
            coefficient /= 10
            exponent += 1
        }
        self.init(isNegative: isNegative, coefficient: coefficient, exponent: exponent)
        guard abs(order) <= SQLNumber.magnitudeMax else { return nil }
    }

    /// Reads digits with an optional sign, fraction and exponent, as JSON and the language spell them.
    ///
    /// Nil if out of range.
    init?(_ text: ArraySlice<UInt8>) {
        var coefficient: UInt128 = 0
        var digits = 0
        var exponent = 0
        var isFraction = false
        var sticky = false
        var rest = text
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        while let byte = rest.first, byte | 0x20 != UInt8(ascii: "e") {
            rest = rest.dropFirst()
            guard byte != UInt8(ascii: ".") else {
                isFraction = true
                continue
            }
            // Two digits more than are kept, and whether anything follows them, are enough to round.
            if digits < SQLNumber.digitsMax + 2 {
                coefficient = coefficient * 10 + UInt128(byte & 0x0F)
                if coefficient != 0 { digits += 1 }
                if isFraction { exponent -= 1 }
            } else {
                sticky = sticky || byte != UInt8(ascii: "0")
                if !isFraction { exponent += 1 }
            }
        }
        let hasExponent = !rest.isEmpty
        guard let written = SQLNumber.exponent(rest.dropFirst()) else { return nil }
        let magnitude = WideInteger(coefficient * 10 + (sticky ? 1 : 0))
        self.init(isNegative: text.first == UInt8(ascii: "-"), magnitude, exponent: exponent - 1 + written)
        isDecimal = isFraction || hasExponent
    }

    private static func exponent(_ text: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for byte in text where JSONParser.isDigit(byte) {
            value = value * 10 + Int(byte & 0x0F)
            // Longer than any text this could be the exponent of: no mantissa brings it back into range.
            if value > 1_000_000_000 { return nil }
        }
        return text.first == UInt8(ascii: "-") ? -value : value
    }

    var digitCount: Int {
        var count = 1
        var rest = coefficient / 10
        while rest != 0 {
            count += 1
            rest /= 10
        }
        return count
    }

    /// The exponent of the first digit.
    var order: Int { exponent + digitCount - 1 }

    /// The whole number's magnitude; nil for Decimals.
    var integer: UInt128? {
        guard exponent >= 0, order < SQLNumber.digitsMax else { return nil }
        return coefficient * SQLNumber.powerOfTen(exponent)
    }

    /// The value as a position; nil if it is not a whole number or is out of `Int`'s range.
    var position: Int? {
        guard let integer, let magnitude = Int(exactly: integer) else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    var negated: SQLNumber {
        SQLNumber(isNegative: coefficient != 0 && !isNegative, coefficient: coefficient, exponent: exponent)
    }

    static func < (left: SQLNumber, right: SQLNumber) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        return left.isNegative ? right.isSmaller(than: left) : left.isSmaller(than: right)
    }

    /// Compares magnitudes.
    private func isSmaller(than other: SQLNumber) -> Bool {
        if coefficient == 0 || other.coefficient == 0 { return coefficient < other.coefficient }
        if order != other.order { return order < other.order }
        // The same order and at most 34 digits each: scaling the shorter one gives at most 34 digits.
        let common = min(exponent, other.exponent)
        return coefficient * SQLNumber.powerOfTen(exponent - common)
            < other.coefficient * SQLNumber.powerOfTen(other.exponent - common)
    }

    // MARK: Arithmetic. Nil means that the result is out of range or undefined.

    static func + (left: SQLNumber, right: SQLNumber) -> SQLNumber? {
        if left.coefficient == 0 { return right }
        if right.coefficient == 0 { return left }
        // Beyond this distance the smaller number cannot change the 34 digits of the greater.
        if left.order - right.order > digitsMax + 2 { return left }
        if right.order - left.order > digitsMax + 2 { return right }
        let common = min(left.exponent, right.exponent)
        let first = WideInteger(left.coefficient).scaled(byPowerOfTen: left.exponent - common)
        let second = WideInteger(right.coefficient).scaled(byPowerOfTen: right.exponent - common)
        if left.isNegative == right.isNegative {
            return SQLNumber(isNegative: left.isNegative, first.adding(second), exponent: common)
        }
        if first < second {
            return SQLNumber(isNegative: right.isNegative, second.subtracting(first), exponent: common)
        }
        return SQLNumber(isNegative: left.isNegative, first.subtracting(second), exponent: common)
    }

    static func - (left: SQLNumber, right: SQLNumber) -> SQLNumber? { left + right.negated }

    static func * (left: SQLNumber, right: SQLNumber) -> SQLNumber? {
        SQLNumber(
            isNegative: left.isNegative != right.isNegative,
            WideInteger(product: left.coefficient, right.coefficient),
            exponent: left.exponent + right.exponent
        )
    }

    /// Ints divide to an Int, cut towards zero; division by zero is undefined.
    static func / (left: SQLNumber, right: SQLNumber) -> SQLNumber? {
        guard right.coefficient != 0 else { return nil }
        guard let dividend = left.integer, let divisor = right.integer else { return left.decimalQuotient(by: right) }
        return SQLNumber(isNegative: left.isNegative != right.isNegative, WideInteger(dividend / divisor), exponent: 0)
    }

    /// The quotient of Decimals, rounded to 34 digits.
    func decimalQuotient(by right: SQLNumber) -> SQLNumber? {
        guard right.coefficient != 0 else { return nil }
        // Two digits more than are kept, and a last one that says whether the division left a rest.
        let scale = SQLNumber.digitsMax + 2 + right.digitCount - digitCount
        let (quotient, remainder) = WideInteger(coefficient).scaled(byPowerOfTen: scale)
            .quotientAndRemainder(dividingBy: right.coefficient)
        let magnitude = quotient.scaled(byPowerOfTen: 1).adding(WideInteger(remainder == 0 ? 0 : 1))
        return SQLNumber(
            isNegative: isNegative != right.isNegative, magnitude, exponent: exponent - right.exponent - scale - 1)
    }

    /// The rest of the division cut towards zero; it has the sign of the left side.
    ///
    /// Undefined for a divisor of zero, and for
    /// numbers so far apart that they do not fit 38 digits together.
    static func % (left: SQLNumber, right: SQLNumber) -> SQLNumber? {
        let common = min(left.exponent, right.exponent)
        guard right.coefficient != 0, left.exponent - common <= digitsMax * 2, right.exponent - common <= digitsMax * 2,
            left.order - common <= 37, right.order - common <= 37
        else { return nil }
        let dividend = left.coefficient * powerOfTen(left.exponent - common)
        let divisor = right.coefficient * powerOfTen(right.exponent - common)
        return SQLNumber(isNegative: left.isNegative, WideInteger(dividend % divisor), exponent: common)
    }

    /// Standard notation where it is short, scientific else.
    ///
    /// Valid JSON either way.
    var text: String {
        let digits = String(coefficient)
        let sign = isNegative ? "-" : ""
        if exponent >= 0, order < SQLNumber.digitsMax {
            return sign + digits + String(repeating: "0", count: coefficient == 0 ? 0 : exponent)
        }
        if exponent < 0, order >= -7 {
            let padded = String(repeating: "0", count: max(0, 1 - exponent - digits.count)) + digits
            return sign + padded.dropLast(-exponent) + "." + padded.suffix(-exponent)
        }
        let fraction = digits.dropFirst()
        return sign + digits.prefix(1) + (fraction.isEmpty ? "" : "." + fraction) + "E" + String(order)
    }
}
