/// One condition on one value of a field.
enum PatternCondition: Sendable, Equatable {
    /// A string, a number, `true`, `false` or `null`.
    case exact(ExactValue)
    /// Strings that begin so; by code points, because both sides are UTF-8.
    case prefix([UInt8])
    case suffix([UInt8])
    case ignoringCase(CaselessText)
    case prefixIgnoringCase(CaselessText)
    case suffixIgnoringCase(CaselessText)
    case wildcard(Wildcard)
    case numeric(NumericRange)
    case network(AddressRange)
    /// `exists: true`: any scalar.
    case present
    /// `exists: false`: no scalar that can be combined with what was chosen so far.
    case absent
    case anythingBut(Exclusion)

    /// Whether a value meets the condition; none meets ``absent``.
    func holds(_ value: EventFields.Value, in fields: EventFields) -> Bool {
        switch self {
        case .exact(let exact): return exact.equals(value, in: fields)
        case .prefix(let prefix):
            return value.kind == .string && value.length >= prefix.count && fields.text(value).starts(with: prefix)
        case .suffix(let suffix):
            return value.kind == .string && value.length >= suffix.count && fields.text(value).suffix(suffix.count).elementsEqual(suffix)
        case .ignoringCase(let text): return value.kind == .string && text.equals(fields.text(value))
        case .prefixIgnoringCase(let text): return value.kind == .string && text.begins(fields.text(value))
        case .suffixIgnoringCase(let text): return value.kind == .string && text.ends(fields.text(value))
        case .wildcard(let wildcard): return value.kind == .string && wildcard.matches(fields.text(value))
        case .numeric(let range): return value.kind == .number && range.bounds.low <= value.bits && value.bits <= range.bounds.high
        case .network(let range): return value.kind == .string && range.contains(fields.text(value))
        case .present: return true
        case .absent: return false
        case .anythingBut(let exclusion): return exclusion.holds(value, in: fields)
        }
    }
}

/// What `anything-but` leaves out: any scalar that meets none of these, of whatever type.
struct Exclusion: Sendable, Equatable {
    let values: [PatternCondition]
    /// The exact ones among them, found at once however many they are.
    private let exact: ValueSet
    private let others: [PatternCondition]

    init(_ values: [PatternCondition]) {
        self.values = values
        exact = ValueSet(values)
        others = values.filter { if case .exact = $0 { false } else { true } }
    }

    func holds(_ value: EventFields.Value, in fields: EventFields) -> Bool {
        !exact.contains(value, in: fields) && !others.contains { $0.holds(value, in: fields) }
    }

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
    private let exact: ValueSet
    private let prefixes: AffixSet?
    private let suffixes: AffixSet?
    private let others: [PatternCondition]

    init(_ conditions: [PatternCondition]) {
        all = conditions
        acceptsAbsence = conditions.contains(.absent)
        exact = ValueSet(conditions)
        let prefixes = AffixSet(conditions.compactMap { if case .prefix(let text) = $0 { text } else { nil } }, isSuffix: false)
        let suffixes = AffixSet(conditions.compactMap { if case .suffix(let text) = $0 { text } else { nil } }, isSuffix: true)
        others = conditions.filter {
            switch $0 {
            case .exact, .absent: false
            case .prefix: prefixes == nil
            case .suffix: suffixes == nil
            default: true
            }
        }
        self.prefixes = prefixes
        self.suffixes = suffixes
    }

    func holds(_ value: EventFields.Value, in fields: EventFields) -> Bool {
        if exact.contains(value, in: fields) || others.contains(where: { $0.holds(value, in: fields) }) { return true }
        guard value.kind == .string, prefixes != nil || suffixes != nil else { return false }
        let text = fields.text(value)
        return prefixes?.contains(text) ?? false || suffixes?.contains(text) ?? false
    }
}
