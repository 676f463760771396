/// By what all values are found that meet one of some conditions, where an event has many of them: hashes, and ranges in an order.
struct ValueKeys: Sendable {
    /// Of exact values but for addresses, whose spellings have hashes of their own.
    let hashes: [UInt64]
    let numbers: RangeSet<UInt64>
    let addresses: RangeSet<UInt128>

    /// Nil for conditions among which are some that a value has to be looked at for.
    init?(_ conditions: [PatternCondition]) {
        var hashes: [UInt64] = []
        var numbers: [ClosedRange<UInt64>] = []
        var addresses: [ClosedRange<UInt128>] = []
        for condition in conditions {
            switch condition.plainest {
            case .exact(.address(let address)): addresses.append(address.number...address.number)
            case .exact(let value): hashes.append(value.hash)
            case .network(let block): addresses.append(block.numbers)
            case .numeric(let range): if range.bounds.low <= range.bounds.high { numbers.append(range.bounds.low...range.bounds.high) }
            case .prefix, .suffix, .ignoringCase, .prefixIgnoringCase, .suffixIgnoringCase, .wildcard, .present, .absent, .anythingBut:
                return nil
            }
        }
        self.hashes = hashes
        self.numbers = RangeSet(numbers)
        self.addresses = RangeSet(addresses)
    }

    var count: Int { hashes.count + numbers.ranges.count + addresses.ranges.count }
    var hasRanges: Bool { !numbers.isEmpty || !addresses.isEmpty }
}
