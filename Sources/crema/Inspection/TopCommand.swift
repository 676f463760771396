import AdminServer
import ArgumentParser
import Synchronization

/// `crema top`: how the broker does, second by second.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Show how the broker does, once a second, until interrupted.",
        discussion: """
            On a terminal one screen is drawn again and again, with the slowest clients; in a pipe there is a line a second.

            Exit codes: 0 done, 27 the time of --wait is over.
            """)

    @Option(name: [.customShort("C"), .long], help: "End after the figures of this many seconds.")
    var count: Int?

    @Option(name: [.customShort("W"), .long], help: ArgumentHelp("End after this many seconds, with 27.", valueName: "seconds"))
    var wait: Int?

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be 1 or more") }
        if let wait, wait < 1 { throw ValidationError("--wait must be 1 or more") }
    }

    func run() async throws {
        let isDrawn = !options.json && TerminalOutput.standard.width != nil
        if isDrawn { try TerminalOutput.standard.write(text: TopScreen.begin) }
        // Whatever ends it, the terminal is as it was.
        defer { if isDrawn { try? TerminalOutput.standard.write(text: TopScreen.end) } }
        try await LiveReading.run(for: wait) { [self] in
            try await InspectionClient.run(options) { client in
                guard isDrawn else { return try await follow(client, nil) }
                let slowest = SlowestClients()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await slowest.watch(client) }
                    group.addTask { try await follow(client, slowest) }
                    defer { group.cancelAll() }
                    try await group.next()
                }
            }
        }
    }

    /// Shows each second's figures, on a screen where there are clients to be shown beside them.
    private func follow(_ client: InspectionClient, _ slowest: SlowestClients?) async throws {
        var shown = 0
        try await client.stream("live") { line in
            if options.json {
                try TerminalOutput.standard.write(line: TerminalText.escaped(json: line))
            } else {
                let document = try InspectionClient.decode(LiveDocument.self, from: line)
                if let slowest {
                    try TopScreen.draw(document, slowest: slowest.rows, on: .standard)
                } else {
                    try TerminalOutput.standard.write(line: TopScreen.line(document))
                }
            }
            shown += 1
            return shown == count ? .stop : .more
        }
    }
}

/// The clients that keep up least, as they were a moment ago.
final class SlowestClients: Sendable {
    private static let pause = Duration.seconds(2)
    private static let rowsMax = 20

    private let current = Mutex<[ClientDocument]>([])

    var rows: [ClientDocument] { current.withLock { $0 } }

    /// Asks again and again, until it is cancelled: all sessions are looked at for it, so not every second.
    ///
    /// What goes wrong with the broker is for the figures to tell.
    func watch(_ client: InspectionClient) async {
        let query = ["sort": "slow", "state": "connected", "limit": "\(Self.rowsMax)"]
        repeat {
            if let list = try? await client.get("clients", query: query, as: ListDocument<ClientDocument>.self) {
                current.withLock { $0 = list.rows }
            }
        } while (try? await Task.sleep(for: Self.pause)) != nil
    }
}
