/// Builds an answer in Prometheus' text format 0.0.4.
///
/// Families are written whole: `HELP`, `TYPE`, then their samples, each name once.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String {
        case counter
        case gauge
    }

    private(set) var bytes: [UInt8] = []

    /// One family with a single sample without labels.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, _ value: some BinaryInteger) {
        begin(kind, name, help)
        sample(name, [:], String(value))
    }

    /// One family with a single sample that counts seconds.
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
    mutating func add(_ kind: Kind, _ name: String, _ help: String, _ samples: [(labels: KeyValuePairs<String, String>, value: UInt64)]) {
        begin(kind, name, help)
        for entry in samples { sample(name, entry.labels, String(entry.value)) }
    }

    private mutating func begin(_ kind: Kind, _ name: String, _ help: String) {
        bytes += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n".utf8
    }

    private mutating func sample(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: String) {
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
