/// Equality of the language: no conversions; different kinds differ; nil where either side is Undefined.
enum SQLEquality {
    static func equal(_ left: SQLValue, _ right: SQLValue) -> Bool? {
        switch (left.resolved, right.resolved) {
        case (.undefined, _), (_, .undefined): return nil
        case (.null, .null): return true
        case (.boolean(let first), .boolean(let second)): return first == second
        case (.number(let first), .number(let second)): return first == second
        case (.string(let first), .string(let second)): return first == second
        case (.json(let first), .json(let second)): return equalTrees(first, second)
        default: return false
        }
    }

    /// Arrays in order, objects in any order.
    ///
    /// Keeps its own stack: payloads nest as deep as they like.
    private static func equalTrees(_ left: JSONView, _ right: JSONView) -> Bool {
        var pending = [(left, right)]
        while let (first, second) = pending.popLast() {
            switch (first.kind, second.kind) {
            case (.array, .array):
                var others = second.elements.makeIterator()
                for element in first.elements {
                    guard let other = others.next() else { return false }
                    pending.append((element, other))
                }
                if others.next() != nil { return false }
            case (.object, .object):
                var others: [ByteKey: JSONView] = [:]
                for member in second.members { others[ByteKey(member.key)] = member.value }
                for member in first.members {
                    guard let other = others.removeValue(forKey: ByteKey(member.key)) else { return false }
                    pending.append((member.value, other))
                }
                if !others.isEmpty { return false }
            case (.number, .number):
                guard let number = SQLNumber(first.scalarText ?? []), let other = SQLNumber(second.scalarText ?? []) else {
                    // Out of the language's range: only the spelling can tell.
                    if first.scalarText != second.scalarText { return false }
                    continue
                }
                if number != other { return false }
            case (let kind, let otherKind):
                guard kind == otherKind, first.scalarText == second.scalarText else { return false }
            }
        }
        return true
    }
}
