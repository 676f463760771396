import AdminServer
import ArgumentParser

/// `crema reload`: what SIGHUP does, with an answer.
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the broker read certificates, revocation lists, users, policies and resources anew.",
        discussion: """
            All of it is taken into use, or nothing: then every mistake is named. Clients stay, but for those whose certificate or right \
            is gone.

            Exit codes: 0 reloaded, 1 nothing has changed because of a mistake, 2 usage, 3 cannot connect, 4 refused, 5 TLS.
            """)

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let (document, json) = try await client.reload()
            if options.json {
                try TerminalOutput.standard.write(line: TerminalText.escaped(json: json))
            } else {
                for line in Self.lines(document) { try TerminalOutput.standard.write(line: TerminalText.escaped(line)) }
                for problem in document.problems { TerminalOutput.error.writeLine("crema reload: \(TerminalText.escaped(problem))") }
            }
            if !document.reloaded { throw ExitCode.failure }
        }
    }

    private static func lines(_ document: ReloadDocument) -> [String] {
        guard document.reloaded else { return [] }
        return (document.changed.isEmpty ? ["nothing was changed"] : document.changed.map { "changed: \($0)" })
            + (document.connectionsClosed == 0 ? [] : ["closed, because their certificates count no more: \(document.connectionsClosed)"])
            + document.needsRestart.map { "needs a restart: \($0)" } + document.warnings.map { "warning: \($0)" }
    }
}
