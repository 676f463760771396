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

    var isClean: Bool { rounds.indices.allSatisfy(isClean(broker:)) }
    func isClean(broker: Int) -> Bool { rounds[broker].allSatisfy(\.isClean) }

    /// What a run's rates count.
    var unit: String {
        switch parameters.mode {
        case .connect, .idle: "connections"
        case .durable: "acknowledgements"
        case .p2p, .fanin, .fanout, .rules: "deliveries"
        }
    }

    /// What makes figures say less than they seem to, a line each.
    var warnings: [String] {
        rounds.flatMap(\.self).filter(\.isGeneratorBottleneck).prefix(1).map { figures in
            let share = decimals((figures.generatorShare ?? 0) * 100, 0)
            let threads = figures.threads == 1 ? "its thread" : "its \(figures.threads) threads"
            return "warning: the generator used \(share) % of \(threads): the rate against \(figures.broker) is what it can do, and the "
                + "broker may do more (--threads); figures per CPU second of the broker hold"
        }
    }

    /// A figure's spread for one broker; `nil` when a round lacks it.
    func spread(_ figure: (RunFigures) -> Double?, broker: Int) -> Spread? {
        let figures = rounds[broker].compactMap(figure)
        return figures.count == rounds[broker].count ? Spread(figures) : nil
    }

    /// The first broker's figure by another's, pair by pair; `nil` when a round lacks the figure.
    func ratio(_ figure: (RunFigures) -> Double?, to broker: Int) -> Spread? {
        let (numerators, denominators) = (rounds[0].compactMap(figure), rounds[broker].compactMap(figure))
        guard numerators.count == rounds[0].count, denominators.count == rounds[broker].count else { return nil }
        return Spread(ratiosOf: numerators, to: denominators)
    }

    /// What was wrong in a run, a line each: the stall, the counts, the first few messages by name.
    func complaints(_ figures: RunFigures) -> [String] {
        var lines = figures.interruption.map { ["\(figures.broker): \($0)"] } ?? []
        if let idle = figures.idle {
            let counts = [
                (idle.failed, "attempts to connect failed"), (idle.lost, "connections were ended by the broker"),
                (idle.drop?.failed ?? 0, "attempts to come back failed"),
            ]
            lines += counts.filter { $0.0 > 0 }.map { "\(figures.broker): \($0.0) \($0.1)" }
        }
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
