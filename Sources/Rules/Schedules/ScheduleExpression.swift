/// When a scheduled rule of EventBridge is due: `rate(5 minutes)`, or `cron(0 10 * * ? *)` in UTC.
///
/// Resolution is a minute, as at the service.
package enum ScheduleExpression: Sendable, Equatable {
    /// Every so many minutes, beginning that long after the rule was made.
    case rate(minutes: Int64)
    case cron(CronExpression)

    /// The longest expression, in characters, as the service's model has it.
    package static let charactersMax = 256

    /// Reads an expression.
    ///
    /// - Throws: why the service would refuse it, which itself says no more than that the parameter is not valid.
    package init(parsing text: String) throws(ScheduleExpressionError) {
        guard text.utf8.count <= Self.charactersMax else {
            throw ScheduleExpressionError("it is longer than \(Self.charactersMax) characters")
        }
        guard let open = text.firstIndex(of: "("), text.hasSuffix(")") else {
            throw ScheduleExpressionError("`rate(…)` or `cron(…)` is expected, without blanks around it")
        }
        let inside = text[text.index(after: open)...].dropLast()
        switch text[..<open] {
        case "rate": self = .rate(minutes: try Self.minutes(ofRate: inside))
        case "cron": self = .cron(try CronExpression(parsing: inside))
        default: throw ScheduleExpressionError("`rate(…)` or `cron(…)` is expected, without blanks around it")
        }
    }

    /// The first time it is due after a moment; `nil` when there is none any more.
    ///
    /// - Parameters:
    ///   - moment: milliseconds since 1970.
    ///   - creation: when the rule was made or last changed, which a rate counts from; milliseconds since 1970.
    /// - Returns: milliseconds since 1970.
    package func next(after moment: Int64, from creation: Int64) -> Int64? {
        switch self {
        case .cron(let cron): return cron.next(after: moment)
        case .rate(let minutes):
            let interval = minutes * 60_000
            let (passed, isFarAway) = max(moment, creation).subtractingReportingOverflow(creation)
            let (next, isPastTheEnd) = max(moment, creation).addingReportingOverflow(interval - passed % interval)
            return isFarAway || isPastTheEnd ? nil : next
        }
    }

    private static let minutesOfUnit: [Substring: (singular: Bool, minutes: Int64)] = [
        "minute": (true, 1), "minutes": (false, 1), "hour": (true, 60), "hours": (false, 60), "day": (true, 1_440), "days": (false, 1_440),
    ]

    private static func minutes(ofRate text: Substring) throws(ScheduleExpressionError) -> Int64 {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw ScheduleExpressionError("a rate is a number, one blank and a unit") }
        // Years of a thousand digits would not fit into time: the model's 256 characters allow them.
        guard parts[0].allSatisfy(\.isWholeNumber), let value = Int32(parts[0]), value > 0 else {
            throw ScheduleExpressionError("`\(parts[0])` is no whole number from 1 to \(Int32.max)")
        }
        guard let unit = minutesOfUnit[parts[1]] else {
            throw ScheduleExpressionError("the unit `\(parts[1])` is none of minute, minutes, hour, hours, day, days")
        }
        guard unit.singular == (value == 1) else {
            throw ScheduleExpressionError(
                "`\(parts[1])` does not go with \(value): 1 takes minute, hour or day, others take minutes, hours or days")
        }
        return Int64(value) * unit.minutes
    }
}

/// Why a schedule expression is refused.
package struct ScheduleExpressionError: Error, Equatable, CustomStringConvertible {
    /// The service's words, which say nothing of the reason.
    package static let message = "Parameter ScheduleExpression is not valid."

    package let reason: String
    package var description: String { "\(Self.message) Reason: \(reason)." }

    init(_ reason: String) { self.reason = reason }
}
