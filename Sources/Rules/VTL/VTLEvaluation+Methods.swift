/// What methods do; one that the value does not have gives null.
extension VTLEvaluation {
    mutating func value(of call: VTLCall, on receiver: VTLValue) throws(VTLFailure) -> VTLValue {
        var arguments: [VTLValue] = []
        for argument in call.arguments { arguments.append(try value(of: argument)) }
        switch call.method {
        case .toString: return .text(try text(of: receiver))
        case .equals: return .boolean(try areSame(receiver, arguments[0]))
        default: break
        }
        switch call.method.changes ? try changeable(receiver) : receiver {
        case .text(let text): return try value(of: call, arguments, on: text)
        case .json(let view):
            return view.kind == .array
                ? try value(of: call.method, arguments, ofArray: view) : try value(of: call.method, arguments, of: view)
        case .list(let place): return try value(of: call.method, arguments, ofList: place)
        case .map(let place): return try value(of: call.method, arguments, ofMap: place)
        case .entry(let key, let value):
            switch call.method {
            case .getKey: return .text(key)
            case .getValue: return value
            default: return .null
            }
        case .null, .boolean, .integer, .decimal: return .null
        }
    }

    // MARK: Lists

    private mutating func value(
        of method: VTLMethod, _ arguments: [VTLValue], ofArray view: JSONView
    ) throws(VTLFailure) -> VTLValue {
        switch method {
        case .size: return .integer(view.count)
        case .isEmpty: return .boolean(view.isEmptyContainer)
        case .get: return try element(arguments[0], of: .json(view))
        case .contains, .indexOf, .lastIndexOf: return try place(method, of: arguments[0], in: view.elements.map { VTLValue($0) })
        default: return .null
        }
    }

    private mutating func value(
        of method: VTLMethod, _ arguments: [VTLValue], ofList place: Int
    ) throws(VTLFailure) -> VTLValue {
        // A list that is held here, too, would be copied before it changes.
        if method.changes { return try change(list: place, method, arguments) }
        let list = heap.lists[place]
        switch method {
        case .size: return .integer(list.count)
        case .isEmpty: return .boolean(list.isEmpty)
        case .get: return try element(arguments[0], of: .list(place))
        case .contains, .indexOf, .lastIndexOf: return try self.place(method, of: arguments[0], in: list)
        default: return .null
        }
    }

    /// Where a list holds a value, or whether it does.
    private mutating func place(_ method: VTLMethod, of wanted: VTLValue, in list: [VTLValue]) throws(VTLFailure) -> VTLValue {
        try spend(steps: list.count / 8)
        for offset in list.indices {
            try spend(steps: 1)
            let position = method == .lastIndexOf ? list.count - 1 - offset : offset
            if try areSame(list[position], wanted) { return method == .contains ? .boolean(true) : .integer(position) }
        }
        return method == .contains ? .boolean(false) : .integer(-1)
    }

    // MARK: Maps

    private mutating func value(of method: VTLMethod, _ arguments: [VTLValue], of view: JSONView) throws(VTLFailure) -> VTLValue {
        switch method {
        case .size:
            try spend(steps: view.count / 8)
            return .integer(view.members.reduce(0) { count, _ in count + 1 })
        case .isEmpty: return .boolean(view.isEmptyContainer)
        case .get: return try member(try text(of: arguments[0]), of: .json(view))
        case .containsKey:
            try spend(steps: view.count / 8)
            return .boolean(view[try text(of: arguments[0])] != nil)
        case .containsValue: return try place(.contains, of: arguments[0], in: view.members.map { VTLValue($0.value) })
        case .keySet, .entrySet, .values:
            try spend(steps: view.count)
            return try contents(view.members.map { ($0.key, VTLValue($0.value)) }, method)
        default: return .null
        }
    }

    private mutating func value(
        of method: VTLMethod, _ arguments: [VTLValue], ofMap place: Int
    ) throws(VTLFailure) -> VTLValue {
        switch method {
        case .size: return .integer(heap.maps[place].entries.count)
        case .isEmpty: return .boolean(heap.maps[place].entries.isEmpty)
        case .get: return heap.maps[place][try text(of: arguments[0])] ?? .null
        case .containsKey: return .boolean(heap.maps[place][try text(of: arguments[0])] != nil)
        case .containsValue: return try self.place(.contains, of: arguments[0], in: heap.maps[place].entries.map(\.value))
        case .keySet, .entrySet, .values: return try contents(heap.maps[place].entries, method)
        default: return try change(map: place, method, arguments)
        }
    }

    private mutating func contents(
        _ entries: [(key: ArraySlice<UInt8>, value: VTLValue)], _ method: VTLMethod
    ) throws(VTLFailure) -> VTLValue {
        switch method {
        case .keySet: try newList(entries.map { .text($0.key) })
        case .values: try newList(entries.map(\.value))
        default: try newList(entries.map { .entry($0.key, $0.value) })
        }
    }
}
