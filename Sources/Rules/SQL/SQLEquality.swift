/// Equality of the language: no conversions; different kinds differ; nil where either side is Undefined.
extension SQLEvaluation {
    /// Whether two values are equal, paid for by what had to be looked at.
    mutating func equal(_ left: SQLValue, _ right: SQLValue) throws(SQLEvaluationError) -> Bool? {
        switch (left.resolved, right.resolved) {
        case (.undefined, _), (_, .undefined): return nil
        case (.null, .null): return true
        case (.boolean(let first), .boolean(let second)): return first == second
        case (.number(let first), .number(let second)): return first == second
        case (.string(let first), .string(let second)):
            try pay(first)
            return first == second
        case (.json(let first), .json(let second)): return try equalTrees(first, second)
        default: return false
        }
    }

    /// A step for so many bytes that are compared or converted at once.
    private static var bytesPerStep: Int { 16 }

    /// Pays for reading a text from end to end.
    mutating func pay(_ text: ArraySlice<UInt8>?) throws(SQLEvaluationError) {
        if let text, text.count >= Self.bytesPerStep { try budget.spend(steps: text.count / Self.bytesPerStep) }
    }

    /// Arrays in order, objects in any order.
    ///
    /// Keeps its own stack: payloads nest as deep as they like.
    private mutating func equalTrees(_ left: JSONView, _ right: JSONView) throws(SQLEvaluationError) -> Bool {
        var pending = [(left, right)]
        while let (first, second) = pending.popLast() {
            try budget.spend(steps: 1)
            switch (first.kind, second.kind) {
            case (.array, .array):
                var others = second.elements.makeIterator()
                for element in first.elements {
                    try budget.spend(steps: 1)
                    guard let other = others.next() else { return false }
                    pending.append((element, other))
                }
                if others.next() != nil { return false }
            case (.object, .object):
                guard try pair(first, second, &pending) else { return false }
            case (.number, .number):
                try pay(first.scalarText)
                guard let number = SQLNumber(first.scalarText ?? []), let other = SQLNumber(second.scalarText ?? []) else {
                    // Out of the language's range: only the spelling can tell.
                    if first.scalarText != second.scalarText { return false }
                    continue
                }
                if number != other { return false }
            case (let kind, let otherKind):
                try pay(first.scalarText)
                guard kind == otherKind, first.scalarText == second.scalarText else { return false }
            }
        }
        return true
    }

    /// Puts the members of the same names together; answers false where a name is only in one of the objects.
    private mutating func pair(
        _ left: JSONView, _ right: JSONView, _ pending: inout [(JSONView, JSONView)]
    ) throws(SQLEvaluationError) -> Bool {
        var others: [ByteKey: JSONView] = [:]
        for member in right.members {
            try budget.spend(steps: 1)
            others[ByteKey(member.key)] = member.value
        }
        for member in left.members {
            try budget.spend(steps: 1)
            guard let other = others.removeValue(forKey: ByteKey(member.key)) else { return false }
            pending.append((member.value, other))
        }
        return others.isEmpty
    }
}
