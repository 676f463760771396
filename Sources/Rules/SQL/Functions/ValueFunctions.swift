/// What `cast` converts to.
struct SQLCast: Sendable {
    private enum Kind: Sendable { case text, whole, double, decimal, truth }

    private let kind: Kind
    let since: SQLVersion

    init?(named name: String) {
        switch name.lowercased() {
        case "string", "nvarchar", "text", "ntext", "varchar": (kind, since) = (.text, .v2015)
        case "int", "integer": (kind, since) = (.whole, .v2015)
        case "double": (kind, since) = (.double, .v2015)
        case "decimal": (kind, since) = (.decimal, .v2016)
        case "bool", "boolean": (kind, since) = (.truth, .v2016)
        default: return nil
        }
    }

    /// The usual conversions, and beside them Booleans to and from 1 and 0; Decimals become the Int below.
    func convert(_ value: SQLValue, _ version: SQLVersion) -> SQLValue {
        switch kind {
        case .text: return value.text(version).map(SQLValue.string) ?? .undefined
        case .truth:
            if case .number(let number) = value.resolved { return .boolean(!number.isZero) }
            return value.truth.map(SQLValue.boolean) ?? .undefined
        case .whole, .double, .decimal: break
        }
        var number = value.decimal
        if case .boolean(let truth) = value.resolved { number = SQLNumber(truth ? 1 : 0) }
        guard let number else { return .undefined }
        switch kind {
        case .whole: return .number(number.rounded(.down).marked(asDecimal: false))
        case .double: return SQLNumber(number.double).map(SQLValue.number) ?? .undefined
        case .decimal, .text, .truth: return .number(number.marked(asDecimal: true))
        }
    }
}

/// Functions of values of any kind, arrays and objects among them, and of encodings.
extension SQLFunction {
    /// The longest result of transform, in bytes: the service's quota.
    static let transformBytesMax = 131_072

    static let values: [SQLFunction] = [
        SQLFunction("get", 2) { evaluation, arguments throws(SQLEvaluationError) in
            try element(arguments[1], of: arguments[0], &evaluation)
        },
        SQLFunction("get_or_default", 1...2) { _, arguments throws(SQLEvaluationError) in
            arguments[0].isUndefined || arguments[0].isNull ? arguments[1] : arguments[0]
        },
        SQLFunction("isNull", 1) { _, arguments throws(SQLEvaluationError) in .boolean(arguments[0].isNull) },
        SQLFunction("isUndefined", 1, since: .v2016) { _, arguments throws(SQLEvaluationError) in .boolean(arguments[0].isUndefined) },
        SQLFunction("transform", 3, since: .v2016, prepare: onlyMode("enrichArray", argument: 0)) {
            evaluation, arguments throws(SQLEvaluationError) in
            guard let mode = try evaluation.text(arguments[0]), mode.elementsEqual("enrichArray".utf8) else { return .undefined }
            return try enriched(arguments[2], by: arguments[1], &evaluation)
        },
        SQLFunction("encode", 2, since: .v2016, prepare: onlyMode("base64", argument: 1)) {
            evaluation, arguments throws(SQLEvaluationError) in
            guard let text = try evaluation.text(arguments[0]) else { return .undefined }
            try evaluation.budget.spend(bytes: text.count)
            return .string(Base64.encode(text)[...])
        },
        SQLFunction("decode", 2, since: .v2016, prepare: onlyMode("base64", argument: 1)) {
            evaluation, arguments throws(SQLEvaluationError) in
            guard case .string(let text) = arguments[0].resolved else { return .undefined }
            try evaluation.budget.spend(bytes: text.count * 2)
            return decoded(text)
        },
    ]

    /// An argument that must be a literal and can have one value only.
    private static func onlyMode(_ mode: String, argument: Int) -> Preparation {
        { literals, _ throws(SQLArgumentProblem) in
            guard let text = literals[argument] else {
                throw SQLArgumentProblem(argument: argument, message: "'\(mode)' expected, as a literal")
            }
            guard text.elementsEqual(mode.utf8) else {
                let name = String(decoding: text, as: UTF8.self)
                throw SQLArgumentProblem(argument: argument, message: "'\(name)' is not supported, only '\(mode)'")
            }
            return nil
        }
    }

    private static func element(
        _ key: SQLValue, of collection: SQLValue, _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> SQLValue {
        switch collection.resolved {
        case .json(let view) where view.kind == .array:
            guard let index = key.index else { return .undefined }
            // Elements are found by walking to them.
            try evaluation.budget.spend(steps: min(max(index, 0), 1_048_576) / 8)
            return view[element: index].map(SQLValue.json) ?? .undefined
        case .json(let view):
            guard case .string(let name) = key.resolved else { return .undefined }
            return try evaluation.member([name], of: view)
        case .string(let text):
            guard let index = key.index, index >= 0, index < text.count else { return .undefined }
            try evaluation.budget.spend(steps: index / 8)
            let character = slice(text, from: index, to: index + 1)
            return character.isEmpty ? .undefined : .string(character)
        case .undefined, .null, .boolean, .number: return .undefined
        }
    }

    /// Each object of the array with the members of the object, which go before its own of the same name.
    private static func enriched(
        _ array: SQLValue, by object: SQLValue, _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> SQLValue {
        guard let array = array.container(.array), let object = object.container(.object) else { return .undefined }
        var added: [UInt8] = []
        var names: Set<ByteKey> = []
        for member in object.members {
            names.insert(ByteKey(member.key))
            append(member, to: &added)
        }
        var output = [UInt8(ascii: "[")]
        for element in array.elements {
            guard element.kind == .object else { return .undefined }
            if output.count > 1 { output.append(UInt8(ascii: ",")) }
            let start = output.count
            output.append(UInt8(ascii: "{"))
            for member in element.members where !names.contains(ByteKey(member.key)) { append(member, to: &output) }
            output += added
            if output.last == UInt8(ascii: ",") { output.removeLast() }
            output.append(UInt8(ascii: "}"))
            try evaluation.budget.spend(bytes: output.count - start)
            guard output.count < transformBytesMax else { throw .tooLong(bytesMax: transformBytesMax) }
        }
        output.append(UInt8(ascii: "]"))
        return try evaluation.json(output)
    }

    private static func append(_ member: JSONMember, to output: inout [UInt8]) {
        JSONText.appendString(member.key, to: &output)
        output.append(UInt8(ascii: ":"))
        member.value.appendJSON(to: &output)
        output.append(UInt8(ascii: ","))
    }

    /// JSON as a value, other text as a string, and Null for what is neither.
    private static func decoded(_ text: ArraySlice<UInt8>) -> SQLValue {
        guard let bytes = Base64.decode(text) else { return .null }
        if let document = try? JSONDocument(parsing: bytes) { return .json(document.root) }
        return String(validating: bytes, as: UTF8.self) == nil ? .null : .string(bytes[...])
    }
}
