/// The least, the middle and the greatest of some figures: on a machine that others use too, a single figure says little.
package struct Spread: Codable, Equatable, Sendable {
    package var minimum: Double
    package var median: Double
    package var maximum: Double

    /// `nil` for no figures.
    package init?(_ figures: [Double]) {
        let sorted = figures.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        minimum = first
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        maximum = last
    }

    /// The spread of `numerators[i] / denominators[i]`.
    ///
    /// Pair by pair, because two runs that follow each other share the machine's mood and medians of all do not. A pair whose denominator
    /// is not above 0 is left out; `nil` when none is left.
    package init?(ratiosOf numerators: [Double], to denominators: [Double]) {
        self.init(zip(numerators, denominators).filter { $0.1 > 0 }.map { $0.0 / $0.1 })
    }
}
