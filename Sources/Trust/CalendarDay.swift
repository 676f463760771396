/// A day in UTC, for texts like "valid until 2027-03-01".
package struct CalendarDay: Sendable, Equatable, CustomStringConvertible {
    package let year: Int64
    package let month: Int64
    package let day: Int64

    package static let seconds: Int64 = 86_400

    /// The day that holds this moment, in the proleptic Gregorian calendar.
    ///
    /// Counts days from 1 March of year 0, so that the leap day is the last of its year and months have a linear formula.
    package init(secondsSince1970: Int64) {
        let days = Self.floorDivide(secondsSince1970, Self.seconds) + 719_468
        let era = Self.floorDivide(days, 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    package var description: String {
        "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
