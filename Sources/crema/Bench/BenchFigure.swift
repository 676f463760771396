import LoadGenerator

/// A figure that is compared between rounds and brokers.
struct BenchFigure {
    var key: String
    var name: String
    var value: (RunFigures) -> Double?
    var format: (Double) -> String

    /// The figures that a mode has, the one of its Markdown row first.
    static func all(of results: BenchResults) -> [BenchFigure] {
        let unit = results.unit
        let rates = [
            perBrokerCPUSecond(unit: unit),
            BenchFigure(key: "perSecond", name: "\(unit)/s", value: \.perSecond, format: grouped),
        ]
        let latencies = [
            BenchFigure(key: "latencyP50Microseconds", name: "latency p50", value: \.latency?.p50, format: duration),
            BenchFigure(key: "latencyP99Microseconds", name: "latency p99", value: \.latency?.p99, format: duration),
        ]
        switch results.parameters.mode {
        case .p2p, .fanin, .fanout, .rules, .connect: return rates + latencies
        case .durable: return rates + durable + latencies
        case .idle: return idle + rates + (results.parameters.drops ? drop : []) + latencies
        }
    }

    /// The figures of a Markdown row by their keys: the mode's first unless told; refuses what the mode does not have by name.
    static func row(of results: BenchResults, keys: [String]) throws(LoadError) -> [BenchFigure] {
        let all = all(of: results)
        guard !keys.isEmpty else { return Array(all.prefix(1)) }
        var chosen: [BenchFigure] = []
        for key in keys {
            guard let figure = all.first(where: { $0.key == key }) else {
                throw .parameters("--row-figure \(key) is not one of \(all.map(\.key).joined(separator: ", "))")
            }
            chosen.append(figure)
        }
        return chosen
    }

    private static func perBrokerCPUSecond(unit: String) -> BenchFigure {
        BenchFigure(key: "perBrokerCPUSecond", name: "\(unit) per broker CPU second", value: \.perBrokerCPUSecond, format: grouped)
    }

    private static var durable: [BenchFigure] {
        [
            BenchFigure(
                key: "acknowledgementP50Microseconds", name: "acknowledged p50", value: \.acknowledgementLatency?.p50, format: duration),
            BenchFigure(
                key: "acknowledgementP99Microseconds", name: "acknowledged p99", value: \.acknowledgementLatency?.p99, format: duration),
            BenchFigure(
                key: "awayPerSecond", name: "acknowledgements/s, subscribers away", value: \.absence?.acknowledgedPerSecond, format: grouped
            ),
            BenchFigure(key: "returnPerSecond", name: "deliveries/s on return", value: \.absence?.deliveredPerSecond, format: grouped),
        ]
    }

    private static var idle: [BenchFigure] {
        [
            BenchFigure(
                key: "residentBytesPerConnection", name: "resident bytes per connection", value: \.idle?.residentBytesPerConnection,
                format: grouped)
        ]
    }

    private static var drop: [BenchFigure] {
        [
            BenchFigure(key: "backSeconds", name: "all back after", value: \.idle?.drop?.seconds) { "\(decimals($0, 2)) s" },
            BenchFigure(
                key: "backPerBrokerCPUSecond", name: "connections back per broker CPU second",
                value: { figures in
                    guard let idle = figures.idle, let seconds = idle.drop?.brokerCPUSeconds, seconds > 0 else { return nil }
                    return Double(idle.connections) / seconds
                }, format: grouped),
            BenchFigure(
                key: "bystandersP99Microseconds", name: "bystanders' p99 meanwhile", value: \.idle?.drop?.bystandersMeanwhile?.p99,
                format: duration),
        ]
    }
}
