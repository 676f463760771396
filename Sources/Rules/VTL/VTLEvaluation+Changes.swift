/// What changes lists and maps.
extension VTLEvaluation {
    mutating func change(list place: Int, _ method: VTLMethod, _ arguments: [VTLValue]) throws(VTLFailure) -> VTLValue {
        switch method {
        case .add:
            try spend(bytes: Self.elementBytes)
            heap.lists[place].append(arguments[0])
            return .boolean(true)
        case .addAll:
            guard let elements = try elements(ofList: arguments[0]) else { return .null }
            try spend(bytes: elements.count * Self.elementBytes)
            heap.lists[place] += elements
            return .boolean(!elements.isEmpty)
        case .clear:
            heap.lists[place] = []
            return .null
        case .set:
            guard let position = try position(arguments[0], inList: place) else { return .null }
            defer { heap.lists[place][position] = arguments[1] }
            return heap.lists[place][position]
        case .remove: return try remove(arguments[0], fromList: place)
        default: return .null
        }
    }

    /// A number is a position, as in Java; anything else is looked for.
    private mutating func remove(_ what: VTLValue, fromList place: Int) throws(VTLFailure) -> VTLValue {
        try spend(steps: heap.lists[place].count / 8)
        if let position = try position(what, inList: place) { return heap.lists[place].remove(at: position) }
        for (position, element) in heap.lists[place].enumerated() {
            try spend(steps: 1)
            guard try areSame(element, what) else { continue }
            heap.lists[place].remove(at: position)
            return .boolean(true)
        }
        return .boolean(false)
    }

    /// Nil for what is no whole number.
    private func position(_ index: VTLValue, inList place: Int) throws(VTLFailure) -> Int? {
        guard case .integer(let position) = index else { return nil }
        let count = heap.lists[place].count
        guard (0..<count).contains(position) else { throw Self.outside(position, count) }
        return position
    }

    /// Nil for what is no list.
    private mutating func elements(ofList value: VTLValue) throws(VTLFailure) -> [VTLValue]? {
        switch value {
        case .list(let place): return heap.lists[place]
        case .json(let view) where view.kind == .array:
            try spend(steps: view.count)
            return view.elements.map { VTLValue($0) }
        default: return nil
        }
    }

    mutating func change(map place: Int, _ method: VTLMethod, _ arguments: [VTLValue]) throws(VTLFailure) -> VTLValue {
        switch method {
        case .put: return try put(arguments[1], for: try text(of: arguments[0]), inMap: place)
        case .putAll:
            let entries: [(key: ArraySlice<UInt8>, value: VTLValue)]
            switch arguments[0] {
            case .map(let other): entries = heap.maps[other].entries
            case .json(let view) where view.kind == .object:
                try spend(steps: view.count)
                entries = view.members.map { ($0.key, VTLValue($0.value)) }
            default: return .null
            }
            for entry in entries { _ = try put(entry.value, for: entry.key, inMap: place) }
            return .null
        case .remove:
            try spend(steps: heap.maps[place].entries.count)
            return heap.maps[place].remove(try text(of: arguments[0])) ?? .null
        case .clear:
            heap.maps[place] = VTLMap()
            return .null
        default: return .null
        }
    }

    private mutating func put(_ value: VTLValue, for key: ArraySlice<UInt8>, inMap place: Int) throws(VTLFailure) -> VTLValue {
        try spend(bytes: Self.elementBytes + key.count)
        return heap.maps[place].put(value, for: key) ?? .null
    }
}
