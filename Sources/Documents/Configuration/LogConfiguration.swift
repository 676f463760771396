/// `log` in a configuration: how lines of the log are written, and how many.
package struct LogConfiguration: Sendable, Equatable {
    /// `auto`, `logfmt` or `json`.
    package var format = "auto"
    /// `trace` to `critical`; `nil` where nothing is said.
    package var level: String?

    static let formats = ["auto", "logfmt", "json"]
    static let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
    static let keys = ["format", "level"]

    init() {}

    init(_ section: Node) throws(DocumentError) {
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in try section.entries("log", known: Self.keys) }
        if let value = section["format"] {
            format = problems.collect { () throws(DocumentError) in try Self.text(value, "log: format", of: Self.formats) } ?? format
        }
        if let value = section["level"] {
            level = problems.collect { () throws(DocumentError) in try Self.text(value, "log: level", of: Self.levels) }
        }
        try problems.finish()
    }

    private static func text(_ value: Node, _ what: String, of known: [String]) throws(DocumentError) -> String {
        let text = try value.text(what)
        guard known.contains(text) else {
            throw DocumentError(
                "\(what) is one of \(known.joined(separator: ", ")), not `\(text)`\(suggestion(for: text, among: known))",
                at: value.location)
        }
        return text
    }
}
