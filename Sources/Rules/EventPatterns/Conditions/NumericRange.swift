/// The numbers that `numeric` names: doubles between two bounds.
struct NumericRange: Sendable, Equatable {
    /// In the order of ``NumberKey/ordered(_:)``.
    let bounds: IntervalBounds<UInt64>
    /// As the pattern has it, for people: `[">",0,"<=",5]`.
    let spelling: String

    static let least = NumberKey.ordered(-Double.greatestFiniteMagnitude)
    static let greatest = NumberKey.ordered(.greatestFiniteMagnitude)

    /// A range whose bounds, nil for none, may themselves be left out of it.
    init(bottom: (value: UInt64, isOpen: Bool)?, top: (value: UInt64, isOpen: Bool)?, spelling: String) {
        // Next to each double lies the next integer, so an open end is the closed one beside it.
        let low = bottom.map { $0.isOpen ? $0.value + 1 : $0.value } ?? Self.least
        let high = top.map { $0.isOpen ? $0.value - 1 : $0.value } ?? Self.greatest
        bounds = IntervalBounds(low: low, high: high)
        self.spelling = spelling
    }
}
