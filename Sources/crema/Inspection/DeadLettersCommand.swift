import AdminServer
import ArgumentParser

/// `crema deadletters`: deliveries that failed for good.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deadletters", abstract: "List deliveries that failed for good, the newest first.")

    @Option(help: "At most this many deliveries.")
    var limit = 100

    @Flag(help: "Write each delivery's event below it.")
    var events = false

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("deadletters", query: ["limit": "\(limit)"])
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let list = try InspectionClient.decode(ListDocument<DeadLetterDocument>.self, from: bytes)
            var table = Table([
                "TIME": .left, "RULE": .left, "BUS": .left, "TARGET": .left, "RETRIES": .right, "ERROR": .left, "MESSAGE": .left,
            ])
            for letter in list.rows {
                table.add([
                    .init(letter.time), .init(letter.rule), .init(letter.bus ?? ""), .init(letter.target),
                    .init(letter.retries ?? 0), .init(letter.errorCode, style: .red), .init(letter.errorMessage),
                ])
            }
            let lines = table.lines(styled: TerminalOutput.standard.styled)
            for (index, line) in lines.enumerated() {
                try TerminalOutput.standard.write(line: line)
                if events, index > 0 { try TerminalOutput.standard.write(line: "  " + TerminalText.escaped(list.rows[index - 1].event)) }
            }
            if list.more { TerminalOutput.error.writeLine("crema: there are more dead letters; raise --limit") }
        }
    }
}
