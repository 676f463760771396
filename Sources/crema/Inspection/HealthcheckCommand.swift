import ArgumentParser

/// `crema healthcheck`: whether the broker serves, for container engines and scripts.
///
/// Exits 0 or 1 and nothing else.
struct HealthcheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Exit 0 if the broker is ready, 1 if it is not or cannot be asked.")

    @OptionGroup var options: InspectionOptions

    func run() async throws {
        do {
            try await InspectionClient.run(options) { client in
                let (ready, state) = try await client.readiness()
                let text = TerminalText.escaped(state)
                if options.json {
                    let isPlain = text.allSatisfy { $0.isLetter }
                    try TerminalOutput.standard.write(line: #"{"ready":\#(ready),"state":"\#(isPlain ? text : "unknown")"}"#)
                } else {
                    // What is no state of readiness comes from something else that answers there.
                    try TerminalOutput.standard.write(line: text.allSatisfy(\.isLetter) ? text : "no admin listener of Crema answers there")
                }
                if !ready { throw ExitCode(1) }
            }
        } catch {
            throw ExitCode(1)
        }
    }
}
