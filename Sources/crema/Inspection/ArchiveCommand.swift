import AdminServer
import ArgumentParser

/// `crema archive`: what the archives keep, and the replays of it.
struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "List archives with what they keep, and replays with their state.")

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
