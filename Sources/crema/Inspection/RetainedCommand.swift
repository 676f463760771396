import AdminServer
import ArgumentParser
import Glibc
import NIOHTTP1

/// `crema retained`: the retained messages, and removing them.
struct RetainedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retained", abstract: "List retained messages; remove those that match a filter.",
        subcommands: [RetainedListCommand.self, RetainedRemoveCommand.self], defaultSubcommand: RetainedListCommand.self)
}

/// `crema retained list`, and `crema retained` alone.
struct RetainedListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List retained messages.")

    @Argument(help: "Only topics that match this filter.")
    var filter = "#"

    @Option(help: ArgumentHelp("Only those that were retained so long ago, at least: 90s, 30m, 1h, 7d.", valueName: "span"))
    var olderThan: TimeSpan?

    @Option(help: "At most this many messages.")
    var limit = 1_000

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        var query = ["filter": filter, "limit": "\(limit)"]
        query["olderThanSeconds"] = olderThan.map { "\($0.seconds)" }
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("retained", query: query)
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let list = try InspectionClient.decode(ListDocument<RetainedDocument>.self, from: bytes)
            var table = Table([
                "TOPIC": .left, "BYTES": .right, "QOS": .right, "AGE": .right, "EXPIRES IN": .right, "PUBLISHER": .left, "PAYLOAD": .left,
            ])
            for row in list.rows {
                table.add([
                    .init(row.topic), .init(row.bytes), .init(row.qos), .init(DurationText.short(seconds: row.ageSeconds)),
                    .init(row.expiresSeconds.map { DurationText.short(seconds: $0) } ?? ""), .init(row.publisher ?? ""),
                    .init(PayloadLine.of(row.payload, row.encoding, truncatedAt: row.truncated ? row.bytes : nil)),
                ])
            }
            try table.write(to: .standard)
            if list.more { TerminalOutput.error.writeLine("crema: there are more retained messages; raise --limit or give a filter") }
        }
    }
}

/// `crema retained remove FILTER`: removes retained messages, when somebody has said yes.
struct RetainedRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove the retained messages that match a filter.",
        discussion: """
            They go as if a client had published an empty retained message on each topic: on disk, and for subscribers, who get that message. \
            Without --yes a terminal is asked; where there is none, nothing is removed.
            """)

    @Argument(help: "The topics' filter.")
    var filter: String

    @Option(help: ArgumentHelp("Only those that were retained so long ago, at least: 90s, 30m, 1h, 7d.", valueName: "span"))
    var olderThan: TimeSpan?

    @Flag(help: "Say what would be removed, and remove nothing.")
    var preview = false

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        if preview, yes { throw ValidationError("--preview removes nothing: give it without --yes") }
    }

    func run() async throws {
        try await InspectionClient.run(options) { client in
            if !yes {
                let bytes = try await remove(client, isPreview: true)
                let found = try InspectionClient.decode(RetainedRemovalDocument.self, from: bytes)
                if options.json, preview { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
                if preview { return try show(found) }
                try confirm(found)
            }
            let bytes = try await remove(client, isPreview: false)
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let removed = try InspectionClient.decode(RetainedRemovalDocument.self, from: bytes).removed
            try TerminalOutput.standard.write(line: "removed \(removed) retained messages")
        }
    }

    private func remove(_ client: InspectionClient, isPreview: Bool) async throws -> [UInt8] {
        var query = ["filter": filter, "preview": "\(isPreview)"]
        query["olderThanSeconds"] = olderThan.map { "\($0.seconds)" }
        return try await client.change(.DELETE, "retained", query: query)
    }

    private func show(_ found: RetainedRemovalDocument) throws {
        for topic in found.topics { try TerminalOutput.standard.write(line: TerminalText.escaped(topic)) }
        let rest = found.matched - found.topics.count
        if rest > 0 { try TerminalOutput.standard.write(line: "and \(rest) more") }
        TerminalOutput.error.writeLine("crema: \(found.matched) retained messages would be removed")
    }

    /// Asks on a terminal; throws for a no, and where nobody can be asked.
    private func confirm(_ found: RetainedRemovalDocument) throws {
        guard isatty(STDIN_FILENO) == 1 else {
            throw InspectionFailure.usage(
                "\(found.matched) retained messages match, and nothing was removed: give --yes, or --preview to see them")
        }
        if found.matched == 0 { return }
        TerminalOutput.error.writeLine("Remove \(found.matched) retained messages that match \(TerminalText.escaped(filter))? [y/N]")
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw InspectionFailure.failed("nothing was removed")
        }
    }
}
