/// The values that one field of a `cron(…)` allows.
struct CronField: Sendable, Equatable {
    /// What a field is called and may hold.
    struct Kind: Sendable {
        let name: String
        let values: ClosedRange<Int>
        /// Names of the values from the first one on.
        var names: [String] = []
        var hasSteps = true
        /// Whether a range may go over the end to the beginning: `MON-SUN`, where Sunday is the first day.
        var wraps = false

        static let minute = Kind(name: "minutes", values: 0...59)
        static let hour = Kind(name: "hours", values: 0...23, wraps: true)
        static let dayOfMonth = Kind(name: "day of month", values: 1...31)
        static let month = Kind(
            name: "month", values: 1...12,
            names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], wraps: true)
        static let dayOfWeek = Kind(
            name: "day of week", values: 1...7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], hasSteps: false, wraps: true)
        static let year = Kind(name: "year", values: CronExpression.yearsAllowed)

        func refusal(_ text: Substring, _ reason: String) -> ScheduleExpressionError {
            ScheduleExpressionError("`\(text)` in the field \(name): \(reason)")
        }

        /// Reads a number or a name.
        func value(_ text: Substring) throws(ScheduleExpressionError) -> Int {
            if let index = names.firstIndex(of: text.uppercased()) { return values.lowerBound + index }
            guard let number = Self.number(text), values.contains(number) else {
                throw refusal(
                    text, "a number from \(values.lowerBound) to \(values.upperBound)\(names.isEmpty ? "" : " or a name") is expected")
            }
            return number
        }

        /// Digits alone: no sign, no blank.
        static func number(_ text: Substring) -> Int? {
            text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
        }
    }

    private var allowed: Set<Int> = []

    init() {}

    init(parsing text: Substring, _ kind: Kind) throws(ScheduleExpressionError) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) { try add(part, kind) }
    }

    func contains(_ value: Int64) -> Bool { allowed.contains(Int(truncatingIfNeeded: value)) }

    mutating func allow(_ value: Int) { allowed.insert(value) }

    /// `*`, a value, `a-b`, and any of them with `/n`: from there on each n-th.
    private mutating func add(_ part: Substring, _ kind: Kind) throws(ScheduleExpressionError) {
        let halves = part.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count <= 2, halves.count == 1 || kind.hasSteps else { throw kind.refusal(part, "`/` is not allowed here") }
        var values = try Self.range(halves[0], kind)
        guard halves.count == 2 else {
            allowed.formUnion(values)
            return
        }
        guard let step = Kind.number(halves[1]), (1...kind.values.upperBound).contains(step) else {
            throw kind.refusal(part, "a step from 1 to \(kind.values.upperBound) is expected after `/`")
        }
        // A single value before a step is where it begins; a range keeps its end, also one of a single value.
        if !halves[0].contains("-"), values.count == 1 { values = Array(values[0]...kind.values.upperBound) }
        allowed.formUnion(stride(from: 0, to: values.count, by: step).map { values[$0] })
    }

    private static func range(_ text: Substring, _ kind: Kind) throws(ScheduleExpressionError) -> [Int] {
        if text == "*" { return Array(kind.values) }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2, let first = ends.first, let last = ends.last else { throw kind.refusal(text, "a range has two ends") }
        let (from, to) = (try kind.value(first), try kind.value(last))
        if from <= to { return Array(from...to) }
        guard kind.wraps else { throw kind.refusal(text, "a range goes upwards; write two of them, separated by a comma") }
        return Array(from...kind.values.upperBound) + Array(kind.values.lowerBound...to)
    }
}
