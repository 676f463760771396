/// A date and a time of day of the Gregorian calendar, in some zone.
package struct CivilTime: Equatable, Sendable {
    package var year: Int64
    /// 1 to 12.
    package var month: Int64
    /// 1 to 31.
    package var day: Int64
    package var hour: Int64 = 0
    package var minute: Int64 = 0
    package var second: Int64 = 0
    package var millisecond: Int64 = 0

    package init(year: Int64, month: Int64, day: Int64) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// - Parameter milliseconds: since 1970 began in the zone, any number.
    package init(milliseconds: Int64) {
        let (seconds, millisecond) = CivilTime.floored(milliseconds, by: 1_000)
        let (days, secondOfDay) = CivilTime.floored(seconds, by: 86_400)
        (year, month, day) = CivilTime.date(daysSince1970: days)
        (hour, minute, second) = (secondOfDay / 3_600, secondOfDay / 60 % 60, secondOfDay % 60)
        self.millisecond = millisecond
    }

    /// The years, before and after Christ, that are computed with.
    package static let years: ClosedRange<Int64> = -1_000_000...1_000_000

    /// Milliseconds since 1970 began in the zone; nil for years that nobody writes.
    package var milliseconds: Int64? {
        guard Self.years.contains(year) else { return nil }
        let days = CivilTime.days(year: year, month: month, day: day)
        return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + millisecond
    }

    /// 1 for Monday to 7 for Sunday.
    package var weekday: Int64 {
        // 1970 began on a Thursday.
        CivilTime.floored(CivilTime.days(year: year, month: month, day: day) + 3, by: 7).remainder + 1
    }

    /// From 1.
    package var dayOfYear: Int64 {
        CivilTime.days(year: year, month: month, day: day) - CivilTime.days(year: year, month: 1, day: 1) + 1
    }

    /// The week of ISO 8601, which begins on Monday, and the year that most of its days are in.
    package var week: (year: Int64, week: Int64) {
        let thursday = CivilTime.days(year: year, month: month, day: day) - weekday + 4
        let date = CivilTime.date(daysSince1970: thursday)
        return (date.year, (thursday - CivilTime.days(year: date.year, month: 1, day: 1)) / 7 + 1)
    }

    package static func daysIn(month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    package static func floored(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// The Gregorian date, by counting in eras of 400 years that begin on 1 March, so that the leap day comes last.
    package static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floored(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// The same backwards.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (era, yearOfEra) = floored(month <= 2 ? year - 1 : year, by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
