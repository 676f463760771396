/// Functions of times.
extension SQLFunction {
    static let times: [SQLFunction] = [
        SQLFunction("parse_time", 2...3, since: .v2016, prepare: writing) { evaluation, arguments throws(SQLEvaluationError) in
            let (pattern, regions) = try time(arguments, 0, letters: TimePattern.written, &evaluation)
            guard let pattern, let number = arguments[1].decimal else { return .undefined }
            var zone = ClockZone.fixed(.utc)
            if arguments.count == 3 {
                guard let name = try evaluation.text(arguments[2]).map({ String(decoding: $0, as: UTF8.self) }) else { return .undefined }
                guard let named = ClockZone(name, regions: regions) else { throw .unsupported(unknownZone(name)) }
                zone = named
            }
            return pattern.text(milliseconds: Int64(number.floorPosition), zone: zone).map { .string(ArraySlice($0.utf8)) } ?? .undefined
        },
        SQLFunction("time_to_epoch", 2, since: .v2016, prepare: reading) { evaluation, arguments throws(SQLEvaluationError) in
            let (pattern, regions) = try time(arguments, 1, letters: TimePattern.read, &evaluation)
            guard let pattern, let text = try evaluation.text(arguments[0]) else { return .undefined }
            let milliseconds = pattern.milliseconds(String(decoding: text, as: UTF8.self), regions: regions)
            return milliseconds.map { .number(SQLNumber($0)) } ?? .undefined
        },
    ]

    private static func unknownZone(_ name: String) -> String { "the time zone '\(name.prefix(64))' is not known" }

    @Sendable private static func writing(
        _ literals: [ArraySlice<UInt8>?], _ host: SQLHost
    ) throws(SQLArgumentProblem) -> SQLConstant? {
        let pattern = try pattern(literals[0], argument: 0, letters: TimePattern.written)
        guard literals.count == 3 else { return .time(pattern, [:]) }
        guard let name = literals[2].map({ String(decoding: $0, as: UTF8.self) }) else { return .time(pattern, host.allZones()) }
        let region = ZoneOffset(name) == nil ? host.zone(name) : nil
        let regions = region.map { [name: $0] } ?? [:]
        if ClockZone(name, regions: regions) == nil { throw SQLArgumentProblem(argument: 2, message: unknownZone(name)) }
        return .time(pattern, regions)
    }

    @Sendable private static func reading(
        _ literals: [ArraySlice<UInt8>?], _ host: SQLHost
    ) throws(SQLArgumentProblem) -> SQLConstant? {
        let pattern = try pattern(literals[1], argument: 1, letters: TimePattern.read)
        return .time(pattern, pattern?.namesZones ?? true ? host.allZones() : [:])
    }

    private static func pattern(
        _ literal: ArraySlice<UInt8>?, argument: Int, letters: Set<Character>
    ) throws(SQLArgumentProblem) -> TimePattern? {
        guard let literal else { return nil }
        do throws(TimePatternProblem) {
            return try TimePattern(parsing: literal, letters: letters)
        } catch {
            throw SQLArgumentProblem(argument: argument, message: error.message)
        }
    }

    /// The pattern, which may come with the message, and the regions that may be named.
    private static func time(
        _ arguments: SQLArguments, _ position: Int, letters: Set<Character>, _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> (TimePattern?, [String: TimeZoneRules]) {
        guard case .time(let pattern, let regions) = arguments.constant else { return (nil, [:]) }
        if let pattern { return (pattern, regions) }
        guard let text = try evaluation.text(arguments[position]) else { return (nil, regions) }
        do throws(TimePatternProblem) {
            return (try TimePattern(parsing: text, letters: letters), regions)
        } catch {
            throw .unsupported(error.message)
        }
    }
}
