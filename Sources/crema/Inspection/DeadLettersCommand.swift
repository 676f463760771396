import AdminServer
import ArgumentParser
import NIOHTTP1

/// `crema deadletters`: deliveries that failed for good, and what becomes of them.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deadletters", abstract: "List deliveries that failed for good, deliver them again, or remove them.",
        subcommands: [DeadLettersList.self, DeadLettersRedrive.self, DeadLettersRemove.self], defaultSubcommand: DeadLettersList.self)
}

/// `crema deadletters list`, and `crema deadletters`.
struct DeadLettersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List deliveries that failed for good, the newest first.")

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
                "ID": .right, "TIME": .left, "RULE": .left, "BUS": .left, "TARGET": .left, "RETRIES": .right, "ERROR": .left,
                "MESSAGE": .left,
            ])
            for letter in list.rows {
                table.add([
                    .init(letter.id ?? ""), .init(letter.time), .init(letter.rule), .init(letter.bus ?? ""), .init(letter.target),
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

/// `crema deadletters redrive`: delivers again what failed.
struct DeadLettersRedrive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive", abstract: "Deliver again what failed, as the rules are now.",
        discussion: """
            What fails again is a new dead letter. Of a topic rule's message its topic, payload and client are kept, no properties of MQTT 5.

            Exit codes: 0 all were handed to their targets, 1 some were not.
            """)

    private struct Body: Encodable {
        var ids: [String]?
        var rule: String?
        var bus: String?
    }

    @Argument(help: ArgumentHelp("The dead letters, by their IDs in the list.", valueName: "id"))
    var ids: [String] = []

    @Option(help: "All dead letters of this rule.")
    var rule: String?

    @Option(help: "The bus of the rule, where several have one of its name.")
    var bus: String?

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        guard ids.isEmpty != (rule == nil) else { throw ValidationError("name dead letters by their IDs, or a rule with --rule") }
        if bus != nil, rule == nil { throw ValidationError("--bus goes with --rule") }
    }

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let body = rule == nil ? Body(ids: ids) : Body(rule: rule, bus: bus)
            let bytes = try await client.change(.POST, "deadletters/redrive", body: body)
            let document = try InspectionClient.decode(RedriveDocument.self, from: bytes)
            if options.json {
                try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes))
            } else {
                try TerminalOutput.standard.write(line: "\(document.redriven) delivered again")
                for failure in document.failed {
                    TerminalOutput.error.writeLine("crema: \(TerminalText.escaped(failure.id)): \(TerminalText.escaped(failure.reason))")
                }
            }
            if !document.failed.isEmpty { throw ExitCode(1) }
        }
    }
}

/// `crema deadletters remove`.
struct DeadLettersRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove a dead letter.")

    @Argument(help: "Its ID in the list.")
    var id: String

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.change(.DELETE, "deadletters/\(InspectionClient.segment(id))")
            try TerminalOutput.standard.write(line: options.json ? TerminalText.escaped(json: bytes) : "removed")
        }
    }
}
