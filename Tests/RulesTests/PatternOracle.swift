import Rules

/// The meaning of patterns, written as plainly as possible: every combination of values is tried.
enum PatternOracle {
    private struct Value {
        let scalar: JSONView
        /// Array number to element number.
        let elements: [Int: Int]
    }

    static func matches(pattern: JSONView, event: JSONView) -> Bool {
        var values: [String: [Value]] = [:]
        var arrays = 0
        func flatten(_ view: JSONView, _ path: String, _ elements: [Int: Int]) {
            switch view.kind {
            case .object:
                for member in view.members { flatten(member.value, path.isEmpty ? member.name : "\(path).\(member.name)", elements) }
            case .array:
                let array = arrays
                arrays += 1
                for (index, element) in view.elements.enumerated() {
                    let isContainer = element.kind == .object || element.kind == .array
                    flatten(element, path, isContainer ? elements.merging([array: index]) { $1 } : elements)
                }
            default: values[path, default: []].append(Value(scalar: view, elements: elements))
            }
        }
        flatten(event, "", [:])

        var fields: [(path: String, conditions: [JSONView])] = []
        func collect(_ view: JSONView, _ path: String) {
            for member in view.members {
                let name = path.isEmpty ? member.name : "\(path).\(member.name)"
                if member.value.kind == .object { collect(member.value, name) } else { fields.append((name, Array(member.value.elements))) }
            }
        }
        collect(pattern, "")

        func choose(_ field: Int, _ chosen: [Int: Int]) -> Bool {
            guard field < fields.count else { return true }
            return (values[fields[field].path] ?? []).contains { value in
                guard fields[field].conditions.contains(where: { holds($0, value.scalar) }),
                    value.elements.allSatisfy({ chosen[$0.key] ?? $0.value == $0.value })
                else { return false }
                return choose(field + 1, chosen.merging(value.elements) { $1 })
            }
        }
        return choose(0, [:])
    }

    private static func holds(_ condition: JSONView, _ value: JSONView) -> Bool {
        if let prefix = condition["prefix"]?.stringValue { return value.stringValue?.hasPrefix(prefix) ?? false }
        guard condition.kind == value.kind else { return false }
        if let number = condition.numberText, let other = value.numberText { return Double(number) == Double(other) }
        return condition.scalarText == value.scalarText
    }
}

/// Random patterns and events over few names and values, so that they often meet.
struct PatternGenerator {
    var random: SeededGenerator

    private mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func scalar() -> String {
        pick([#""x""#, #""xy""#, #""xyz""#, #""""#, "1", "1.0", "10e-1", "2", "true", "false", "null"])
    }

    mutating func event(depth: Int = 3, dots: Bool) -> String {
        let names = dots ? ["a", "b", "c", "a.b", "b.c"] : ["a", "b", "c"]
        let members = names.compactMap { name -> String? in chance(65) ? "\"\(name)\":\(value(depth: depth - 1, dots: dots))" : nil }
        return "{" + members.joined(separator: ",") + "}"
    }

    private mutating func value(depth: Int, dots: Bool) -> String {
        if depth > 0, chance(45) { return event(depth: depth, dots: dots) }
        if depth > 0, chance(50) {
            let count = Int.random(in: 0...3, using: &random)
            return "[" + (0..<count).map { _ in value(depth: depth - 1, dots: dots) }.joined(separator: ",") + "]"
        }
        return scalar()
    }

    mutating func pattern() -> String {
        let paths = ["a", "b", "c", "a.a", "a.b", "a.c", "b.a", "b.b", "b.c", "a.b.c", "a.a.b", "a.b.a"]
        let chosen = Set((0..<Int.random(in: 1...4, using: &random)).map { _ in pick(paths) })
        let fields = chosen.sorted().map { path -> String in
            let count = Int.random(in: 1...2, using: &random)
            let conditions = (0..<count).map { _ in chance(25) ? "{\"prefix\":\"\(pick(["x", "xy", ""]))\"}" : scalar() }
            return "\"\(path)\":[\(conditions.joined(separator: ","))]"
        }
        return "{" + fields.joined(separator: ",") + "}"
    }
}
