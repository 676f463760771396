import Foundation
import Rules

/// The meaning of patterns, written as plainly as possible: every combination of values is tried.
enum PatternOracle {
    private struct Value {
        let scalar: JSONView
        /// Array number to element number.
        let elements: [Int: Int]
    }

    private typealias Field = (path: String, conditions: [JSONView])

    static func matches(pattern: JSONView, event: JSONView) -> Bool {
        let values = flatten(event)
        return conjunctions(of: pattern).contains { isMet($0, by: values) }
    }

    private static func flatten(_ event: JSONView) -> [String: [Value]] {
        var values: [String: [Value]] = [:]
        var arrays = 0
        func flatten(_ view: JSONView, _ path: String?, _ elements: [Int: Int]) {
            switch view.kind {
            case .object:
                for member in view.members { flatten(member.value, path.map { "\($0).\(member.name)" } ?? member.name, elements) }
            case .array:
                let array = arrays
                arrays += 1
                for (index, element) in view.elements.enumerated() {
                    let isContainer = element.kind == .object || element.kind == .array
                    flatten(element, path, isContainer ? elements.merging([array: index]) { $1 } : elements)
                }
            default: values[path ?? "", default: []].append(Value(scalar: view, elements: elements))
            }
        }
        flatten(event, nil, [:])
        return values
    }

    /// The pattern without `$or`: lists of fields of which one suffices.
    private static func conjunctions(of pattern: JSONView) -> [[Field]] {
        func expand(_ view: JSONView, _ path: String?, _ before: [[String: [JSONView]]]) -> [[String: [JSONView]]] {
            var branches = before
            for member in view.members {
                let name = path.map { "\($0).\(member.name)" } ?? member.name
                if member.name == "$or" {
                    branches = member.value.elements.flatMap { expand($0, path, branches) }
                } else if member.value.kind == .object {
                    branches = expand(member.value, name, branches)
                } else {
                    for index in branches.indices { branches[index][name] = Array(member.value.elements) }
                }
            }
            return branches
        }
        return expand(pattern, nil, [[:]]).map { branch in branch.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }

    private static func isMet(_ fields: [Field], by values: [String: [Value]]) -> Bool {
        func isConsistent(_ value: Value, _ chosen: [Int: Int]) -> Bool {
            value.elements.allSatisfy { chosen[$0.key] ?? $0.value == $0.value }
        }
        func choose(_ field: Int, _ chosen: [Int: Int]) -> Bool {
            guard field < fields.count else { return true }
            let present = values[fields[field].path] ?? []
            // Several values in the same elements leave the same choices to the other fields.
            var tried: Set<[Int: Int]> = []
            for value in present where isConsistent(value, chosen) && !tried.contains(value.elements) {
                guard fields[field].conditions.contains(where: { holds($0, value.scalar) }) else { continue }
                tried.insert(value.elements)
                if choose(field + 1, chosen.merging(value.elements) { $1 }) { return true }
            }
            let mayBeMissing = fields[field].conditions.contains { $0["exists"]?.kind == .false }
            return mayBeMissing && !present.contains { isConsistent($0, chosen) } && choose(field + 1, chosen)
        }
        return choose(0, [:])
    }

    private static func holds(_ condition: JSONView, _ value: JSONView) -> Bool {
        guard condition.kind == .object, let member = Array(condition.members).first else { return isEqual(condition, value) }
        let operand = member.value
        switch member.name {
        case "exactly": return isEqual(operand, value)
        case "prefix", "suffix", "equals-ignore-case", "wildcard":
            return value.stringValue.map { isText($0, member.name, operand) } ?? false
        case "cidr": return value.stringValue.map { isAddress($0, inside: operand.stringValue ?? "") } ?? false
        case "exists": return operand.kind == .true
        case "numeric": return value.numberText.flatMap { Double($0) }.map { isNumber($0, operand) } ?? false
        case "anything-but":
            guard operand.kind == .object, let text = Array(operand.members).first else {
                let excluded = operand.kind == .array ? Array(operand.elements) : [operand]
                // Here an address is text like any other.
                return !excluded.contains {
                    $0.stringValue == nil ? isEqual($0, value) : $0.kind == value.kind && $0.scalarText == value.scalarText
                }
            }
            let excluded = text.value.kind == .array ? Array(text.value.elements) : [text.value]
            return !excluded.contains { operand in value.stringValue.map { isText($0, text.name, operand) } ?? false }
        default: return false
        }
    }

    private static func isEqual(_ condition: JSONView, _ value: JSONView) -> Bool {
        guard condition.kind == value.kind else { return false }
        if let number = condition.numberText, let other = value.numberText { return Double(number) == Double(other) }
        if let text = condition.stringValue, let other = value.stringValue, let address = bits(ofAddress: text) {
            return address == bits(ofAddress: other)
        }
        return condition.scalarText == value.scalarText
    }

    private static func isText(_ value: String, _ name: String, _ operand: JSONView) -> Bool {
        var text = operand.stringValue ?? ""
        var value = value
        if let caseless = operand["equals-ignore-case"]?.stringValue ?? (name == "equals-ignore-case" ? text : nil) {
            (text, value) = (caseless.uppercased(), value.uppercased())
        }
        switch name {
        case "prefix": return value.unicodeScalars.starts(with: text.unicodeScalars)
        case "suffix": return value.unicodeScalars.reversed().starts(with: text.unicodeScalars.reversed())
        case "wildcard": return isLike(Array(value.unicodeScalars)[...], Array(text.unicodeScalars)[...])
        default: return Array(value.unicodeScalars) == Array(text.unicodeScalars)
        }
    }

    private static func isLike(_ value: ArraySlice<Unicode.Scalar>, _ wildcard: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = wildcard.first else { return value.isEmpty }
        if first == "*" {
            return isLike(value, wildcard.dropFirst()) || (!value.isEmpty && isLike(value.dropFirst(), wildcard))
        }
        let isEscape = first == "\\"
        return value.first == (isEscape ? wildcard.dropFirst().first : first)
            && isLike(value.dropFirst(), wildcard.dropFirst(isEscape ? 2 : 1))
    }

    private static func isNumber(_ value: Double, _ range: JSONView) -> Bool {
        let terms = Array(range.elements)
        return stride(from: 0, to: terms.count, by: 2).allSatisfy { index in
            guard let bound = terms[index + 1].numberText.flatMap({ Double($0) }) else { return false }
            switch terms[index].stringValue {
            case "=": return value == bound
            case "<": return value < bound
            case "<=": return value <= bound
            case ">": return value > bound
            default: return value >= bound
            }
        }
    }

    private static func isAddress(_ value: String, inside block: String) -> Bool {
        let parts = block.split(separator: "/").map(String.init)
        guard let address = bits(ofAddress: value), let network = bits(ofAddress: parts[0]), let length = Int(parts[1]) else {
            return false
        }
        return address.count == network.count && address.prefix(length) == network.prefix(length)
    }

    /// As the system reads addresses: the patterns and events of these tests have none that it reads otherwise.
    private static func bits(ofAddress text: String) -> [Bool]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = inet_pton(AF_INET, text, &bytes) == 1 ? 4 : inet_pton(AF_INET6, text, &bytes) == 1 ? 16 : 0
        return count == 0 ? nil : bytes.prefix(count).flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 == 1 } }
    }
}
