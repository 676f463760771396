import AdminServer
import ArgumentParser

/// `crema trace CLIENT`: what happens between the broker and one client.
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Show one client's packets and what is decided about them, for a while.",
        discussion: """
            Also of a client that connects later. Neither passwords nor payloads are shown. The client never waits for a reader: lines beyond \
            the rate are left out, and counted.
            """)

    @Argument(help: ArgumentHelp("The client's identifier.", valueName: "client"))
    var clientID: String

    @Option(help: "When it ends.")
    var seconds = 60

    @Option(help: ArgumentHelp("Lines of a second at the most.", valueName: "lines"))
    var rate = 100

    @Option(name: [.customShort("C"), .long], help: "End after this many lines.")
    var count: Int?

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be 1 or more") }
    }

    func run() async throws {
        try await LiveReading.run(for: nil) { [self] in
            try await InspectionClient.run(options) { client in
                var shown = 0
                let query = ["seconds": "\(seconds)", "linesPerSecond": "\(rate)"]
                try await client.stream("clients/\(InspectionClient.segment(clientID))/trace", query: query, endsByItself: true) { line in
                    try show(line)
                    shown += 1
                    return shown == count ? .stop : .more
                }
            }
        }
    }

    private func show(_ line: [UInt8]) throws {
        let output = TerminalOutput.standard
        if options.json { return try output.write(line: TerminalText.escaped(json: line)) }
        let step = try InspectionClient.decode(TraceDocument.self, from: line)
        if step.skipped > 0 { TerminalOutput.error.writeLine("crema: \(step.skipped) lines left out") }
        let sign = ["in": "→", "out": "←"][step.direction] ?? "·"
        let isBad = ["denied", "refused", "dropped"].contains { step.packet.hasSuffix($0) }
        let name = isBad ? output.styled(step.packet, .red) : output.styled(step.packet, step.direction == "decision" ? .dim : .cyan)
        let facts = step.order.compactMap { name in step.detail[name].map { "\(name)=\(Self.text($0))" } }
        try output.write(line: "\(step.time.dropFirst(11)) \(sign) \(name) " + TerminalText.escaped(facts.joined(separator: " ")))
    }

    private static func text(_ fact: TraceDocument.Fact) -> String {
        switch fact {
        case .text(let text): FactText.of(text)
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "yes" : "no"
        case .list(let list): "[" + list.joined(separator: ", ") + "]"
        }
    }
}

/// A value behind its name and `=`.
enum FactText {
    /// In quotation marks where a reader could take a part of it for something else.
    static func of(_ text: String) -> String {
        text.isEmpty || text.utf8.contains { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "=") } ? "\"\(text)\"" : text
    }
}
