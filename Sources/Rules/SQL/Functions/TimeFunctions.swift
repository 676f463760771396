/// Functions of times.
extension SQLFunction {
    static let times: [SQLFunction] = [
        SQLFunction("parse_time", 2...3, since: .v2016, prepare: writtenPattern) { evaluation, arguments throws(SQLEvaluationError) in
            let pattern = try timePattern(arguments, 0, letters: TimePattern.written, &evaluation)
            guard let pattern, let number = arguments[1].decimal else { return .undefined }
            var zone = ZoneOffset.utc
            if arguments.count == 3 {
                guard let name = try evaluation.text(arguments[2]).map({ String(decoding: $0, as: UTF8.self) }) else { return .undefined }
                guard let named = ZoneOffset(name) else { throw .unsupported(unsupportedZone(name)) }
                zone = named
            }
            return pattern.text(milliseconds: Int64(number.floorPosition), zone: zone).map { .string(ArraySlice($0.utf8)) } ?? .undefined
        },
        SQLFunction("time_to_epoch", 2, since: .v2016, prepare: readPattern) { evaluation, arguments throws(SQLEvaluationError) in
            let pattern = try timePattern(arguments, 1, letters: TimePattern.read, &evaluation)
            guard let pattern, let text = try evaluation.text(arguments[0]) else { return .undefined }
            return pattern.milliseconds(String(decoding: text, as: UTF8.self)).map { .number(SQLNumber($0)) } ?? .undefined
        },
    ]

    private static func unsupportedZone(_ name: String) -> String {
        "the time zone '\(name.prefix(64))' is not supported; UTC and distances such as '+01:00' are"
    }

    @Sendable private static func writtenPattern(_ literals: [ArraySlice<UInt8>?]) throws(SQLArgumentProblem) -> SQLConstant? {
        if literals.count == 3, let zone = literals[2].map({ String(decoding: $0, as: UTF8.self) }), ZoneOffset(zone) == nil {
            throw SQLArgumentProblem(argument: 2, message: unsupportedZone(zone))
        }
        return try constant(literals[0], argument: 0, letters: TimePattern.written)
    }

    @Sendable private static func readPattern(_ literals: [ArraySlice<UInt8>?]) throws(SQLArgumentProblem) -> SQLConstant? {
        try constant(literals[1], argument: 1, letters: TimePattern.read)
    }

    private static func constant(
        _ literal: ArraySlice<UInt8>?, argument: Int, letters: Set<Character>
    ) throws(SQLArgumentProblem) -> SQLConstant? {
        guard let literal else { return nil }
        do throws(TimePatternProblem) {
            return .time(try TimePattern(parsing: literal, letters: letters))
        } catch {
            throw SQLArgumentProblem(argument: argument, message: error.message)
        }
    }

    private static func timePattern(
        _ arguments: SQLArguments, _ position: Int, letters: Set<Character>, _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> TimePattern? {
        if case .time(let pattern) = arguments.constant { return pattern }
        guard let text = try evaluation.text(arguments[position]) else { return nil }
        do throws(TimePatternProblem) {
            return try TimePattern(parsing: text, letters: letters)
        } catch {
            throw .unsupported(error.message)
        }
    }
}
