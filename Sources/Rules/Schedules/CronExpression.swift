/// The six fields of a `cron(…)`: minute, hour, day of month, month, day of week, year; in UTC.
///
/// `*`, `,`, `-` and `/` in all but the day of week, which has no `/`; `?` in exactly one of the two fields of days; `L` and `W` in the day of
/// month; `L` and `#` in the day of week. Sunday is 1.
package struct CronExpression: Sendable, Equatable {
    let minutes: CronField
    let hours: CronField
    let months: CronField
    let years: CronField
    let days: CronDays

    static let yearsAllowed = 1970...2199

    init(parsing text: Substring) throws(ScheduleExpressionError) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 6 else {
            throw ScheduleExpressionError("cron has six fields with one blank between them, this has \(parts.count)")
        }
        minutes = try CronField(parsing: parts[0], .minute)
        hours = try CronField(parsing: parts[1], .hour)
        months = try CronField(parsing: parts[3], .month)
        years = try CronField(parsing: parts[5], .year)
        days = try CronDays(ofMonth: parts[2], ofWeek: parts[4])
    }

    /// The first minute after a moment that all fields agree to; `nil` when no year is left that has one.
    ///
    /// Both in milliseconds since 1970.
    func next(after moment: Int64) -> Int64? {
        let (nextMinute, overflow) = max(moment, -60_000).addingReportingOverflow(60_000)
        if overflow { return nil }
        let first = CivilTime(milliseconds: nextMinute)
        var year = first.year
        while year <= Int64(Self.yearsAllowed.upperBound) {
            if years.contains(year), let found = next(in: year, from: first) { return found }
            year += 1
        }
        return nil
    }

    private func next(in year: Int64, from first: CivilTime) -> Int64? {
        let isFirstYear = year == first.year
        for month in (isFirstYear ? first.month : 1)...12 where months.contains(month) {
            let isFirstMonth = isFirstYear && month == first.month
            let allowed = days.allowed(in: month, of: year)
            for day in (isFirstMonth ? first.day : 1)...31 where allowed.contains(day) {
                let isFirstDay = isFirstMonth && day == first.day
                guard let time = firstTime(from: isFirstDay ? (first.hour, first.minute) : (0, 0)) else { continue }
                var found = CivilTime(year: year, month: month, day: day)
                (found.hour, found.minute) = time
                return found.milliseconds
            }
        }
        return nil
    }

    private func firstTime(from start: (hour: Int64, minute: Int64)) -> (hour: Int64, minute: Int64)? {
        for hour in start.hour...23 where hours.contains(hour) {
            for minute in (hour == start.hour ? start.minute : 0)...59 where minutes.contains(minute) { return (hour, minute) }
        }
        return nil
    }
}
