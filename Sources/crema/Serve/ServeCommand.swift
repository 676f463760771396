import ArgumentParser
import BrokerServer
import Documents
import Foundation
import Logging
import Trust

/// `crema serve`: the broker, its rules, and its HTTP listeners, until SIGTERM or SIGINT.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve MQTT, HTTP and the rules between them.",
        discussion: """
            Logs go to standard error: one line for each listener with its address, transport and authentication, then `ready`. \
            SIGTERM and SIGINT finish what has begun and end with 0; a second one, a quarter of a second later or more, ends at once. \
            SIGHUP reads certificates, revocation lists, users, policies, limits and resources anew, without losing a client; if they have a mistake nothing changes. So does \
            `crema reload`, and a file that changes where the configuration says `watchFiles: true`.

            Exit codes: 0 ended as asked, 1 failed (an address that cannot be bound), 2 usage or configuration.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical. (default: CREMA_LOG_LEVEL, else the configuration's, else info)",
            valueName: "level"),
        transform: { try ServeCommand.level(named: $0) })
    var logLevel: Logger.Level?

    func run() async throws {
        // A peer or a reader of the log that went away is no reason to end.
        _ = signal(SIGPIPE, SIG_IGN)
        // From the beginning: a signal while the store is read is not to end the process in the middle of it.
        let stops = StopRequests()
        let reloads = ReloadRequests()
        let watches = [InterruptionWatch { stops.received($0) }, InterruptionWatch([SIGHUP]) { _ in reloads.ask() }]
        defer { for watch in watches { watch.cancel() } }
        let level = try logLevel ?? Self.environmentLevel()
        let loaded: LoadedConfiguration
        do {
            loaded = try options.load(LoadedConfiguration.checkCertificates)
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode(2)
        }
        let settings = loaded.configuration.log
        let writer = LogWriter(
            descriptor: STDERR_FILENO, format: LogFormat(rawValue: settings.format) ?? .suited(to: STDERR_FILENO))
        defer { writer.finish() }
        let levels = LogLevels(level ?? settings.leastLevel)
        LoggingSystem.bootstrap { label in WritingLogHandler(label: label, writer: writer, levels: levels) }
        let log = Logger(label: "crema")
        do {
            let siteLog = SiteLog(writer: writer, levels: levels, takesConfiguredLevel: level == nil)
            let site = try ServedSite(loaded: loaded, options: options, log: log, siteLog: siteLog)
            try await site.run(until: stops, reloads)
        } catch {
            log.critical("\(error)", metadata: .event("failed"))
            throw ExitCode.failure
        }
    }

    private static func environmentLevel() throws -> Logger.Level? {
        guard let text = ProcessInfo.processInfo.environment["CREMA_LOG_LEVEL"] else { return nil }
        do {
            return try level(named: text)
        } catch {
            throw ValidationError("CREMA_LOG_LEVEL: \(error)")
        }
    }

    private static func level(named text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("there is no log level '\(text)'; there are \(known)")
        }
        return level
    }
}
