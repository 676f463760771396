/// Fields that must all be met at once: a pattern is one of these, or with `$or` several, of which one suffices.
struct Conjunction: Sendable {
    struct Field: Sendable {
        let path: Int32
        let conditions: FieldConditions
    }

    /// In the order of their paths' texts: the service goes through them so.
    let fields: [Field]

    /// Whether the event has a value for every field, all outside arrays or in consistent elements.
    func matches(_ event: EventFields) -> Bool {
        var isInsideArrays = false
        for field in fields {
            switch Self.standing(of: field, in: event) {
            case .unmet: return false
            case .met: continue
            case .inArrays: isInsideArrays = true
            }
        }
        guard isInsideArrays else { return true }
        return ArrayConsistency(fields, in: event).holds()
    }

    private enum Standing { case met, unmet, inArrays }

    private static func standing(of field: Field, in event: EventFields) -> Standing {
        let last = event.last(at: field.path)
        guard last >= 0 else { return field.conditions.acceptsAbsence ? .met : .unmet }
        var next = last
        var standing = Standing.unmet
        var isPresentOutside = false
        while next >= 0 {
            let value = event.values[Int(next)]
            let isOutside = value.scope == EventFields.outermostScope
            if isOutside { isPresentOutside = true }
            if standing == .unmet || isOutside, field.conditions.holds(value, in: event) {
                if isOutside { return .met }
                standing = .inArrays
            }
            next = value.previous
        }
        if standing == .unmet, field.conditions.acceptsAbsence, !isPresentOutside { return .inArrays }
        return standing
    }
}
