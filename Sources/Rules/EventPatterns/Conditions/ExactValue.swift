/// A scalar that an exact match compares with.
enum ExactValue: Hashable, Sendable {
    case string([UInt8])
    /// An IPv4 or IPv6 literal equals its other spellings.
    case address(IPAddress)
    /// A number that the service can compare, in the order of ``NumberKey/ordered(_:)``.
    case number(UInt64)
    /// A number that it cannot compare equals only the same text.
    case spelling([UInt8])
    case `true`, `false`, null

    /// Nil for objects and arrays.
    init?(_ value: JSONView) {
        switch value.kind {
        case .object, .array: return nil
        case .true: self = .true
        case .false: self = .false
        case .null: self = .null
        case .string: self.init(string: value.tape.string(value.index))
        case .number: self.init(number: value.tape.spelling(value.index))
        }
    }

    init(string: ArraySlice<UInt8>) {
        if let address = AddressKey.address(string) {
            self = .address(address)
        } else {
            self = .string(Array(string))
        }
    }

    init(number text: ArraySlice<UInt8>) {
        if let number = NumberKey.comparable(text) {
            self = .number(NumberKey.ordered(number))
        } else {
            self = .spelling(Array(text))
        }
    }

    func equals(_ value: EventFields.Value, in fields: EventFields) -> Bool {
        switch (self, value.kind) {
        case (.string(let string), .string): string.count == value.length && fields.text(value).elementsEqual(string)
        case (.address(let address), .string): AddressKey.address(fields.text(value)) == address
        case (.number(let bits), .number): bits == value.bits
        case (.spelling(let text), .spelling): text.count == value.length && fields.text(value).elementsEqual(text)
        case (.true, .true), (.false, .false), (.null, .null): true
        default: false
        }
    }

    /// Where the value stands in tables; addresses have a table of their own.
    var hash: UInt64 {
        switch self {
        case .string(let string): ByteHash.hash(string, seed: EventFields.Kind.string.seed)
        case .address(let address): ByteHash.mix(address.hash, EventFields.Kind.string.seed)
        case .number(let bits): ByteHash.mix(bits, EventFields.Kind.number.seed)
        case .spelling(let text): ByteHash.hash(text, seed: EventFields.Kind.spelling.seed)
        case .true: EventFields.Kind.true.seed
        case .false: EventFields.Kind.false.seed
        case .null: EventFields.Kind.null.seed
        }
    }
}

/// Exact values among the conditions of a field, found by their hash where they are many.
struct ValueSet: Sendable {
    /// Up to here they are compared one by one.
    private static let listedMax = 8

    private let numbers: [UInt64]
    private let others: [ExactValue]
    private let byHash: [UInt64: [ExactValue]]
    private let hasAddresses: Bool

    init(_ conditions: [PatternCondition]) {
        let values = conditions.compactMap { if case .exact(let value) = $0 { value } else { nil } }
        hasAddresses = values.contains { if case .address = $0 { true } else { false } }
        let listed = values.count <= Self.listedMax ? values : []
        numbers = listed.compactMap { if case .number(let bits) = $0 { bits } else { nil } }
        others = listed.filter { if case .number = $0 { false } else { true } }
        byHash = listed.isEmpty ? Dictionary(grouping: values, by: \.hash) : [:]
    }

    func contains(_ value: EventFields.Value, in fields: EventFields) -> Bool {
        if byHash.isEmpty {
            return value.kind == .number ? numbers.contains(value.bits) : others.contains { $0.equals(value, in: fields) }
        }
        if let found = byHash[fields.hash(value)], found.contains(where: { $0.equals(value, in: fields) }) { return true }
        guard hasAddresses, value.kind == .string, let address = AddressKey.address(fields.text(value)) else { return false }
        return byHash[ExactValue.address(address).hash]?.contains(.address(address)) ?? false
    }
}
