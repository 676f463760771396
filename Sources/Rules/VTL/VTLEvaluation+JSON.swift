/// An object or an array of a document.
struct JSONPlace: Hashable {
    private let tape: ObjectIdentifier
    private let index: Int

    init(_ view: JSONView) {
        tape = ObjectIdentifier(view.tape)
        index = view.index
    }
}

/// What became of an object or an array that a template changed.
struct ChangedJSON: Sendable {
    /// Keeps the document, and so its place, from becoming another one's.
    let view: JSONView
    /// A map or a list.
    let value: VTLValue
}

/// Objects and arrays that came from JSON and that the template changes, as Java's are changed: wherever they are held, at once.
extension VTLEvaluation {
    /// The value as it is now.
    func current(_ value: VTLValue) -> VTLValue {
        guard !changed.isEmpty, case .json(let view) = value, let now = changed[JSONPlace(view)] else { return value }
        return now.value
    }

    /// The value as a map or a list, if it came from JSON; itself otherwise.
    mutating func changeable(_ value: VTLValue) throws(VTLFailure) -> VTLValue {
        guard case .json(let view) = current(value) else { return current(value) }
        try spend(steps: view.count)
        try spend(bytes: view.count * Self.elementBytes)
        let now: VTLValue
        if view.kind == .array {
            now = heap.list(view.elements.map { VTLValue($0) })
            heap.listsFromJSON.insert(heap.lists.count - 1)
        } else {
            now = heap.map(view.members.map { ($0.key, VTLValue($0.value)) })
        }
        changed[JSONPlace(view)] = ChangedJSON(view: view, value: now)
        return now
    }

    /// `#set` of a member or an element; of what has neither it sets nothing, as Velocity does.
    mutating func set(_ reference: VTLReference, _ value: VTLValue) throws(VTLFailure) {
        let holder = try changeable(try self.value(of: reference.root, reference.steps.dropLast()))
        let name: VTLValue
        switch reference.steps.last {
        case .property(let text): name = .text(text)
        case .index(let expression): name = try self.value(of: expression)
        case .call, nil: return
        }
        switch holder {
        case .map(let place): _ = try change(map: place, .put, [name, value])
        case .list(let place): _ = try change(list: place, .set, [name, value])
        case .null, .boolean, .integer, .decimal, .text, .json, .entry: return
        }
    }

    // MARK: As JSON

    /// The compact JSON text.
    mutating func jsonText(of value: VTLValue) throws(VTLFailure) -> ArraySlice<UInt8> {
        var output: [UInt8] = []
        try appendJSON(value, to: &output, depth: 0)
        try spend(bytes: output.count)
        return output[...]
    }

    /// Recursion ends at ``VTLTemplate/nestingMax``; JSON that nobody changed, whose depth a stranger chooses, is written without.
    mutating func appendJSON(_ value: VTLValue, to output: inout [UInt8], depth: Int) throws(VTLFailure) {
        guard depth < VTLTemplate.nestingMax else { throw .tooDeep }
        guard output.count <= VTLTemplate.resultBytesMax else { throw .resultTooLong }
        try spend(steps: 1)
        switch value {
        case .null: output += "null".utf8
        case .boolean, .integer, .decimal: output += try text(of: value)
        case .text(let text): JSONText.appendString(text, to: &output)
        case .json(let view):
            guard !changed.isEmpty else { return view.appendJSON(to: &output) }
            try appendJSON(try changeable(value), to: &output, depth: depth)
        case .entry(let key, let value): try appendJSON([(key, value)], to: &output, depth: depth)
        case .map(let place): try appendJSON(heap.maps[place].entries, to: &output, depth: depth)
        case .list(let place):
            output.append(UInt8(ascii: "["))
            for (position, element) in heap.lists[place].enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                try appendJSON(element, to: &output, depth: depth + 1)
            }
            output.append(UInt8(ascii: "]"))
        }
    }

    private mutating func appendJSON(
        _ entries: [(key: ArraySlice<UInt8>, value: VTLValue)], to output: inout [UInt8], depth: Int
    ) throws(VTLFailure) {
        output.append(UInt8(ascii: "{"))
        for (position, entry) in entries.enumerated() {
            if position > 0 { output.append(UInt8(ascii: ",")) }
            JSONText.appendString(entry.key, to: &output)
            output.append(UInt8(ascii: ":"))
            try appendJSON(entry.value, to: &output, depth: depth + 1)
        }
        output.append(UInt8(ascii: "}"))
    }
}
