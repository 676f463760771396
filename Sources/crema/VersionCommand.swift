import ArgumentParser

/// The version of this program.
enum CremaVersion {
    static let text = "0.1.0"
}

/// `crema version`: which Crema this is.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    @Flag(help: "Print it as a JSON object.")
    var json = false

    func run() throws {
        try TerminalOutput.standard.write(
            line: json ? "{\"name\":\"crema\",\"version\":\"\(CremaVersion.text)\"}" : "crema \(CremaVersion.text)")
    }
}
