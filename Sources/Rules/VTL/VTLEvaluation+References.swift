/// What references lead to.
extension VTLEvaluation {
    /// The value; one that is not there is an empty text, as in the service, and so true, equal to `""` and to another one.
    mutating func value(of reference: VTLReference) throws(VTLFailure) -> VTLValue {
        let value = try value(of: reference.root, reference.steps[...])
        return value.isNull ? .text([]) : value
    }

    /// The value, or null.
    mutating func value(
        of root: VTLReference.Root, _ steps: ArraySlice<VTLReference.Step>
    ) throws(VTLFailure) -> VTLValue {
        var value = current(try self.value(of: root))
        for step in steps {
            try spend(steps: 1)
            // Nothing has a member, and no method.
            if value.isNull { return .null }
            switch step {
            case .property(let name): value = try member(name, of: value)
            case .index(let expression): value = try element(try self.value(of: expression), of: value)
            case .call(let call): value = try self.value(of: call, on: value)
            }
            value = current(value)
        }
        return value
    }

    private mutating func value(of root: VTLReference.Root) throws(VTLFailure) -> VTLValue {
        switch root {
        case .variable(let slot): return variables[slot]
        case .body: return .text(input.body.isEmpty ? ArraySlice("{}".utf8) : input.body[...])
        case .json(let path): return try json(at: path)
        case .path(let path): return try selected(by: path) ?? .null
        case .parameters: return input.parameters.map { .json($0) } ?? .null
        case .parameter(let name): return .text(parameter(try text(of: try value(of: name))))
        case .context: return input.context.map { .json($0) } ?? .null
        case .stageVariables: return input.stageVariables.map { .json($0) } ?? .null
        case .utility(let utility, let argument): return try value(of: utility, try value(of: argument))
        case .loop(let property, let parents):
            let position = loops.count - 1 - parents
            return loops.indices.contains(position) ? loops[position].value(of: property) : .null
        }
    }

    /// JSON text; `""` where there is nothing, as in the service.
    private mutating func json(at path: VTLPath) throws(VTLFailure) -> VTLValue {
        guard let found = try selected(by: path) else { return .text(ArraySlice("\"\"".utf8)) }
        return .text(try jsonText(of: found))
    }

    /// What a path leads to in the body, with what the template changed of it; nil where it leads nowhere.
    ///
    /// Of a path with wildcards or slices a new list of all that it leads to, unless its part before the first of them leads nowhere.
    private mutating func selected(by path: VTLPath) throws(VTLFailure) -> VTLValue? {
        var found = input.json.map { [current(VTLValue($0))] } ?? []
        var isMany = false
        for step in try steps(of: path) {
            isMany = isMany || step.isMany
            var next: [VTLValue] = []
            for value in found {
                try spend(steps: 1)
                for value in try values(at: step, in: value) { next.append(current(value)) }
            }
            if next.isEmpty, !isMany { return nil }
            found = next
        }
        guard isMany else { return found.first }
        try spend(bytes: found.count * Self.elementBytes)
        let list = heap.list(found)
        heap.listsFromJSON.insert(heap.lists.count - 1)
        return list
    }

    private mutating func values(at step: EventPath.Step, in value: VTLValue) throws(VTLFailure) -> [VTLValue] {
        switch (value, step) {
        case (.json(let view), .member(let name)):
            try spend(steps: view.count / 8)
            return view[name].map { [VTLValue($0)] } ?? []
        case (.json(let view), .element(let position)):
            let position = position < 0 ? view.count + position : position
            try spend(steps: max(0, min(position, view.count)) / 8)
            return view[element: position].map { [VTLValue($0)] } ?? []
        case (.json(let view), .all):
            try spend(steps: view.count)
            return view.kind == .array ? view.elements.map { VTLValue($0) } : view.members.map { VTLValue($0.value) }
        case (.json(let view), .slice(let lower, let upper)):
            try spend(steps: view.count)
            let elements = Array(view.elements)
            return elements[EventPath.positions(lower: lower, upper: upper, of: elements.count)].map { VTLValue($0) }
        case (.map(let place), .member(let name)): return heap.maps[place][name].map { [$0] } ?? []
        case (.map(let place), .all): return heap.maps[place].entries.map(\.value)
        case (.list(let place), .element(let position)):
            let list = heap.lists[place]
            let position = position < 0 ? list.count + position : position
            return list.indices.contains(position) ? [list[position]] : []
        case (.list(let place), .all): return heap.lists[place]
        case (.list(let place), .slice(let lower, let upper)):
            return Array(heap.lists[place][EventPath.positions(lower: lower, upper: upper, of: heap.lists[place].count)])
        default: return []
        }
    }

    private mutating func steps(of path: VTLPath) throws(VTLFailure) -> [EventPath.Step] {
        switch path {
        case .constant(let path): return path.steps
        case .computed(let expression):
            let text = String(decoding: try self.text(of: try value(of: expression)), as: UTF8.self)
            do throws(EventPathError) { return try EventPath(parsing: text, reach: .many).steps } catch { throw .invalid("\(error)") }
        }
    }

    /// `$input.params(name)`: of the path, else of the query, else a header in any case; no text where there is none.
    private func parameter(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let parameters = input.parameters else { return [] }
        if let value = parameters["path"]?[name] ?? parameters["querystring"]?[name] { return value.stringBytes ?? [] }
        let wanted = name.map(Self.lowercase)
        guard let headers = parameters["header"] else { return [] }
        for member in headers.members where member.key.map(Self.lowercase) == wanted { return member.value.stringBytes ?? [] }
        return []
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// `value.name`, which is `value.get("name")` of a map.
    mutating func member(_ name: ArraySlice<UInt8>, of value: VTLValue) throws(VTLFailure) -> VTLValue {
        switch value {
        case .json(let view) where view.kind == .object:
            try spend(steps: view.count / 8)
            return view[name].map { VTLValue($0) } ?? .null
        case .map(let place): return heap.maps[place][name] ?? .null
        case .entry(let key, let value):
            if name.elementsEqual("key".utf8) { return .text(key) }
            return name.elementsEqual("value".utf8) ? value : .null
        case .null, .boolean, .integer, .decimal, .text, .json, .list: return .null
        }
    }

    /// `value[index]`, which is `value.get(index)`.
    mutating func element(_ index: VTLValue, of value: VTLValue) throws(VTLFailure) -> VTLValue {
        switch value {
        case .json(let view) where view.kind == .array:
            guard case .integer(let position) = index else { return .null }
            guard (0..<view.count).contains(position) else { throw Self.outside(position, view.count) }
            try spend(steps: position / 8)
            return view[element: position].map { VTLValue($0) } ?? .null
        case .list(let place):
            guard case .integer(let position) = index else { return .null }
            let list = heap.lists[place]
            guard list.indices.contains(position) else { throw Self.outside(position, list.count) }
            return list[position]
        case .json, .map: return try member(try text(of: index), of: value)
        case .null, .boolean, .integer, .decimal, .text, .entry: return .null
        }
    }

    /// Java throws there, too, and the service answers 500.
    static func outside(_ position: Int, _ count: Int) -> VTLFailure {
        .invalid("position \(position) of a list that has \(count) elements")
    }
}

extension VTLEvaluation.LoopState {
    fileprivate func value(of property: VTLReference.LoopProperty) -> VTLValue {
        switch property {
        case .hasNext: .boolean(!isLast)
        case .count: .integer(index + 1)
        case .index: .integer(index)
        case .first: .boolean(index == 0)
        case .last: .boolean(isLast)
        }
    }
}
