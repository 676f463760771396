import AdminServer
import ArgumentParser
import NIOHTTP1

/// `crema archive`: what the archives keep, and the replays of it.
struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "List archives and replays, replay events, or cancel a replay.",
        subcommands: [ArchiveList.self, ArchiveReplay.self, ArchiveCancel.self], defaultSubcommand: ArchiveList.self)
}

/// `crema archive list`, and `crema archive`.
struct ArchiveList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List archives with what they keep, and replays with their state.")

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("archives")
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let document = try InspectionClient.decode(ArchivesDocument.self, from: bytes)
            var table = Table([
                "ARCHIVE": .left, "BUS": .left, "EVENTS": .right, "BYTES": .right, "DAYS": .right, "PATTERN": .left, "DEFINED AT": .left,
            ])
            for archive in document.archives {
                table.add([
                    .init(archive.name), .init(archive.bus), .init(archive.events), .init(archive.bytes),
                    .init(archive.retentionDays == 0 ? "" : "\(archive.retentionDays)"), .init(archive.pattern ?? ""),
                    .init(archive.left ? "\(archive.location), not any more" : archive.location, style: archive.left ? .dim : nil),
                ])
            }
            try table.write(to: .standard)
            guard !document.replays.isEmpty else { return }
            try TerminalOutput.standard.write(line: "")
            try Self.table(of: document.replays).write(to: .standard)
        }
    }

    private static func table(of replays: [ArchivesDocument.Replay]) -> Table {
        var table = Table([
            "REPLAY": .left, "ARCHIVE": .left, "STATE": .left, "FROM": .left, "TO": .left, "REPLAYED TO": .left, "STARTED": .left,
            "ENDED": .left,
        ])
        for replay in replays {
            table.add([
                .init(replay.name), .init(replay.archive), .init(replay.state.lowercased()), .init(replay.from), .init(replay.to),
                .init(replay.lastReplayed ?? ""), .init(replay.started), .init(replay.ended ?? ""),
            ])
        }
        return table
    }
}

/// `crema archive replay`: puts archived events on their bus once more.
struct ArchiveReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Put the archived events of a range of time on their bus once more.",
        discussion: "Rules see them with `replay-name`. Times are UTC, like 2026-01-31T08:30:00Z, of the events' own times.")

    private struct Body: Encodable {
        var from: String
        var to: String
        var name: String?
        var rules: [String]?
    }

    @Argument(help: "The archive's name.")
    var archive: String

    @Option(help: "The time of the first event.")
    var from: String

    @Option(help: "A time behind the last event.")
    var to: String

    @Option(help: "The replay's name; made up when absent.")
    var name: String?

    @Option(name: .customLong("rule"), help: "A rule that gets the events, and no other; may be repeated.")
    var rules: [String] = []

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let body = Body(from: from, to: to, name: name, rules: rules.isEmpty ? nil : rules)
            let bytes = try await client.change(.POST, "archives/\(InspectionClient.segment(archive))/replay", body: body)
            let replay = try InspectionClient.decode(ArchivesDocument.Replay.self, from: bytes)
            let text = "\(replay.name): \(replay.state.lowercased())"
            try TerminalOutput.standard.write(
                line: options.json ? TerminalText.escaped(json: bytes) : TerminalText.escaped(text))
        }
    }
}

/// `crema archive cancel`.
struct ArchiveCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Cancel a replay.")

    @Argument(help: "The replay's name.")
    var replay: String

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.change(.DELETE, "replays/\(InspectionClient.segment(replay))")
            let replay = try InspectionClient.decode(ArchivesDocument.Replay.self, from: bytes)
            let text = "\(replay.name): \(replay.state.lowercased())"
            try TerminalOutput.standard.write(
                line: options.json ? TerminalText.escaped(json: bytes) : TerminalText.escaped(text))
        }
    }
}
