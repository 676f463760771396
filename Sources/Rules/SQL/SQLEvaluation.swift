/// One rule at work on one message: runs programs, within a budget.
struct SQLEvaluation {
    let input: SQLInput
    let version: SQLVersion
    /// The values of SET, in order.
    var variables: [SQLValue] = []
    /// The element that a nested query is at; nil outside of them.
    private var element: JSONView?
    /// The elements that queries around have given names, the innermost last.
    private var named: [(name: ArraySlice<UInt8>, element: JSONView)] = []
    var budget = SQLBudget()

    init(input: SQLInput, version: SQLVersion) {
        self.input = input
        self.version = version
    }

    /// What attributes are looked for in, and what `*` stands for; nil for a payload that is no JSON.
    var scope: JSONView? { element ?? input.document }

    mutating func value(of program: SQLProgram) throws(SQLEvaluationError) -> SQLValue {
        var stack: [SQLValue] = []
        var position = 0
        while position < program.instructions.count {
            try budget.spend(steps: 1)
            let instruction = program.instructions[position]
            position += 1
            switch instruction {
            // Places lie ahead, so that every program ends.
            case .jump(let place): position = place
            case .jumpIfUndefined(let place):
                if stack.last?.isUndefined ?? true { position = place }
            case .jumpUnlessEqual(let place):
                let candidate = SQLEvaluation.pop(&stack)
                if try equal(stack.last ?? .undefined, candidate) == true { _ = stack.popLast() } else { position = place }
            default: try run(instruction, &stack)
            }
        }
        return SQLEvaluation.pop(&stack)
    }

    private mutating func run(_ instruction: SQLProgram.Instruction, _ stack: inout [SQLValue]) throws(SQLEvaluationError) {
        switch instruction {
        case .literal(let value): stack.append(value)
        case .attribute(let path): stack.append(try attribute(path))
        case .member(let path):
            guard case .json(let view) = SQLEvaluation.pop(&stack) else { return stack.append(.undefined) }
            stack.append(try member(path, of: view))
        case .everything: stack.append(scope.map(SQLValue.json) ?? .undefined)
        case .variable(let position): stack.append(variables.indices.contains(position) ? variables[position] : .undefined)
        case .not: stack.append(SQLEvaluation.pop(&stack).truth.map { .boolean(!$0) } ?? .undefined)
        case .negate:
            try payForReading(stack.suffix(1))
            stack.append(SQLEvaluation.pop(&stack).decimal.map { .number($0.negated.marked(asDecimal: $0.isDecimal)) } ?? .undefined)
        case .isNull:
            try payForReading(stack.suffix(1))
            stack.append(.boolean(SQLEvaluation.pop(&stack).isNull))
        case .binary(let operation):
            let right = SQLEvaluation.pop(&stack)
            stack.append(try apply(operation, SQLEvaluation.pop(&stack), right))
        case .between:
            let upper = SQLEvaluation.pop(&stack)
            let lower = SQLEvaluation.pop(&stack)
            let value = SQLEvaluation.pop(&stack)
            let isAbove = try apply(.greaterOrEqual, value, lower)
            stack.append(try apply(.and, isAbove, try apply(.lessOrEqual, value, upper)))
        case .inList(let count):
            let values = SQLEvaluation.pop(count, &stack)
            stack.append(try isAmong(SQLEvaluation.pop(&stack), values))
        case .inArray:
            let array = SQLEvaluation.pop(&stack)
            stack.append(try isElement(SQLEvaluation.pop(&stack), of: array) ?? .undefined)
        case .inArrayOrEqual:
            let (candidate, value) = (SQLEvaluation.pop(&stack), SQLEvaluation.pop(&stack))
            if let found = try isElement(value, of: candidate) { return stack.append(found) }
            stack.append(try isAmong(value, [candidate]))
        case .exists: stack.append(.boolean(SQLEvaluation.isFound(SQLEvaluation.pop(&stack))))
        case .call(let function, let count, let constant):
            let values = SQLEvaluation.pop(count, &stack)
            try payForReading(values[...])
            stack.append(try function.body(&self, SQLArguments(values, constant)))
        case .cast(let cast):
            try payForReading(stack.suffix(1))
            stack.append(cast.convert(SQLEvaluation.pop(&stack), version))
        case .array(let count): stack.append(try array(of: SQLEvaluation.pop(count, &stack)))
        case .object(let names): stack.append(try object(names, SQLEvaluation.pop(names.count, &stack)))
        case .encodePayload:
            try budget.spend(bytes: input.payload.count * 2)
            stack.append(.string(Base64.encode(input.payload)[...]))
        case .nested(let query): stack.append(try result(of: query))
        case .discard: _ = stack.popLast()
        case .jump, .jumpIfUndefined, .jumpUnlessEqual: break  // done before
        }
    }

    /// Pays for texts, and for numbers as they are spelled, which are read anew for every use.
    private mutating func payForReading(_ values: ArraySlice<SQLValue>) throws(SQLEvaluationError) {
        for value in values {
            switch value {
            case .string(let text): try pay(text)
            case .json(let view): try pay(view.scalarText)
            case .undefined, .null, .boolean, .number: break
            }
        }
    }

    private static func pop(_ stack: inout [SQLValue]) -> SQLValue {
        // The parser emits operands before every operator; a program without them has no value.
        stack.popLast() ?? .undefined
    }

    private static func pop(_ count: Int, _ stack: inout [SQLValue]) -> [SQLValue] {
        let values = Array(stack.suffix(count))
        stack.removeLast(values.count)
        return values
    }

    // MARK: Values within values

    /// What a name stands for: an element that a query calls so, else a member of where attributes are looked for.
    private mutating func attribute(_ path: [ArraySlice<UInt8>]) throws(SQLEvaluationError) -> SQLValue {
        guard !named.isEmpty, let found = named.last(where: { $0.name == path.first }) else { return try member(path, of: scope) }
        return try member(Array(path.dropFirst()), of: found.element)
    }

    mutating func member(_ path: [ArraySlice<UInt8>], of view: JSONView?) throws(SQLEvaluationError) -> SQLValue {
        guard var current = view else { return .undefined }
        for name in path {
            var found: JSONView?
            var visited = 0
            for member in current.members {
                visited += 1
                if member.key == name {
                    found = member.value
                    break
                }
            }
            try budget.spend(steps: visited / 8)
            guard let found else { return .undefined }
            current = found
        }
        return .json(current)
    }

    /// The text of a value, paid for.
    mutating func text(_ value: SQLValue) throws(SQLEvaluationError) -> ArraySlice<UInt8>? {
        guard let text = value.text(version) else { return nil }
        try budget.spend(bytes: text.count)
        return text
    }

    /// An array of the values; what is Undefined is no element.
    mutating func array(of values: [SQLValue]) throws(SQLEvaluationError) -> SQLValue {
        var output = [UInt8(ascii: "[")]
        for value in values where !value.isUndefined {
            if output.count > 1 { output.append(UInt8(ascii: ",")) }
            try append(value, to: &output)
        }
        output.append(UInt8(ascii: "]"))
        return try json(output)
    }

    private mutating func object(_ names: [ArraySlice<UInt8>], _ values: [SQLValue]) throws(SQLEvaluationError) -> SQLValue {
        var output = [UInt8(ascii: "{")]
        for (name, value) in zip(names, values) where !value.isUndefined {
            if output.count > 1 { output.append(UInt8(ascii: ",")) }
            JSONText.appendString(name, to: &output)
            output.append(UInt8(ascii: ":"))
            try append(value, to: &output)
        }
        output.append(UInt8(ascii: "}"))
        return try json(output)
    }

    /// Appends a value as JSON, paid for.
    mutating func append(_ value: SQLValue, to output: inout [UInt8]) throws(SQLEvaluationError) {
        let start = output.count
        value.appendJSON(to: &output, version)
        try budget.spend(bytes: output.count - start)
    }

    /// The value that a JSON text spells, which was made here of values.
    func json(_ text: [UInt8]) throws(SQLEvaluationError) -> SQLValue {
        do throws(JSONError) {
            return .json(try JSONDocument(parsing: text).root)
        } catch {
            switch error.reason {
            case .tooDeep(let depthMax): throw .tooDeep(depthMax: depthMax)
            default: throw .tooLong(bytesMax: JSONLimits().bytesMax)
            }
        }
    }

    // MARK: Nested queries

    /// Of an array the results of its elements, of an object its own result.
    ///
    /// Recurses as deep as the statement is nested, which ``SQLExpressionParser/depthMax`` bounds.
    private mutating func result(of query: SQLNestedQuery) throws(SQLEvaluationError) -> SQLValue {
        guard case .json(let source) = try value(of: query.source) else { return .undefined }
        let (outer, outerNamed) = (element, named)
        defer { (element, named) = (outer, outerNamed) }
        switch source.kind {
        case .object:
            var output: [UInt8] = []
            guard try appendResult(of: query, at: source, to: &output) else { return .undefined }
            return try json(output)
        case .array:
            var output = [UInt8(ascii: "[")]
            for element in source.elements {
                let end = output.count
                if end > 1 { output.append(UInt8(ascii: ",")) }
                if try !appendResult(of: query, at: element, to: &output) { output.removeLast(output.count - end) }
            }
            output.append(UInt8(ascii: "]"))
            return try json(output)
        case .string, .number, .true, .false, .null: return .undefined
        }
    }

    /// Whether a query found anything: an array of no elements is nothing.
    private static func isFound(_ value: SQLValue) -> Bool {
        guard case .json(let view) = value else { return false }
        return view.kind != .array || view.elements.contains { _ in true }
    }

    /// Answers false, with nothing appended that counts, where the condition does not hold or there is no value.
    private mutating func appendResult(
        of query: SQLNestedQuery, at element: JSONView, to output: inout [UInt8]
    ) throws(SQLEvaluationError) -> Bool {
        self.element = element
        if let alias = query.alias {
            if named.last?.name == alias { named.removeLast() }
            named.append((alias, element))
        }
        try budget.spend(steps: 1)
        if let condition = query.condition {
            guard case .boolean(true) = try value(of: condition).resolved else { return false }
        }
        let start = output.count
        try query.selection.append(to: &output, &self)
        return output.count > start
    }
}
