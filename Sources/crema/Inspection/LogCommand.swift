import AdminServer
import ArgumentParser
import NIOHTTP1

/// `crema log`: the broker's log while it is written, and how much is written.
struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Follow a running broker's log; log more or less for a while.",
        subcommands: [LogFollowCommand.self, LogLevelCommand.self], defaultSubcommand: LogFollowCommand.self)
}

/// `crema log follow`, and `crema log` alone.
struct LogFollowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow", abstract: "Show the last lines of the log and those to come, until interrupted.",
        discussion: "Exit codes: 0 done, 27 the time of --wait is over.")

    @Option(help: "Only lines from this level on: \(LogLevelDocument.names.joined(separator: ", ")).")
    var level: LogLevelName?

    @Option(name: [.customShort("C"), .long], help: "End after this many lines.")
    var count: Int?

    @Option(name: [.customShort("W"), .long], help: ArgumentHelp("End after this many seconds, with 27.", valueName: "seconds"))
    var wait: Int?

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be 1 or more") }
        if let wait, wait < 1 { throw ValidationError("--wait must be 1 or more") }
    }

    func run() async throws {
        try await LiveReading.run(for: wait) { [self] in
            try await InspectionClient.run(options) { client in
                var shown = 0
                try await client.stream("log", query: level.map { ["level": $0.text] } ?? [:]) { line in
                    try show(line)
                    shown += 1
                    return shown == count ? .stop : .more
                }
            }
        }
    }

    private func show(_ bytes: [UInt8]) throws {
        let output = TerminalOutput.standard
        if options.json { return try output.write(line: TerminalText.escaped(json: bytes)) }
        let line = try InspectionClient.decode(LogDocument.self, from: bytes)
        if line.skipped > 0 { TerminalOutput.error.writeLine("crema: \(line.skipped) lines skipped, this reader was too slow") }
        let isBad = ["warning", "error", "critical"].contains(line.level)
        let facts = line.metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\(FactText.of($0.value))" }
        let level = isBad ? output.styled(TerminalText.escaped(line.level), .red) : TerminalText.escaped(line.level)
        try output.write(
            line: TerminalText.escaped(line.time) + " " + level + " "
                + TerminalText.escaped(([line.logger + ":", line.message] + facts).joined(separator: " ")))
    }
}

/// A level of the log on the command line.
struct LogLevelName: ExpressibleByArgument {
    let text: String

    init?(argument: String) {
        guard LogLevelDocument.names.contains(argument) else { return nil }
        text = argument
    }

    static var allValueStrings: [String] { LogLevelDocument.names }
}

/// `crema log level [LEVEL]`: how much is logged.
struct LogLevelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "level", abstract: "Tell how much is logged, or log more or less for a while.",
        discussion: "When the time is over, the configuration's level holds again.")

    @Argument(help: "\(LogLevelDocument.names.joined(separator: ", ")); without one the level in force is told.")
    var level: LogLevelName?

    @Option(name: .customLong("for"), help: ArgumentHelp("How long: 90s, 10m, 1h.", valueName: "span"))
    var span = TimeSpan(seconds: 600)

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes =
                if let level {
                    try await client.change(.PUT, "log/level", body: LogLevelChange(level: level.text, seconds: span.seconds))
                } else {
                    try await client.get("log/level")
                }
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let document = try InspectionClient.decode(LogLevelDocument.self, from: bytes)
            let rest = document.revertsInSeconds.map { " for \(DurationText.short(seconds: $0)), then \(document.configured)" } ?? ""
            try TerminalOutput.standard.write(line: TerminalText.escaped(document.level + rest))
        }
    }
}
