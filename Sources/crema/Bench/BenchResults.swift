import LoadGenerator

/// The figures of all rounds, by broker.
struct BenchResults {
    let parameters: LoadParameters
    /// One list per broker, in the order of the rounds.
    private(set) var rounds: [[RunFigures]]

    init(parameters: LoadParameters, brokerCount: Int) {
        self.parameters = parameters
        rounds = Array(repeating: [], count: brokerCount)
    }

    mutating func append(_ figures: RunFigures, broker: Int) { rounds[broker].append(figures) }

    var isClean: Bool { rounds.allSatisfy { $0.allSatisfy(\.isClean) } }

    /// What a run's rates count.
    var unit: String { parameters.mode == .connect ? "connections" : "deliveries" }

    /// A figure's spread for one broker; `nil` when a round lacks it.
    func spread(_ figure: (RunFigures) -> Double?, broker: Int) -> Spread? {
        let figures = rounds[broker].compactMap(figure)
        return figures.count == rounds[broker].count ? Spread(figures) : nil
    }

    /// The first broker's figure by the second's, pair by pair; `nil` without a second, or when a round lacks the figure.
    func ratio(_ figure: (RunFigures) -> Double?) -> Spread? {
        guard rounds.count == 2 else { return nil }
        let (numerators, denominators) = (rounds[0].compactMap(figure), rounds[1].compactMap(figure))
        guard numerators.count == rounds[0].count, denominators.count == rounds[1].count else { return nil }
        return Spread(ratiosOf: numerators, to: denominators)
    }

    /// What was wrong in a run, a line each: the stall, the counts, the first few messages by name.
    func complaints(_ figures: RunFigures) -> [String] {
        var lines = figures.interruption.map { ["\(figures.broker): \($0)"] } ?? []
        let report = figures.verification
        guard !report.isClean else { return lines }
        let counts = Violation.Kind.allCases.filter { report.count(of: $0) > 0 }.map { "\(report.count(of: $0)) \($0.name)" }
        lines.append("\(figures.broker): \(counts.joined(separator: ", "))")
        lines += report.examples.map { "  \($0)" }
        return lines
    }
}

extension Violation.Kind {
    /// The kind in words, after a number.
    var name: String { self == .unknownAcknowledgement ? "unknown acknowledgements" : rawValue }
}
