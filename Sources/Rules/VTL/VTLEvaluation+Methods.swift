/// What methods do; one that the value does not have gives null.
extension VTLEvaluation {
    mutating func value(of call: VTLCall, on receiver: VTLValue) throws(VTLFailure) -> VTLValue {
        var arguments: [VTLValue] = []
        for argument in call.arguments { arguments.append(try value(of: argument)) }
        switch call.method {
        case .toString: return .text(try text(of: receiver))
        case .equals: return .boolean(try areEqual(receiver, arguments[0]))
        default: break
        }
        switch receiver {
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
        case .contains:
            for element in view.elements {
                try spend(steps: 1)
                if try areEqual(VTLValue(element), arguments[0]) { return .boolean(true) }
            }
            return .boolean(false)
        case .add: throw .invalid("add: a list that came from JSON cannot be changed")
        default: return .null
        }
    }

    private mutating func value(
        of method: VTLMethod, _ arguments: [VTLValue], ofList place: Int
    ) throws(VTLFailure) -> VTLValue {
        let list = heap.lists[place]
        switch method {
        case .size: return .integer(list.count)
        case .isEmpty: return .boolean(list.isEmpty)
        case .get: return try element(arguments[0], of: .list(place))
        case .contains:
            for element in list {
                try spend(steps: 1)
                if try areEqual(element, arguments[0]) { return .boolean(true) }
            }
            return .boolean(false)
        case .add:
            try spend(bytes: Self.elementBytes)
            heap.lists[place].append(arguments[0])
            return .boolean(true)
        default: return .null
        }
    }

    // MARK: Maps

    private mutating func value(of method: VTLMethod, _ arguments: [VTLValue], of view: JSONView) throws(VTLFailure) -> VTLValue {
        switch method {
        case .size: return .integer(view.members.reduce(0) { count, _ in count + 1 })
        case .isEmpty: return .boolean(view.isEmptyContainer)
        case .get: return try member(try text(of: arguments[0]), of: .json(view))
        case .containsKey:
            try spend(steps: view.count / 8)
            return .boolean(view[try text(of: arguments[0])] != nil)
        case .keySet, .entrySet, .values:
            try spend(steps: view.count)
            return try contents(view.members.map { ($0.key, VTLValue($0.value)) }, method)
        case .put: throw .invalid("put: an object that came from JSON cannot be changed")
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
        case .keySet, .entrySet, .values: return try contents(heap.maps[place].entries, method)
        case .put:
            let key = try text(of: arguments[0])
            try spend(bytes: Self.elementBytes + key.count)
            return heap.maps[place].put(arguments[1], for: key) ?? .null
        default: return .null
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
