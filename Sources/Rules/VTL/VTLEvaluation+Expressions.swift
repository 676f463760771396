/// Operators, as Velocity 1.7 has them.
extension VTLEvaluation {
    // Recursion is as deep as the template is written, at most ``VTLTemplate/nestingMax``.
    mutating func value(of expression: VTLExpression) throws(VTLFailure) -> VTLValue {
        try spend(steps: 1)
        switch expression {
        case .constant(let value): return value
        case .interpolation(let statements): return .text(try text(of: statements))
        case .reference(let reference): return try value(of: reference)
        case .list(let items):
            var elements: [VTLValue] = []
            for item in items { elements.append(try value(of: item)) }
            return try newList(elements)
        case .map(let items):
            var entries: [(key: ArraySlice<UInt8>, value: VTLValue)] = []
            for item in items { entries.append((try text(of: try value(of: item.key)), try value(of: item.value))) }
            try spend(bytes: entries.count * Self.elementBytes)
            return heap.map(entries)
        case .range(let first, let last): return try range(try value(of: first), try value(of: last))
        case .not(let operand): return .boolean(!(try value(of: operand).isTrue))
        case .all(let operands):
            for operand in operands {
                guard try value(of: operand).isTrue else { return .boolean(false) }
            }
            return .boolean(true)
        case .any(let operands):
            for operand in operands {
                if try value(of: operand).isTrue { return .boolean(true) }
            }
            return .boolean(false)
        case .chain(let first, let links):
            var result = try value(of: first)
            for link in links { result = try apply(link.operation, result, try value(of: link.operand)) }
            return result
        }
    }

    /// What an element of a list or map counts.
    static let elementBytes = 64

    mutating func newList(_ elements: [VTLValue]) throws(VTLFailure) -> VTLValue {
        try spend(bytes: elements.count * Self.elementBytes)
        return heap.list(elements)
    }

    /// Up or down, both ends included.
    private mutating func range(_ first: VTLValue, _ last: VTLValue) throws(VTLFailure) -> VTLValue {
        guard case .integer(let first) = first, case .integer(let last) = last else { return .null }
        let (distance, overflows) = last.subtractingReportingOverflow(first)
        guard !overflows, distance.magnitude < UInt(VTLTemplate.loopPassesMax) else { throw .tooManyPasses }
        return try newList(stride(from: first, through: last, by: distance < 0 ? -1 : 1).map { .integer($0) })
    }

    private mutating func apply(_ operation: VTLOperator, _ left: VTLValue, _ right: VTLValue) throws(VTLFailure) -> VTLValue {
        switch operation {
        case .equal: return .boolean(try areEqual(left, right))
        case .unequal: return .boolean(!(try areEqual(left, right)))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard let left = left.number, let right = right.number else { return .boolean(false) }
            switch operation {
            case .less: return .boolean(left < right)
            case .lessOrEqual: return .boolean(left <= right)
            case .greater: return .boolean(left > right)
            default: return .boolean(left >= right)
            }
        case .add:
            if left.isText || right.isText {
                let joined = try text(of: left) + text(of: right)
                try spend(bytes: joined.count)
                return .text(joined)
            }
            return try compute(left, right, { $0.addingReportingOverflow($1) }, +)
        case .subtract: return try compute(left, right, { $0.subtractingReportingOverflow($1) }, -)
        case .multiply: return try compute(left, right, { $0.multipliedReportingOverflow(by: $1) }, *)
        case .divide:
            if right.number == 0 { return .null }
            return try compute(left, right, { $0.dividedReportingOverflow(by: $1) }, /)
        case .remainder:
            if right.number == 0 { return .null }
            let decimal: (Double, Double) -> Double = { $0.truncatingRemainder(dividingBy: $1) }
            return try compute(left, right, { $0.remainderReportingOverflow(dividingBy: $1) }, decimal)
        }
    }

    /// Whole numbers stay whole; what is no number gives null.
    private func compute(
        _ left: VTLValue, _ right: VTLValue, _ whole: (Int, Int) -> (partialValue: Int, overflow: Bool),
        _ decimal: (Double, Double) -> Double
    ) throws(VTLFailure) -> VTLValue {
        if case .integer(let left) = left, case .integer(let right) = right {
            let (result, overflows) = whole(left, right)
            guard !overflows else { throw .invalid("a number past 64 bits") }
            return .integer(result)
        }
        guard let left = left.number, let right = right.number else { return .null }
        return .decimal(decimal(left, right), spelling: nil)
    }

    /// Null equals null alone; numbers are compared by value, everything else by its text.
    mutating func areEqual(_ left: VTLValue, _ right: VTLValue) throws(VTLFailure) -> Bool {
        if left.isNull || right.isNull { return left.isNull && right.isNull }
        if case .integer(let left) = left, case .integer(let right) = right { return left == right }
        if let left = left.number, let right = right.number { return left == right }
        let (left, right) = (try text(of: left), try text(of: right))
        try spend(steps: left.count / 64)
        return left == right
    }
}

extension VTLEvaluation {
    /// Java's `equals`, by which lists and maps look for what they hold: values of two kinds are never the same, `1` and `"1"` no more than
    /// `1` and `1.0`.
    mutating func areSame(_ left: VTLValue, _ right: VTLValue) throws(VTLFailure) -> Bool {
        guard left.kind == right.kind else { return false }
        return try areEqual(left, right)
    }
}

extension VTLValue {
    fileprivate enum Kind { case null, boolean, integer, decimal, text, list, map, entry }

    fileprivate var kind: Kind {
        switch self {
        case .null: .null
        case .boolean: .boolean
        case .integer: .integer
        case .decimal: .decimal
        case .text: .text
        case .json(let view): view.kind == .array ? .list : .map
        case .list: .list
        case .map: .map
        case .entry: .entry
        }
    }

    fileprivate var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .decimal(let value, _): value
        default: nil
        }
    }

    var isText: Bool {
        if case .text = self { true } else { false }
    }
}
