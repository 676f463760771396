import ArgumentParser
import Foundation

/// `crema`: an MQTT broker with a rules engine, and what people need beside it.
@main
struct Crema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crema",
        abstract: "An MQTT broker with a rules engine: orders in over HTTP or MQTT, statuses out to each user.",
        discussion:
            "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 cannot connect, 4 refused, 5 TLS, 27 the time of --wait is over.",
        version: CremaVersion.text,
        subcommands: [
            ServeCommand.self, CheckCommand.self, DemoCommand.self, CertsCommand.self, UsersCommand.self, ACLCommand.self,
            TopicsCommand.self, ClientsCommand.self, SubscriptionsCommand.self, RetainedCommand.self, PublishCommand.self,
            TailCommand.self, TraceCommand.self, TopCommand.self, LogCommand.self, RulesCommand.self, ArchiveCommand.self,
            DestinationsCommand.self,
            DeadLettersCommand.self, ReloadCommand.self, BenchCommand.self,
            HealthcheckCommand.self,
            VersionCommand.self,
        ])

    /// Runs the command that the arguments name.
    ///
    /// Replaces ArgumentParser's own `main`, which ends with 64 on a mistake in the arguments; that is 2 here.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let closed as OutputClosed where closed.isReaderGone {
            Foundation.exit(0)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            FileHandle.standardError.write(Data((fullMessage(for: error) + "\n").utf8))
            Foundation.exit(2)
        }
    }
}
