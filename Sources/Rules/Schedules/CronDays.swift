/// The two fields of days in a `cron(…)`, exactly one of which is `?`.
enum CronDays: Sendable, Equatable {
    case ofMonth(CronField)
    /// `L`.
    case lastOfMonth
    /// `LW`: the last day from Monday to Friday.
    case lastWeekdayOfMonth
    /// `15W`: the day from Monday to Friday that is nearest to the 15th, in the same month.
    case weekdayNearest(Int)
    case ofWeek(CronField)
    /// `6L`: the last Friday.
    case lastOfWeekday(Int)
    /// `6#3`: the third Friday.
    case ofWeekday(Int, number: Int)

    init(ofMonth: Substring, ofWeek: Substring) throws(ScheduleExpressionError) {
        switch (ofMonth == "?", ofWeek == "?") {
        case (true, false): self = try Self.week(ofWeek)
        case (false, true): self = try Self.month(ofMonth)
        default: throw ScheduleExpressionError("exactly one of day of month and day of week is `?`")
        }
    }

    private static func month(_ text: Substring) throws(ScheduleExpressionError) -> CronDays {
        let kind = CronField.Kind.dayOfMonth
        if text == "L" { return .lastOfMonth }
        if text == "LW" { return .lastWeekdayOfMonth }
        if text.hasSuffix("W") { return .weekdayNearest(try kind.value(text.dropLast())) }
        return .ofMonth(try CronField(parsing: text, kind))
    }

    private static func week(_ text: Substring) throws(ScheduleExpressionError) -> CronDays {
        let kind = CronField.Kind.dayOfWeek
        if text == "L" {
            var saturday = CronField()
            saturday.allow(kind.values.upperBound)
            return .ofWeek(saturday)
        }
        if text.hasSuffix("L") { return .lastOfWeekday(try kind.value(text.dropLast())) }
        guard let hash = text.firstIndex(of: "#") else { return .ofWeek(try CronField(parsing: text, kind)) }
        guard let number = CronField.Kind.number(text[text.index(after: hash)...]), (1...5).contains(number) else {
            throw kind.refusal(text, "a number from 1 to 5 is expected after `#`")
        }
        return .ofWeekday(try kind.value(text[..<hash]), number: number)
    }

    /// The days of a month that are allowed.
    func allowed(in month: Int64, of year: Int64) -> Set<Int64> {
        let days = 1...CivilTime.daysIn(month: month, of: year)
        /// 1 for Sunday.
        func weekday(_ day: Int64) -> Int64 { CivilTime(year: year, month: month, day: day).weekday % 7 + 1 }
        switch self {
        case .ofMonth(let field): return Set(days.filter { field.contains($0) })
        case .lastOfMonth: return [days.upperBound]
        case .lastWeekdayOfMonth: return Set(days.filter { (2...6).contains(weekday($0)) }.suffix(1))
        case .weekdayNearest(let wanted):
            let day = Int64(wanted)
            guard days.contains(day) else { return [] }
            switch weekday(day) {
            case 1: return [day < days.upperBound ? day + 1 : day - 2]
            case 7: return [day > 1 ? day - 1 : day + 2]
            default: return [day]
            }
        case .ofWeek(let field): return Set(days.filter { field.contains(weekday($0)) })
        case .lastOfWeekday(let wanted): return Set(days.filter { weekday($0) == wanted }.suffix(1))
        case .ofWeekday(let wanted, let number): return Set(days.filter { weekday($0) == wanted }.dropFirst(number - 1).prefix(1))
        }
    }
}
