import LoadGenerator
import MQTTCodec

/// A figure that is compared between rounds and brokers.
struct BenchFigure {
    var key: String
    var name: String
    var value: (RunFigures) -> Double?
    var format: (Double) -> String

    static func all(unit: String) -> [BenchFigure] {
        [
            perBrokerCPUSecond(unit: unit),
            BenchFigure(key: "perSecond", name: "\(unit)/s", value: \.perSecond, format: grouped),
            BenchFigure(key: "latencyP50Microseconds", name: "latency p50", value: \.latency?.p50, format: duration),
            BenchFigure(key: "latencyP99Microseconds", name: "latency p99", value: \.latency?.p99, format: duration),
        ]
    }

    static func perBrokerCPUSecond(unit: String) -> BenchFigure {
        BenchFigure(key: "perBrokerCPUSecond", name: "\(unit) per broker CPU second", value: \.perBrokerCPUSecond, format: grouped)
    }
}

/// The results as people read them.
struct BenchTable {
    private let results: BenchResults

    init(_ results: BenchResults) {
        self.results = results
    }

    var text: String {
        let isSingle = results.rounds.count == 1 && results.rounds[0].count == 1
        return ([title, ""] + (isSingle ? single(results.rounds[0][0]) : compared)).joined(separator: "\n")
    }

    /// One row: the name, both brokers' medians per broker CPU second, the ratio with its spread.
    func markdownRow(named name: String) -> String {
        let figure = BenchFigure.perBrokerCPUSecond(unit: results.unit)
        let medians = [0, 1].map { results.spread(figure.value, broker: $0).map { grouped($0.median) } ?? "–" }
        let ratio = results.ratio(figure.value).map {
            "\(decimals($0.median, 2)) × (\(decimals($0.minimum, 2))–\(decimals($0.maximum, 2)))"
        }
        let remark = results.isClean ? "" : " **failed**"
        return "| \(name)\(remark) | \(medians[0]) | \(medians[1]) | \(ratio ?? "–") |"
    }

    private var title: String {
        let parameters = results.parameters
        let tls =
            parameters.tls.map { ", TLS\($0.version.map { " \($0.rawValue)" } ?? "")\($0.certificateFile == nil ? "" : " mutual")" } ?? ""
        guard parameters.mode != .connect else { return "connect, \(parameters.concurrency) at once\(tls)" }
        let pace = parameters.rate.map { "open loop, \(decimals($0, 0)) messages/s" } ?? "\(parameters.inflight) outstanding per publisher"
        return "\(parameters.mode.rawValue), QoS \(parameters.qos.rawValue), \(parameters.payloadBytes) B, "
            + "\(parameters.publishers) to \(parameters.subscribers), \(pace)\(tls)"
    }

    private func single(_ figures: RunFigures) -> [String] {
        var rows = [("broker", figures.broker.description)]
        rows.append((results.unit, "\(grouped(Double(figures.completed))) in \(decimals(figures.seconds, 2)) s"))
        rows.append(("rate", "\(grouped(figures.perSecond)) \(results.unit)/s"))
        if let seconds = figures.brokerCPUSeconds {
            rows.append(("broker CPU", "\(decimals(seconds, 2)) s"))
            rows.append(
                ("per broker CPU second", figures.perBrokerCPUSecond.map { "\(grouped($0)) \(results.unit)" } ?? "too short to tell"))
        }
        if let before = figures.brokerResidentBytesBefore, let after = figures.brokerResidentBytesAfter {
            rows.append(("broker memory", "\(megabytes(before)) before, \(megabytes(after)) after"))
        }
        let perOwn = figures.perGeneratorCPUSecond.map { ", \(grouped($0)) \(results.unit) per CPU second" } ?? ""
        rows.append(("generator CPU", "\(decimals(figures.generatorCPUSeconds, 2)) s\(perOwn)"))
        if let latency = figures.latency {
            let values = [("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("p99.9", latency.p999), ("max", latency.max)]
            let basis = results.parameters.rate == nil ? "under full load" : "from the intended time"
            rows.append(("latency", values.map { "\($0.0) \(duration($0.1))" }.joined(separator: "  ") + "  (\(basis))"))
        }
        if results.parameters.mode != .connect {
            let redelivered = figures.verification.redelivered
            let remark = redelivered == 0 ? "" : "; \(redelivered) repeated with DUP, as QoS 1 allows"
            rows.append(("verification", (figures.isClean ? "every message once and in order" : "FAILED") + remark))
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }
    }

    /// Each figure's least, middle and greatest value, by broker, and the ratio.
    private var compared: [String] {
        var rows = [["", "", "min", "median", "max"]]
        for figure in BenchFigure.all(unit: results.unit) {
            for (index, figures) in results.rounds.enumerated() {
                guard let spread = results.spread(figure.value, broker: index), let broker = figures.first?.broker else { continue }
                rows.append([index == 0 ? figure.name : "", "\(broker)"] + cells(spread, figure.format))
            }
            if let ratio = results.ratio(figure.value) { rows.append(["", "ratio"] + cells(ratio) { decimals($0, 2) + " ×" }) }
        }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column < 2 ? cell + padding : padding + cell
            }.joined(separator: "  ")
        }
        let verdict = results.isClean ? "Every message once and in order, in every round." : "FAILED: see above."
        return lines + ["", results.parameters.mode == .connect && results.isClean ? "Every connection was accepted." : verdict]
    }

    private func cells(_ spread: Spread, _ format: (Double) -> String) -> [String] {
        [spread.minimum, spread.median, spread.maximum].map(format)
    }
}
