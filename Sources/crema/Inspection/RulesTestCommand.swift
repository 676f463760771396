import AdminServer
import ArgumentParser
import EventBus
import Foundation
import Rules

/// `crema rules test`: why a rule wants an event or does not.
///
/// Asks a running broker for its rules, or reads a configuration and its resources; delivers nothing.
struct RulesTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Say field by field why a rule matches an event, or misses it.",
        discussion: """
            EVENT is a file with the event as EventBridge delivers it, or for a topic rule the message's payload; - reads standard input.

            The rule is one that the running broker has, those that came by API among them, or with --config one of that configuration.

            Exit codes: 0 the rule matches, 1 it does not, 2 usage or configuration, 3 cannot connect, 4 refused, 5 TLS.
            """)

    @OptionGroup var configuration: ConfigurationOptions

    @Argument(help: "The rule's name, or BUS/NAME where several buses have one.")
    var rule: String

    @Argument(help: ArgumentHelp("A file, or - for standard input.", valueName: "event"))
    var event: String

    @Option(
        help: ArgumentHelp(
            "Where the broker's admin listener is (default: $CREMA_ADMIN, else \(InspectionOptions.standardAddress)).", valueName: "url"))
    var admin: String?

    @Option(help: "The topic that the message was published on, for a topic rule.")
    var topic: String?

    @Flag(help: "Print the explanation as JSON.")
    var json = false

    func validate() throws {
        if admin != nil, configuration.config != nil {
            throw ValidationError("--config and --admin name rules of different places: give one")
        }
    }

    func run() async throws {
        if configuration.config != nil { return try report { try configuration.load().resources.trial(self) } }
        try await InspectionClient.run(try InspectionOptions.parse(admin.map { ["--admin", $0] } ?? [])) { client in
            let rules = try await client.get("rules", as: ListDocument<RuleDocument>.self).rows
            try report {
                try RuleUnderTrial.tryRule(
                    rule, among: rules.map { (rule) throws(RuleTrialError) in try RuleUnderTrial(rule) }, event: try bytes(), topic: topic,
                    nowMilliseconds: Self.now)
            }
        }
    }

    fileprivate static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

    /// Writes what a trial found; what it cannot be made for ends with 2, and a miss with 1.
    private func report(_ make: () throws -> RuleTrial) throws {
        let trial: RuleTrial
        do { trial = try make() } catch {
            TerminalOutput.error.writeLine(
                "crema rules test: \(TerminalText.escaped((error as? InspectionFailure)?.message ?? "\(error)"))")
            throw ExitCode(2)
        }
        let text = json ? try RuleTrialDocument(trial).text() : trial.lines
        try TerminalOutput.standard.write(line: text)
        if !trial.matches { throw ExitCode(1) }
    }

    fileprivate func bytes() throws -> [UInt8] {
        if event == "-" { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
        do {
            return Array(try Data(contentsOf: URL(filePath: event)))
        } catch {
            throw InspectionFailure.usage("\(event) cannot be read; name a file with the event, or - for standard input")
        }
    }
}

extension ResourceSet {
    fileprivate func trial(_ command: RulesTestCommand) throws -> RuleTrial {
        try tryRule(command.rule, event: try command.bytes(), topic: command.topic, nowMilliseconds: RulesTestCommand.now)
    }
}

extension RuleUnderTrial {
    /// A rule as the inspection API tells of it.
    fileprivate init(_ document: RuleDocument) throws(RuleTrialError) {
        if let bus = document.bus {
            try self.init(
                name: document.name, bus: bus, isEnabled: document.enabled, pattern: document.pattern, schedule: document.schedule)
        } else {
            // What older brokers do not tell is what they had.
            try self.init(
                name: document.name, isEnabled: document.enabled, sql: document.definition, version: document.sqlVersion ?? "2016-03-23",
                host: RuleHost.host)
        }
    }
}

extension RuleTrial {
    /// For people.
    fileprivate var lines: String {
        let name = "\(bus.map { "\($0)/" } ?? "")\(rule)\(isEnabled ? "" : " (disabled)")"
        switch finding {
        case .pattern(let explanation):
            // Line by line, because a line's end is no less steered by events than other control characters.
            return "\(name) \(explanation)".split(separator: "\n").map { TerminalText.escaped(String($0)) }.joined(separator: "\n")
        case .statement(let selected, let reason):
            let lines = ["\(name) \(selected == nil ? "does not match" : "matches")", "  \(reason)"]
            let payload = selected.map { ["  selects \(String(decoding: $0, as: UTF8.self))"] } ?? []
            return (lines + payload).map(TerminalText.escaped).joined(separator: "\n")
        }
    }
}

extension RuleTrialDocument {
    fileprivate func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return TerminalText.escaped(json: Array(try encoder.encode(self)))
    }
}
