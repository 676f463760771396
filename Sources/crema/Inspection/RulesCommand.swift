import AdminServer
import ArgumentParser

/// `crema rules`: the rules of a running broker, and what a rule of a configuration makes of an event.
struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "List the rules with what they did; try one with an event.",
        subcommands: [RulesListCommand.self, RulesTestCommand.self], defaultSubcommand: RulesListCommand.self)
}

/// `crema rules list`, and `crema rules` alone: the rules with what they did.
struct RulesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the rules with what they matched, delivered and failed to deliver.")

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        try await InspectionClient.run(options) { client in
            let bytes = try await client.get("rules")
            if options.json { return try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
            let rules = try InspectionClient.decode(ListDocument<RuleDocument>.self, from: bytes).rows
            var table = Table([
                "RULE": .left, "KIND": .left, "BUS": .left, "STATE": .left, "MATCHED": .right, "DELIVERED": .right, "PENDING": .right,
                "RETRIED": .right, "FAILED": .right,
                "DEFINED AT": .left,
            ])
            for rule in rules {
                table.add([
                    .init(rule.name), .init(rule.kind), .init(rule.bus ?? ""), .init(rule.enabled ? "enabled" : "disabled"),
                    .init(rule.matched), .init(rule.delivered), .init(rule.pending ?? 0), .init(rule.retried ?? 0),
                    .init(rule.failed, style: rule.failed > 0 ? .red : nil),
                    .init(rule.location),
                ])
            }
            try table.write(to: .standard)
            for rule in rules {
                guard let error = rule.lastError else { continue }
                let line = "\(TerminalText.escaped(rule.name)): last failure: \(TerminalText.escaped(error))"
                try TerminalOutput.standard.write(line: TerminalOutput.standard.styled(line, .red))
            }
        }
    }
}
