/// Fields that must all be met at once: a pattern is one of these, or with `$or` several, of which one suffices.
struct Conjunction: Sendable {
    struct Field: Sendable {
        let path: Int32
        /// The field's number in its pattern.
        let number: UInt8
        let conditions: FieldConditions
    }

    /// In the order of their paths' texts: the service goes through them so.
    let fields: [Field]
    /// The numbers of the fields.
    let numbers: FieldMask

    init(fields: [Field]) {
        self.fields = fields
        numbers = fields.reduce(into: FieldMask.none) { $0.insert(Int($1.number)) }
    }

    /// Whether the event has a value for every field, all outside arrays or in consistent elements.
    ///
    /// `steps` grows with what is looked at.
    func matches(_ event: EventFields, steps: inout Int) -> Bool {
        // One field alone is consistent wherever it is met.
        if fields.count == 1, !fields[0].conditions.acceptsAbsence { return fields[0].isMet(in: event, steps: &steps) }
        var isInsideArrays = false
        for field in fields {
            switch field.standing(in: event, steps: &steps) {
            case .unmet: return false
            case .met: continue
            case .inArrays: isInsideArrays = true
            }
        }
        guard isInsideArrays else { return true }
        let meetings = fields.compactMap { FieldMeeting($0, in: event, steps: &steps) }
        return meetings.areConsistent(in: event, steps: &steps)
    }

    func matches(_ event: EventFields) -> Bool {
        var steps = 0
        return matches(event, steps: &steps)
    }
}

extension Conjunction.Field {
    enum Standing { case met, unmet, inArrays }

    /// Whether some value meets the field.
    func isMet(in event: EventFields, steps: inout Int) -> Bool {
        steps += 1
        var isMet = false
        steps += event.forEach(at: path, for: conditions) { value in
            isMet = conditions.holds(value, in: event)
            return !isMet
        }
        return isMet
    }

    /// Whether the field alone is met, and whether it takes an element of an array.
    func standing(in event: EventFields, steps: inout Int) -> Standing {
        steps += 1
        guard event.last(at: path) >= 0 else { return conditions.acceptsAbsence ? .met : .unmet }
        var standing = Standing.unmet
        var isPresentOutside = false
        steps += event.forEach(at: path, for: conditions) { value in
            let isOutside = value.scope == EventFields.outermostScope
            if isOutside { isPresentOutside = true }
            if standing == .unmet || isOutside, conditions.holds(value, in: event) {
                standing = isOutside ? .met : .inArrays
            }
            return standing != .met
        }
        if standing == .unmet, conditions.acceptsAbsence, !isPresentOutside { return .inArrays }
        return standing
    }
}
