import AdminServer
import ArgumentParser
import UnixSignals

/// `crema tail FILTER`: messages as they pass.
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Show messages as they pass through the broker, until interrupted.",
        discussion: "The broker never waits for a reader: messages that a slow one misses are counted on the error output.")

    @Argument(help: "The topic filter whose messages are shown.")
    var filter = "#"

    @Option(help: "End after this many messages.")
    var count: Int?

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be 1 or more") }
    }

    func run() async throws {
        // SIGINT and SIGTERM end the stream as `--count` does: what was shown was shown.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { return }
            }
            group.addTask { try await follow() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func follow() async throws {
        do {
            try await InspectionClient.run(options) { client in
                var shown = 0
                try await client.stream("tail", query: ["filter": filter]) { line in
                    try show(line)
                    shown += 1
                    return shown == count ? .stop : .more
                }
            }
        } catch is OutputClosed {
            // The reader of the pipe has what it wanted.
        }
    }

    private func show(_ line: [UInt8]) throws {
        let output = TerminalOutput.standard
        if options.json { return try output.write(line: TerminalText.escaped(json: line)) }
        let message = try InspectionClient.decode(TailDocument.self, from: line)
        if message.skipped > 0 {
            TerminalOutput.error.writeLine("crema: \(message.skipped) messages skipped, this reader was too slow")
        }
        var payload = TerminalText.escaped(message.payload)
        if message.encoding == .base64 { payload = "base64:" + payload }
        if message.truncated { payload += " … (\(message.bytes) bytes)" }
        let flags = "qos\(message.qos)" + (message.retain ? " retain" : "")
        try output.write(
            line: "\(output.styled(TerminalText.escaped(message.topic), .cyan)) \(output.styled("[\(flags)]", .dim)) \(payload)")
    }
}
