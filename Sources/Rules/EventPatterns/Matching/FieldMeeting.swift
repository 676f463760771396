/// Where in the arrays of an event one field of a pattern is met, and where it has any value.
struct FieldMeeting: Sendable {
    /// The scopes in which a value meets the field.
    private(set) var met: [Int32] = []
    /// For a field that may be missing, the scopes in which there is a value.
    private(set) var present: [Int32] = []
    let mayBeMissing: Bool
    /// Whether a value outside all arrays meets the field.
    private(set) var isMetOutside = false

    /// Nil where the event has no value at the path.
    init?(_ field: Conjunction.Field, in event: EventFields, steps: inout Int) {
        guard event.last(at: field.path) >= 0 else { return nil }
        mayBeMissing = field.conditions.acceptsAbsence
        steps += event.forEach(at: field.path, for: field.conditions) { value in
            // Several values of one element say no more than one of them.
            if mayBeMissing, present.last != value.scope { present.append(value.scope) }
            if met.last != value.scope, field.conditions.holds(value, in: event) {
                met.append(value.scope)
                if value.scope == EventFields.outermostScope { isMetOutside = true }
            }
            return true
        }
    }

    /// Whether the field is met only outside all arrays, so that it goes with any element.
    var isMetOnlyOutside: Bool { isMetOutside && met.allSatisfy { $0 == EventFields.outermostScope } }
}
