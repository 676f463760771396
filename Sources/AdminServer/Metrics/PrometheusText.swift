import BrokerCore

/// Builds an answer in one of Prometheus' text formats: 0.0.4, or OpenMetrics 1.0 for whoever asks for it.
///
/// Families are written whole: `HELP`, `TYPE`, then their samples, each name once.
struct PrometheusText {
    /// The two differ in how they name the family of a counter, and in the end of the text.
    enum Format: Sendable {
        case prometheus
        case openMetrics

        /// What a request's `Accept` asks for; Prometheus' own format unless it names the other one.
        init(accepted header: String?) {
            self = (header ?? "").contains("application/openmetrics-text") ? .openMetrics : .prometheus
        }

        var contentType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    enum Kind: String {
        case counter
        case gauge
        case histogram
        case summary
    }

    typealias Labels = KeyValuePairs<String, String>

    private let format: Format
    private(set) var bytes: [UInt8] = []

    init(_ format: Format) { self.format = format }

    /// Ends the text; nothing may be added behind it.
    mutating func end() {
        if format == .openMetrics { bytes += "# EOF\n".utf8 }
    }

    /// One family with a single sample without labels.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, _ value: some BinaryInteger) {
        begin(kind, name, help)
        sample(name, [:], String(value))
    }

    /// One family with a single sample that is no whole number.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, seconds: Double) {
        begin(kind, name, help)
        sample(name, [:], String(seconds))
    }

    /// One family with a sample for each value of one label.
    ///
    /// Without samples it still says that it exists.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, by label: String, _ values: [(String, some BinaryInteger)]) {
        begin(kind, name, help)
        for (value, count) in values { sample(name, [label: value], String(count)) }
    }

    /// One family whose samples have several labels each.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, _ samples: [(labels: Labels, value: UInt64)]) {
        begin(kind, name, help)
        for entry in samples { sample(name, entry.labels, String(entry.value)) }
    }

    /// One family whose samples are no whole numbers.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, seconds samples: [(labels: Labels, value: Double)]) {
        begin(kind, name, help)
        for entry in samples { sample(name, entry.labels, String(entry.value)) }
    }

    /// A histogram, whose buckets count all that took no longer than their bound.
    mutating func add(_ name: String, _ help: String, _ histogram: LatencyHistogram) {
        begin(.histogram, name, help)
        var below: UInt64 = 0
        for (index, bound) in LatencyHistogram.boundsMicroseconds.enumerated() {
            below &+= histogram.counts[index]
            sample(name + "_bucket", ["le": Self.seconds(microseconds: bound)], String(below))
        }
        sample(name + "_bucket", ["le": "+Inf"], String(histogram.count))
        sample(name + "_sum", [:], String(histogram.sumSeconds))
        sample(name + "_count", [:], String(histogram.count))
    }

    /// A summary without quantiles: how often, and how long in all.
    mutating func add(_ name: String, _ help: String, summaries: [(labels: Labels, value: LatencyHistogram)]) {
        begin(.summary, name, help)
        for entry in summaries {
            sample(name + "_sum", entry.labels, String(entry.value.sumSeconds))
            sample(name + "_count", entry.labels, String(entry.value.count))
        }
    }

    /// As a bound of a bucket: `0.0025`, `1.0`.
    private static func seconds(microseconds: Int64) -> String { String(Double(microseconds) / 1_000_000) }

    private mutating func begin(_ kind: Kind, _ name: String, _ help: String) {
        // OpenMetrics calls the family of a counter by its name without the ending.
        let family = kind == .counter && format == .openMetrics && name.hasSuffix("_total") ? String(name.dropLast(6)) : name
        bytes += "# HELP \(family) \(help)\n# TYPE \(family) \(kind.rawValue)\n".utf8
    }

    private mutating func sample(_ name: String, _ labels: Labels, _ value: String) {
        bytes += name.utf8
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            bytes += "{\(pairs.joined(separator: ","))}".utf8
        }
        bytes += " \(value)\n".utf8
    }

    /// A label's value: backslash, quotation mark and line feed are escaped, as the format says; nothing else is.
    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += #"\\"#
            case "\"": result += #"\""#
            case "\n": result += #"\n"#
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
