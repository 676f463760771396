/// What is known of the fields of one pattern and one event, kept from one of the pattern's conjunctions to the next.
///
/// A pattern with `$or` has up to a thousand conjunctions, which have most of their fields in common.
struct AlternativeFields: Sendable {
    private var known = FieldMask.none
    private var unmet = FieldMask.none
    private var inArrays = FieldMask.none
    private var meetings: [FieldMeeting?] = []
    private var isMeetingKnown = FieldMask.none
    /// Fields that may be missing are not among these.
    private var reach = ElementReach()
    private var isMissingAllowed = FieldMask.none

    /// Another event follows.
    mutating func forgetEvent() {
        reset()
        if !reach.isEmpty { reach = ElementReach() }
    }

    /// Another pattern follows.
    mutating func reset() {
        known = .none
        unmet = .none
        inArrays = .none
        isMeetingKnown = .none
        isMissingAllowed = .none
        if !meetings.isEmpty { meetings.removeAll(keepingCapacity: true) }
        if !reach.isEmpty { reach.removeFields() }
    }

    /// Whether the event meets the conjunction, which is of the same pattern as those since ``reset()``.
    mutating func meet(_ conjunction: Conjunction, in event: EventFields, steps: inout Int) -> Bool {
        steps += 1
        guard (conjunction.numbers & unmet).isEmpty else { return false }
        if !(conjunction.numbers - known).isEmpty {
            for field in conjunction.fields where !known.contains(Int(field.number)) {
                let number = Int(field.number)
                known.insert(number)
                switch field.standing(in: event, steps: &steps) {
                case .met: break
                case .inArrays: inArrays.insert(number)
                case .unmet:
                    unmet.insert(number)
                    return false
                }
            }
        }
        guard !(conjunction.numbers & inArrays).isEmpty else { return true }
        if reach.isEmpty { reach = ElementReach(event, steps: &steps) }
        if !(conjunction.numbers - isMeetingKnown).isEmpty {
            for field in conjunction.fields { _ = meeting(of: field, in: event, steps: &steps) }
        }
        if reach.keepsApart((conjunction.numbers & inArrays) - isMissingAllowed, steps: &steps) { return false }
        let meetings = conjunction.fields.compactMap { meeting(of: $0, in: event, steps: &steps) }
        return meetings.areConsistent(in: event, steps: &steps)
    }

    private mutating func meeting(of field: Conjunction.Field, in event: EventFields, steps: inout Int) -> FieldMeeting? {
        let number = Int(field.number)
        if isMeetingKnown.contains(number) { return meetings[number] }
        while meetings.count <= number { meetings.append(nil) }
        isMeetingKnown.insert(number)
        let meeting = FieldMeeting(field, in: event, steps: &steps)
        meetings[number] = meeting
        if let meeting { reach.insert(number, meeting) }
        if field.conditions.acceptsAbsence { isMissingAllowed.insert(number) }
        return meeting
    }
}
