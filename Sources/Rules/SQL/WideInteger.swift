/// A 256-bit unsigned integer, wide enough for the exact sum or product of two 34-digit coefficients.
struct WideInteger: Equatable {
    var high: UInt128
    var low: UInt128

    init(_ low: UInt128) {
        (high, self.low) = (0, low)
    }

    init(product left: UInt128, _ right: UInt128) {
        (high, low) = left.multipliedFullWidth(by: right)
    }

    static func < (left: WideInteger, right: WideInteger) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    /// The value times 10^count.
    ///
    /// The caller keeps it below 10^77.
    func scaled(byPowerOfTen count: Int) -> WideInteger {
        var result = self
        for _ in 0..<max(count, 0) {
            let low = result.low.multipliedFullWidth(by: 10)
            result.high = result.high &* 10 &+ low.high
            result.low = low.low
        }
        return result
    }

    func adding(_ other: WideInteger) -> WideInteger {
        var result = self
        let (low, carry) = low.addingReportingOverflow(other.low)
        result.low = low
        result.high = high &+ other.high &+ (carry ? 1 : 0)
        return result
    }

    /// The difference; `other` is not greater than `self`.
    func subtracting(_ other: WideInteger) -> WideInteger {
        var result = self
        let (low, borrow) = low.subtractingReportingOverflow(other.low)
        result.low = low
        result.high = high &- other.high &- (borrow ? 1 : 0)
        return result
    }

    /// Divides by a number other than zero.
    func quotientAndRemainder(dividingBy divisor: UInt128) -> (quotient: WideInteger, remainder: UInt128) {
        var result = self
        result.high = high / divisor
        // The remainder is less than the divisor, as the full-width division demands.
        let (quotient, remainder) = divisor.dividingFullWidth((high % divisor, low))
        result.low = quotient
        return (result, remainder)
    }
}
