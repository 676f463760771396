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

    /// Which values may meet a condition.
    enum Kinds { case strings, numbers, all }

    var kinds: Kinds {
        switch self {
        case .prefix, .suffix, .ignoringCase, .prefixIgnoringCase, .suffixIgnoringCase, .wildcard, .network: .strings
        case .numeric: .numbers
        case .exact, .present, .absent, .anythingBut: .all
        }
    }

    /// The same condition without a wildcard where none is needed.
    var plainest: PatternCondition {
        guard case .wildcard(let wildcard) = self else { return self }
        switch wildcard.literals.count {
        case 1: return .exact(.string(wildcard.literals[0]))
        case 2 where wildcard.literals[1].isEmpty: return .prefix(wildcard.literals[0])
        case 2 where wildcard.literals[0].isEmpty: return .suffix(wildcard.literals[1])
        default: return self
        }
    }
}
