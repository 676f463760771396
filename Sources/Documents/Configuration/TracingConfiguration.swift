/// `tracing` in a configuration: that messages and calls keep the trace that they belong to, and where its steps are told.
package struct TracingConfiguration: Sendable, Equatable {
    /// The collector's address for OTLP over HTTP, without `/v1/traces`; `nil` where nothing is told.
    package var otlp: String?
    /// Which part of the traces is told, from 0 to 1.
    package var sample = 1.0

    static let keys = ["otlp", "sample"]

    init(_ section: Node) throws(DocumentError) {
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in try section.entries("tracing", known: Self.keys) }
        if let value = section["otlp"] {
            otlp = problems.collect { () throws(DocumentError) in try Self.url(value) }
        }
        if let value = section["sample"] {
            sample =
                problems.collect { () throws(DocumentError) in
                    let text = try value.text("tracing: sample")
                    guard let part = Double(text), (0...1).contains(part) else {
                        throw DocumentError("tracing: sample is a number from 0 to 1, not `\(text)`", at: value.location)
                    }
                    return part
                } ?? sample
        }
        try problems.finish()
    }

    private static func url(_ value: Node) throws(DocumentError) -> String {
        var text = try value.text("tracing: otlp")
        guard text.hasPrefix("http://") || text.hasPrefix("https://"), !text.contains(where: \.isWhitespace), !text.contains("@"),
            !text.contains("?"), !text.contains("#")
        else {
            throw DocumentError(
                "tracing: otlp is the address of a collector that speaks OTLP over HTTP, `http://127.0.0.1:4318` for instance, not `\(text)`",
                at: value.location)
        }
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }
}
