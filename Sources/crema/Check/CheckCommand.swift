import ArgumentParser
import Documents
import Foundation

/// `crema check`: whether a configuration and all that it names can be served.
///
/// Reads everything, writes nothing, binds nothing.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration, its resources and its certificates; list what would be served.",
        discussion: """
            Every mistake is named with file, line and column. Resources of types that Crema does not serve are listed, and no mistake.

            Exit codes: 0 all is well, 2 something is wrong.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print the report as JSON.")
    var json = false

    func run() throws {
        let report: CheckReport
        do {
            report = CheckReport(try options.load(LoadedConfiguration.checkEverything))
        } catch {
            report = CheckReport(error)
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try TerminalOutput.standard.write(line: String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            let output = report.errors.isEmpty ? TerminalOutput.standard : TerminalOutput.error
            try output.write(line: report.lines.joined(separator: "\n"))
        }
        if !report.ok { throw ExitCode(2) }
    }
}
