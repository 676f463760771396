/// A compiled expression: instructions in postfix order for a stack, so that evaluating never recurses.
struct SQLProgram: Sendable {
    enum Operator: Sendable {
        case or, and, equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, add, subtract, multiply, divide, remainder
    }

    enum Instruction: Sendable {
        case literal(SQLValue)
        case attribute([ArraySlice<UInt8>])
        case topic, clientID, timestamp, principal
        /// Takes the level's number from the stack.
        case topicLevel
        case not, negate, isUndefined
        case binary(Operator)
    }

    var instructions: [Instruction] = []

    /// The value for one message.
    ///
    /// `work` is what the message may still spend on texts, in bytes.
    func evaluate(_ input: SQLInput, work: inout Int) throws(SQLEvaluationError) -> SQLValue {
        var stack: [SQLValue] = []
        for instruction in instructions {
            switch instruction {
            case .literal(let value): stack.append(value)
            case .attribute(let path): stack.append(SQLProgram.attribute(path, of: input))
            case .topic: stack.append(.string(ArraySlice(input.topic.utf8)))
            case .clientID: stack.append(.string(ArraySlice((input.clientID ?? "n/a").utf8)))
            case .principal: stack.append(input.principal.map { .string(ArraySlice($0.utf8)) } ?? .undefined)
            case .timestamp: stack.append(.number(SQLNumber(input.timestampMilliseconds)))
            case .topicLevel:
                let level = SQLProgram.pop(&stack).decimal?.position.flatMap(input.topicLevel)
                stack.append(level.map(SQLValue.string) ?? .undefined)
            case .not:
                stack.append(SQLProgram.pop(&stack).truth.map { .boolean(!$0) } ?? .undefined)
            case .isUndefined: stack.append(.boolean(SQLProgram.pop(&stack).isUndefined))
            case .negate:
                stack.append(SQLProgram.pop(&stack).decimal.map { .number($0.negated) } ?? .undefined)
            case .binary(let operation):
                let right = SQLProgram.pop(&stack)
                let left = SQLProgram.pop(&stack)
                stack.append(try SQLProgram.apply(operation, left, right, work: &work))
            }
        }
        return SQLProgram.pop(&stack)
    }

    private static func pop(_ stack: inout [SQLValue]) -> SQLValue {
        // The parser emits operands before every operator; a program without them has no value.
        stack.popLast() ?? .undefined
    }

    private static func attribute(_ path: [ArraySlice<UInt8>], of input: SQLInput) -> SQLValue {
        guard var current = input.document else { return .undefined }
        for name in path {
            guard let next = current[name] else { return .undefined }
            current = next
        }
        return .json(current)
    }

    private static func apply(
        _ operation: Operator, _ left: SQLValue, _ right: SQLValue, work: inout Int
    ) throws(SQLEvaluationError) -> SQLValue {
        switch operation {
        case .and: return and(left.truth, right.truth)
        case .or: return or(left.truth, right.truth)
        case .equal: return SQLEquality.equal(left, right).map(SQLValue.boolean) ?? .undefined
        case .notEqual: return SQLEquality.equal(left, right).map { .boolean(!$0) } ?? .undefined
        case .less: return compare(left, right) { $0 < $1 }
        case .lessOrEqual: return compare(left, right) { !($1 < $0) }
        case .greater: return compare(left, right) { $1 < $0 }
        case .greaterOrEqual: return compare(left, right) { !($0 < $1) }
        case .add where left.isString || right.isString:
            guard let first = left.text, let second = right.text else { return .undefined }
            work -= first.count + second.count
            guard work >= 0 else { throw .tooLong(bytesMax: SQLStatement.workBytesMax) }
            return .string(first + second)
        case .add:
            guard case .number(let first) = left.resolved, case .number(let second) = right.resolved else { return .undefined }
            return (first + second).map(SQLValue.number) ?? .undefined
        case .subtract: return compute(left, right) { $0 - $1 }
        case .multiply: return compute(left, right) { $0 * $1 }
        case .divide: return compute(left, right) { $0 / $1 }
        case .remainder: return compute(left, right) { $0 % $1 }
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
        return operation(first, second).map(SQLValue.number) ?? .undefined
    }
}
