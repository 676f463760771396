/// The conditions of a long list, all but exact values, by what a value has to look like to meet them.
///
/// A list can have more than a hundred conditions, an event many thousands of values: none is held against all of the others.
final class ConditionTables: Sendable {
    private let prefixes: AffixTable
    private let suffixes: AffixTable
    /// By the hash of the folded text; what is found is compared in full.
    private let caseless: [UInt64: [CaselessText]]
    private let caselessPrefixes: AffixTable
    private let caselessSuffixes: AffixTable
    private let usesFolding: Bool
    private let ranges: RangeSet<UInt64>
    private let networks4: RangeSet<UInt128>
    private let networks6: RangeSet<UInt128>
    /// Conditions of other kinds.
    private let others: [PatternCondition]

    init(_ conditions: [PatternCondition]) {
        var prefixes = AffixTable(isSuffix: false)
        var suffixes = AffixTable(isSuffix: true)
        var caseless: [UInt64: [CaselessText]] = [:]
        var caselessPrefixes = AffixTable(isSuffix: false)
        var caselessSuffixes = AffixTable(isSuffix: true)
        var usesFolding = false
        var ranges: [ClosedRange<UInt64>] = []
        var networks4: [ClosedRange<UInt128>] = []
        var networks6: [ClosedRange<UInt128>] = []
        var others: [PatternCondition] = []
        for condition in conditions {
            switch condition {
            case .prefix(let text): prefixes.insert(condition, under: text)
            case .suffix(let text): suffixes.insert(condition, under: text)
            case .ignoringCase(let text): caseless[FoldedText.hash(ofFolded: text.folded), default: []].append(text)
            case .prefixIgnoringCase(let text): caselessPrefixes.insert(condition, under: text.folded)
            case .suffixIgnoringCase(let text): caselessSuffixes.insert(condition, under: text.folded)
            // What comes before the first star tells wildcards apart; those that have it in common are few, as their complexity is limited.
            case .wildcard(let wildcard): prefixes.insert(condition, under: wildcard.literals[0])
            case .numeric(let range) where range.bounds.low <= range.bounds.high: ranges.append(range.bounds.low...range.bounds.high)
            case .numeric: break
            case .network(let block) where block.network.isIPv4: networks4.append(block.numbers)
            case .network(let block): networks6.append(block.numbers)
            case .exact, .present, .absent, .anythingBut: others.append(condition)
            }
            switch condition {
            case .ignoringCase, .prefixIgnoringCase, .suffixIgnoringCase: usesFolding = true
            default: break
            }
        }
        (self.prefixes, self.suffixes) = (prefixes, suffixes)
        (self.caseless, self.caselessPrefixes, self.caselessSuffixes) = (caseless, caselessPrefixes, caselessSuffixes)
        self.usesFolding = usesFolding
        self.ranges = RangeSet(ranges)
        (self.networks4, self.networks6) = (RangeSet(networks4), RangeSet(networks6))
        self.others = others
    }

    /// Whether one of the conditions holds.
    func holds(_ value: EventFields.Value, in fields: EventFields) -> Bool {
        if !others.isEmpty, others.contains(where: { $0.holds(value, in: fields) }) { return true }
        switch value.kind {
        case .number: return ranges.contains(value.bits)
        case .string: return holds(value, text: fields.text(value), in: fields)
        case .spelling, .true, .false, .null: return false
        }
    }

    private func holds(_ value: EventFields.Value, text: ArraySlice<UInt8>, in fields: EventFields) -> Bool {
        func isMet(_ condition: PatternCondition) -> Bool { condition.holds(value, in: fields) }
        if !prefixes.isEmpty, prefixes.contains(text, where: isMet) { return true }
        if !suffixes.isEmpty, suffixes.contains(text, where: isMet) { return true }
        if !networks4.isEmpty || !networks6.isEmpty, let first = text.first, AddressKey.mayBegin(first),
            let address = AddressKey.address(text), (address.isIPv4 ? networks4 : networks6).contains(address.number)
        {
            return true
        }
        guard usesFolding else { return false }
        if caselessPrefixes.isEmpty, caselessSuffixes.isEmpty, let hash = FoldedText.hash(ofASCII: text) {
            return caseless[hash]?.contains { $0.equals(text) } ?? false
        }
        let folded = FoldedText(text)
        if !caselessPrefixes.isEmpty, caselessPrefixes.contains(folded.beginning[...], where: isMet) { return true }
        if !caselessSuffixes.isEmpty, caselessSuffixes.contains(folded.ending[...], where: isMet) { return true }
        return folded.isWhole && caseless[FoldedText.hash(ofFolded: folded.beginning)]?.contains { $0.equals(text) } ?? false
    }
}

/// Ranges of numbers, found by a number inside them however many they are.
struct RangeSet<Number: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
    /// Ascending, and none touches the next.
    private(set) var ranges: [ClosedRange<Number>] = []

    var isEmpty: Bool { ranges.isEmpty }

    init(_ ranges: [ClosedRange<Number>]) {
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, range.lowerBound <= last.upperBound {
                self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    func contains(_ number: Number) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= number
    }
}
