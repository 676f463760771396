import LoadGenerator
import MQTTCodec

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

    /// One row: the name, the first broker's median, then each further one's median and the ratio to it with its spread; several figures
    /// with slashes between them.
    func markdownRow(named name: String, figures: [BenchFigure]) -> String {
        var cells = [name, medians(figures, broker: 0)]
        for broker in results.rounds.indices.dropFirst() {
            let ratios = figures.map { figure in
                guard results.isClean(broker: 0), results.isClean(broker: broker) else { return "–" }
                return results.ratio(figure.value, to: broker).map {
                    "\(decimals($0.median, 2)) × (\(decimals($0.minimum, 2))–\(decimals($0.maximum, 2)))"
                } ?? "–"
            }
            cells += [medians(figures, broker: broker), ratios.joined(separator: " / ")]
        }
        return "| \(cells.joined(separator: " | ")) |"
    }

    private func medians(_ figures: [BenchFigure], broker: Int) -> String {
        figures.map { figure in results.spread(figure.value, broker: broker).map { figure.format($0.median) } ?? "–" }.joined(
            separator: " / ")
    }

    private var title: String {
        let parameters = results.parameters
        let transport = transportWords(parameters)
        let mode = parameters.mode.rawValue
        switch parameters.mode {
        case .connect: return "\(mode), \(parameters.concurrency) at once\(transport)"
        case .idle:
            let drop = parameters.drops ? ", all lost at once" : ""
            return "\(mode), \(grouped(Double(parameters.connections))) connections, \(parameters.concurrency) at once\(drop)\(transport)"
        case .p2p, .fanin, .fanout, .rules, .durable:
            let pace =
                parameters.rate.map { "open loop, \(decimals($0, 0)) messages/s" } ?? "\(parameters.inflight) outstanding per publisher"
            return "\(mode), QoS \(parameters.qos.rawValue), \(parameters.payloadBytes) B, "
                + "\(parameters.publishers) to \(parameters.subscribers), \(pace)\(transport)"
        }
    }

    private func transportWords(_ parameters: LoadParameters) -> String {
        var words = parameters.version == .v5 ? ", MQTT 5" : ""
        if parameters.webSocketPath != nil { words += ", WebSocket" }
        if let tls = parameters.tls {
            words += ", TLS\(tls.version.map { " \($0.rawValue)" } ?? "")\(tls.certificateFile == nil ? "" : " mutual")"
            if parameters.resumes { words += " resumed" }
        }
        return words
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
        let share = figures.generatorShare.map { ", \(decimals($0 * 100, 0)) % of \(figures.threads == 1 ? "its thread" : "its threads")" }
        rows.append(("generator CPU", "\(decimals(figures.generatorCPUSeconds, 2)) s\(share ?? "")\(perOwn)"))
        if let latency = figures.latency {
            let basis = results.parameters.rate == nil ? "under full load" : "from the intended time"
            rows.append(("latency", percentiles(latency) + "  (\(basis))"))
        }
        if let latency = figures.acknowledgementLatency { rows.append(("acknowledged after", percentiles(latency))) }
        if let resumed = figures.resumed {
            rows.append(("TLS resumed", "\(grouped(Double(resumed))) of \(grouped(Double(figures.completed)))"))
        }
        rows += figures.idle.map(idleRows) ?? []
        rows += figures.absence.map(absenceRows) ?? []
        if results.parameters.mode.sendsMessages {
            let redelivered = figures.verification.redelivered
            let remark = redelivered == 0 ? "" : "; \(redelivered) repeated with DUP, as QoS 1 allows"
            rows.append(("verification", (figures.isClean ? "every message once and in order" : "FAILED") + remark))
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }
    }

    private func percentiles(_ latency: LatencySummary) -> String {
        [("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("p99.9", latency.p999), ("max", latency.max)]
            .map { "\($0.0) \(duration($0.1))" }.joined(separator: "  ")
    }

    private func idleRows(_ idle: IdleFigures) -> [(String, String)] {
        var rows = [("failed", "\(idle.failed), and \(idle.lost) ended by the broker")]
        if let bytes = idle.residentBytesPerConnection { rows.append(("memory per connection", "\(grouped(bytes)) B")) }
        guard let drop = idle.drop else { return rows }
        rows.append(("all back after", "\(decimals(drop.seconds, 2)) s, \(drop.failed) attempts failed"))
        if let seconds = drop.brokerCPUSeconds, seconds > 0 {
            rows.append(("coming back", "\(grouped(Double(idle.connections) / seconds)) connections per broker CPU second"))
        }
        if let resumed = drop.resumed {
            rows.append(("TLS resumed", "\(grouped(Double(resumed))) of \(grouped(Double(idle.connections)))"))
        }
        for (name, latency) in [("bystanders before", drop.bystandersBefore), ("bystanders meanwhile", drop.bystandersMeanwhile)] {
            if let latency { rows.append((name, percentiles(latency))) }
        }
        return rows
    }

    private func absenceRows(_ absence: AbsenceFigures) -> [(String, String)] {
        let count = grouped(Double(absence.acknowledged))
        return [
            ("subscribers away", "\(count) acknowledged, \(grouped(absence.acknowledgedPerSecond)) per second"),
            ("subscribers back", "all of them delivered after \(decimals(absence.returnSeconds, 2)) s"),
        ]
    }

    /// Each figure's least, middle and greatest value, by broker, and the ratio.
    private var compared: [String] {
        var rows = [["", "", "min", "median", "max"]]
        for figure in BenchFigure.all(of: results) {
            for (index, figures) in results.rounds.enumerated() {
                guard let spread = results.spread(figure.value, broker: index), let broker = figures.first?.broker else { continue }
                rows.append([index == 0 ? figure.name : "", "\(broker)"] + cells(spread, figure.format))
            }
            for broker in results.rounds.indices.dropFirst() {
                guard let ratio = results.ratio(figure.value, to: broker) else { continue }
                let name = results.rounds.count == 2 ? "ratio" : "ratio to \(results.rounds[broker][0].broker)"
                rows.append(["", name] + cells(ratio) { decimals($0, 2) + " ×" })
            }
        }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column < 2 ? cell + padding : padding + cell
            }.joined(separator: "  ")
        }
        let verdict = results.isClean ? "Every message once and in order, in every round." : "FAILED: see above."
        return lines + ["", !results.parameters.mode.sendsMessages && results.isClean ? "Every connection was accepted." : verdict]
    }

    private func cells(_ spread: Spread, _ format: (Double) -> String) -> [String] {
        [spread.minimum, spread.median, spread.maximum].map(format)
    }
}
