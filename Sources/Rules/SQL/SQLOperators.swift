/// The operators of the language on values.
extension SQLEvaluation {
    mutating func apply(
        _ operation: SQLProgram.Operator, _ left: SQLValue, _ right: SQLValue
    ) throws(SQLEvaluationError) -> SQLValue {
        // Operators that convert read strings to their end.
        if operation.converts {
            try pay(left.stringText)
            try pay(right.stringText)
        }
        switch operation {
        case .and: return SQLEvaluation.and(left.truth, right.truth)
        case .or: return SQLEvaluation.or(left.truth, right.truth)
        case .equal: return try equal(left, right).map(SQLValue.boolean) ?? .undefined
        case .notEqual: return try equal(left, right).map { .boolean(!$0) } ?? .undefined
        case .less: return SQLEvaluation.compare(left, right) { $0 < $1 }
        case .lessOrEqual: return SQLEvaluation.compare(left, right) { !($1 < $0) }
        case .greater: return SQLEvaluation.compare(left, right) { $1 < $0 }
        case .greaterOrEqual: return SQLEvaluation.compare(left, right) { !($0 < $1) }
        case .add where left.isString || right.isString:
            guard let first = try text(left), let second = try text(right) else { return .undefined }
            return .string(first + second)
        case .add:
            guard case .number(let first) = left.resolved, case .number(let second) = right.resolved else { return .undefined }
            return SQLEvaluation.number(first + second, of: first, second)
        case .subtract: return SQLEvaluation.compute(left, right) { $0 - $1 }
        case .multiply: return SQLEvaluation.compute(left, right) { $0 * $1 }
        case .divide:
            let version = version
            return SQLEvaluation.compute(left, right) { first, second in
                version == .v2015 && (first.isDecimal || second.isDecimal) ? first.decimalQuotient(by: second) : first / second
            }
        case .remainder: return SQLEvaluation.compute(left, right) { $0 % $1 }
        case .like:
            guard let subject = try text(left), let pattern = try text(right) else { return .undefined }
            return .boolean(try matches(subject, like: pattern))
        }
    }

    /// Three-valued: what is known decides if it can.
    private static func and(_ left: Bool?, _ right: Bool?) -> SQLValue {
        if left == false || right == false { return .boolean(false) }
        return left == nil || right == nil ? .undefined : .boolean(true)
    }

    private static func or(_ left: Bool?, _ right: Bool?) -> SQLValue {
        if left == true || right == true { return .boolean(true) }
        return left == nil || right == nil ? .undefined : .boolean(false)
    }

    private static func compare(_ left: SQLValue, _ right: SQLValue, _ holds: (SQLNumber, SQLNumber) -> Bool) -> SQLValue {
        guard let first = left.decimal, let second = right.decimal else { return .undefined }
        return .boolean(holds(first, second))
    }

    private static func compute(_ left: SQLValue, _ right: SQLValue, _ operation: (SQLNumber, SQLNumber) -> SQLNumber?) -> SQLValue {
        guard let first = left.decimal, let second = right.decimal else { return .undefined }
        return number(operation(first, second), of: first, second)
    }

    private static func number(_ result: SQLNumber?, of left: SQLNumber, _ right: SQLNumber) -> SQLValue {
        result.map { .number($0.marked(asDecimal: left.isDecimal || right.isDecimal)) } ?? .undefined
    }

    /// `IN`: true if any is equal; Undefined where that cannot be known.
    mutating func isAmong(_ value: SQLValue, _ candidates: [SQLValue]) throws(SQLEvaluationError) -> SQLValue {
        var isKnown = true
        for candidate in candidates {
            switch try equal(value, candidate) {
            case true?: return .boolean(true)
            case false?: continue
            case nil: isKnown = false
            }
        }
        return isKnown ? .boolean(false) : .undefined
    }

    /// `IN` an array, each element paid for; Undefined for a value that is, and nil for what is no array.
    mutating func isElement(_ value: SQLValue, of array: SQLValue) throws(SQLEvaluationError) -> SQLValue? {
        guard case .json(let view) = array.resolved, view.kind == .array else { return nil }
        guard !value.isUndefined else { return .undefined }
        for element in view.elements {
            try budget.spend(steps: 1)
            if try equal(value, .json(element)) == true { return .boolean(true) }
        }
        return .boolean(false)
    }

    /// `LIKE`: `%` stands for any characters, `_` for one; all else for itself.
    ///
    /// Goes back to the last `%` only, so the cost is at most the product of both lengths; each step is paid for.
    private mutating func matches(_ subject: ArraySlice<UInt8>, like pattern: ArraySlice<UInt8>) throws(SQLEvaluationError) -> Bool {
        let text = Array(String(decoding: subject, as: UTF8.self).unicodeScalars)
        let wanted = Array(String(decoding: pattern, as: UTF8.self).unicodeScalars)
        var (place, next) = (0, 0)
        var last: (place: Int, next: Int)?
        var steps = 0
        while place < text.count {
            steps += 1
            if steps & 0xFF == 0 { try budget.spend(steps: 0x100) }
            if next < wanted.count, wanted[next] == "%" {
                next += 1
                last = (place, next)
            } else if next < wanted.count, wanted[next] == "_" || wanted[next] == text[place] {
                next += 1
                place += 1
            } else if let (start, after) = last {
                (place, next) = (start + 1, after)
                last = (start + 1, after)
            } else {
                return false
            }
        }
        return wanted[next...].allSatisfy { $0 == "%" }
    }
}

extension SQLProgram.Operator {
    /// Whether operands that are strings are read as numbers.
    fileprivate var converts: Bool {
        switch self {
        case .less, .lessOrEqual, .greater, .greaterOrEqual, .subtract, .multiply, .divide, .remainder: true
        case .and, .or, .equal, .notEqual, .add, .like: false
        }
    }
}
