import AdminServer
import ArgumentParser

/// `crema tail FILTER`: messages as they pass.
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Show messages as they pass through the broker, until interrupted.",
        discussion: """
            The broker never waits for a reader: messages that a slow one misses are counted on the error output.

            Exit codes: 0 done, 27 the time of --wait is over.
            """)

    @Argument(help: "The topic filter whose messages are shown.")
    var filter = "#"

    @Option(name: [.customShort("C"), .long], help: "End after this many messages.")
    var count: Int?

    @Option(name: [.customShort("W"), .long], help: ArgumentHelp("End after this many seconds, with 27.", valueName: "seconds"))
    var wait: Int?

    @Option(help: ArgumentHelp("Show one of so many messages, on each event loop.", valueName: "n"))
    var every = 1

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be 1 or more") }
        if let wait, wait < 1 { throw ValidationError("--wait must be 1 or more") }
        if every < 1 { throw ValidationError("--every must be 1 or more") }
    }

    func run() async throws {
        try await LiveReading.run(for: wait) { [self] in
            try await InspectionClient.run(options) { client in
                var shown = 0
                try await client.stream("tail", query: every == 1 ? ["filter": filter] : ["filter": filter, "everyNth": "\(every)"]) {
                    line in
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
        let message = try InspectionClient.decode(TailDocument.self, from: line)
        if message.skipped > 0 {
            TerminalOutput.error.writeLine("crema: \(message.skipped) messages skipped, this reader was too slow")
        }
        let payload = PayloadLine.of(message.payload, message.encoding, truncatedAt: message.truncated ? message.bytes : nil)
        let flags = "qos\(message.qos)" + (message.retain ? " retain" : "")
        try output.write(
            line: "\(output.styled(TerminalText.escaped(message.topic), .cyan)) \(output.styled("[\(flags)]", .dim)) "
                + TerminalText.escaped(payload))
    }
}
