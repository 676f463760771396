/// Conditions of which any suffices.
///
/// A short list is gone through; of a long one exact values are found by their hash, and what is of other kinds in tables.
struct ConditionList: Sendable {
    /// Up to here conditions are tried one by one.
    private static let listedMax = 8

    private let exact: ValueSet
    /// Those that a string, a number, or anything else may meet.
    private let ofStrings: [PatternCondition]
    private let ofNumbers: [PatternCondition]
    private let ofOthers: [PatternCondition]
    private let tables: ConditionTables?

    init(_ conditions: [PatternCondition]) {
        let plain = conditions.map(\.plainest)
        exact = ValueSet(plain)
        let others = plain.filter {
            switch $0 {
            case .exact, .absent: false
            default: true
            }
        }
        tables = others.count > Self.listedMax ? ConditionTables(others) : nil
        let listed = tables == nil ? others : []
        ofStrings = listed.filter { $0.kinds != .numbers }
        ofNumbers = listed.filter { $0.kinds != .strings }
        ofOthers = listed.filter { $0.kinds == .all }
    }

    func holds(_ value: EventFields.Value, in fields: EventFields) -> Bool {
        if exact.contains(value, in: fields) { return true }
        switch value.kind {
        case .string: if ofStrings.contains(where: { $0.holds(value, in: fields) }) { return true }
        case .number: if ofNumbers.contains(where: { $0.holds(value, in: fields) }) { return true }
        case .spelling, .true, .false, .null: if ofOthers.contains(where: { $0.holds(value, in: fields) }) { return true }
        }
        return tables?.holds(value, in: fields) ?? false
    }
}

/// What `anything-but` leaves out: any scalar that meets none of these, of whatever type.
///
/// A class, for conditions are copied as they are looked at.
final class Exclusion: Sendable, Equatable {
    let values: [PatternCondition]
    private let excluded: ConditionList

    init(_ values: [PatternCondition]) {
        self.values = values
        excluded = ConditionList(values)
    }

    func holds(_ value: EventFields.Value, in fields: EventFields) -> Bool { !excluded.holds(value, in: fields) }

    static func == (left: Exclusion, right: Exclusion) -> Bool { left.values == right.values }
}

/// Everything that one field of a pattern may be: any of its conditions suffices.
final class FieldConditions: Sendable {
    /// As the pattern lists them.
    ///
    /// Never empty.
    let all: [PatternCondition]
    /// Whether the field may also be missing.
    let acceptsAbsence: Bool
    /// By what all values are found that the field may be; nil where a value has to be looked at.
    let keys: ValueKeys?
    private let accepted: ConditionList

    init(_ conditions: [PatternCondition]) {
        all = conditions
        acceptsAbsence = conditions.contains(.absent)
        accepted = ConditionList(conditions)
        keys = ValueKeys(conditions)
    }

    func holds(_ value: EventFields.Value, in fields: EventFields) -> Bool { accepted.holds(value, in: fields) }
}
