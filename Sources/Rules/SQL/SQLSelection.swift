/// What SELECT makes of a message, or of an element in a nested query.
struct SQLSelection: Sendable {
    struct Item: Sendable {
        /// `AS a.b` nests: the result has `{"a":{"b":…}}`.
        ///
        /// Never empty.
        let names: [ArraySlice<UInt8>]
        let program: SQLProgram
    }

    /// One name of the result: a value, or an object of further names.
    private struct Name: Sendable {
        let key: ArraySlice<UInt8>
        var item: Int?
        var children: [Int] = []
    }

    let includesPayload: Bool
    /// `SELECT VALUE`: the result is the value itself.
    let value: SQLProgram?
    private var items: [Item] = []
    private var names: [Name] = [Name(key: [])]
    private var topNames: Set<ByteKey> = []

    init(includesPayload: Bool) {
        self.includesPayload = includesPayload
        value = nil
    }

    init(value: SQLProgram) {
        includesPayload = false
        self.value = value
    }

    /// Adds an item.
    ///
    /// Returns false if its name is taken, or is part of another item's name.
    mutating func add(_ item: Item) -> Bool {
        var node = 0
        for (position, key) in item.names.enumerated() {
            let isLast = position == item.names.count - 1
            if let child = names[node].children.first(where: { names[$0].key == key }) {
                if isLast || names[child].item != nil { return false }
                node = child
                continue
            }
            names.append(Name(key: key, item: isLast ? items.count : nil))
            names[node].children.append(names.count - 1)
            node = names.count - 1
        }
        items.append(item)
        return true
    }

    var itemCount: Int { items.count }

    /// Whether the result is everything there is, as it is.
    var isEverything: Bool { includesPayload && items.isEmpty }

    /// Appends the result as JSON; nothing where `SELECT VALUE` has none.
    func append(to output: inout [UInt8], _ evaluation: inout SQLEvaluation) throws(SQLEvaluationError) {
        if let value {
            return try evaluation.append(try evaluation.value(of: value), to: &output)
        }
        if isEverything {
            return try evaluation.append(evaluation.scope.map(SQLValue.json) ?? .undefined, to: &output)
        }
        var values: [SQLValue] = []
        values.reserveCapacity(items.count)
        for item in items { values.append(try evaluation.value(of: item.program)) }
        let start = output.count
        try append(values, to: &output, evaluation)
        try evaluation.budget.spend(bytes: output.count - start)
    }

    private func append(_ values: [SQLValue], to output: inout [UInt8], _ evaluation: SQLEvaluation) throws(SQLEvaluationError) {
        output.append(UInt8(ascii: "{"))
        if includesPayload {
            guard let document = evaluation.scope, document.kind == .object else { throw .payloadIsNoObject }
            var replaced: Set<ByteKey> = []
            for child in names[0].children {
                if let item = names[child].item, !values[item].isUndefined { replaced.insert(ByteKey(names[child].key)) }
            }
            for member in document.members where !replaced.contains(ByteKey(member.key)) {
                try append(key: member.key, to: &output)
                member.value.appendJSON(to: &output, evaluation.version)
            }
        }
        for child in names[0].children { try append(child, values, to: &output, evaluation.version) }
        output.append(UInt8(ascii: "}"))
        guard output.count <= SQLStatement.resultBytesMax else { throw .tooLong(bytesMax: SQLStatement.resultBytesMax) }
    }

    private func append(key: ArraySlice<UInt8>, to output: inout [UInt8]) throws(SQLEvaluationError) {
        guard output.count <= SQLStatement.resultBytesMax else { throw .tooLong(bytesMax: SQLStatement.resultBytesMax) }
        if output.last != UInt8(ascii: "{") { output.append(UInt8(ascii: ",")) }
        JSONText.appendString(key, to: &output)
        output.append(UInt8(ascii: ":"))
    }

    /// Appends one name of the result; names without any defined value are left out.
    ///
    /// As deep as ``SQLStatement/aliasNamesMax``.
    private func append(
        _ name: Int, _ values: [SQLValue], to output: inout [UInt8], _ version: SQLVersion
    ) throws(SQLEvaluationError) {
        guard isDefined(name, values) else { return }
        try append(key: names[name].key, to: &output)
        if let item = names[name].item {
            values[item].appendJSON(to: &output, version)
            return
        }
        output.append(UInt8(ascii: "{"))
        for child in names[name].children { try append(child, values, to: &output, version) }
        output.append(UInt8(ascii: "}"))
    }

    private func isDefined(_ name: Int, _ values: [SQLValue]) -> Bool {
        if let item = names[name].item { return !values[item].isUndefined }
        return names[name].children.contains { isDefined($0, values) }
    }
}
