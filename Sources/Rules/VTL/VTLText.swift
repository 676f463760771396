/// How values are written, as Java writes them.
extension VTLEvaluation {
    /// The text of a value: of null none; of an object Java's `{name=value}`; of an array that came from JSON its JSON.
    mutating func text(of value: VTLValue) throws(VTLFailure) -> ArraySlice<UInt8> {
        switch value {
        case .text(let text): return text
        case .null: return []
        case .boolean(let value): return ArraySlice((value ? "true" : "false").utf8)
        case .integer(let value): return ArraySlice(String(value).utf8)
        case .decimal(let value, let spelling): return spelling ?? ArraySlice(Self.spelling(of: value).utf8)
        case .json, .list, .map, .entry:
            var output: [UInt8] = []
            try append(value, to: &output, depth: 0)
            try spend(bytes: output.count)
            return output[...]
        }
    }

    /// A number that JSON can say.
    static func spelling(of value: Double) -> String { value.isFinite ? "\(value)" : "null" }

    /// Recursion ends at ``VTLTemplate/nestingMax``; JSON, whose depth a stranger chooses, is written without.
    private mutating func append(_ value: VTLValue, to output: inout [UInt8], depth: Int) throws(VTLFailure) {
        guard depth < VTLTemplate.nestingMax else { throw .tooDeep }
        guard output.count <= VTLTemplate.resultBytesMax else { throw .resultTooLong }
        try spend(steps: 1)
        switch value {
        case .null: output += "null".utf8
        case .text, .boolean, .integer, .decimal: output += try text(of: value)
        case .json(let view):
            guard !changed.isEmpty else { return append(view, to: &output) }
            try append(try changeable(value), to: &output, depth: depth)
        case .entry(let key, let value):
            output += key
            output.append(UInt8(ascii: "="))
            try append(value, to: &output, depth: depth + 1)
        case .list(let place) where heap.listsFromJSON.contains(place): try appendJSON(value, to: &output, depth: depth)
        case .list(let place):
            output.append(UInt8(ascii: "["))
            for (position, element) in heap.lists[place].enumerated() {
                if position > 0 { output += ", ".utf8 }
                try append(element, to: &output, depth: depth + 1)
            }
            output.append(UInt8(ascii: "]"))
        case .map(let place):
            output.append(UInt8(ascii: "{"))
            for (position, entry) in heap.maps[place].entries.enumerated() {
                if position > 0 { output += ", ".utf8 }
                output += entry.key
                output.append(UInt8(ascii: "="))
                try append(entry.value, to: &output, depth: depth + 1)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private func append(_ view: JSONView, to output: inout [UInt8]) {
        guard view.kind == .object else { return view.appendJSON(to: &output) }
        var open = [view.members]
        var isFirst = true
        output.append(UInt8(ascii: "{"))
        while !open.isEmpty {
            guard let member = open[open.count - 1].next() else {
                open.removeLast()
                output.append(UInt8(ascii: "}"))
                isFirst = false
                continue
            }
            if !isFirst { output += ", ".utf8 }
            isFirst = false
            output += member.key
            output.append(UInt8(ascii: "="))
            switch member.value.kind {
            case .object:
                output.append(UInt8(ascii: "{"))
                open.append(member.value.members)
                isFirst = true
            case .array: member.value.appendJSON(to: &output)
            case .string, .number, .true, .false, .null: output += member.value.scalarText ?? []
            }
        }
    }
}
