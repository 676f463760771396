import AdminServer
import BrokerServer
import Documents
import Logging

/// The log of one `crema serve`, as operators may read and change it.
struct SiteLog: LogAccess {
    let writer: LogWriter
    let leastLevels: LogLevels
    /// Whether the configuration says how much is logged, and not the command line.
    let takesConfiguredLevel: Bool

    init(writer: LogWriter, levels: LogLevels, takesConfiguredLevel: Bool) {
        self.writer = writer
        leastLevels = levels
        self.takesConfiguredLevel = takesConfiguredLevel
    }

    func lines(from level: String) -> AsyncStream<LogDocument> {
        let lines = writer.lines(from: Logger.Level(rawValue: level) ?? .info)
        let (stream, continuation) = AsyncStream.makeStream(of: LogDocument.self, bufferingPolicy: .bufferingOldest(1))
        // A task of its own, which takes the next line when the last one has its place: what is too much is lost and counted before.
        let work = Task {
            for await line in lines {
                let document = LogDocument(line)
                while case .dropped = continuation.yield(document) {
                    guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return }
                }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in work.cancel() }
        return stream
    }

    var levels: LogLevelDocument {
        LogLevelDocument(
            level: leastLevels.current.rawValue, configured: leastLevels.configured.rawValue,
            revertsInSeconds: leastLevels.timeLeft.map { Int($0.components.seconds) + ($0.components.attoseconds > 0 ? 1 : 0) })
    }

    func set(level: String, seconds: Int, by peer: String) {
        guard let level = Logger.Level(rawValue: level) else { return }
        leastLevels.set(level, for: .seconds(seconds))
        // Also where the new level would hide it.
        Logger(label: "crema").critical("log level changed", metadata: ["to": "\(level)", "seconds": "\(seconds)", "by": "\(peer)"])
    }

    /// Takes what the configuration says now.
    func take(_ settings: LogConfiguration) {
        if takesConfiguredLevel { leastLevels.configure(settings.leastLevel) }
    }
}

extension LogDocument {
    fileprivate init(_ line: ReadLogLine) {
        self.init(
            time: line.time, level: line.level.rawValue, event: line.event, message: line.message, logger: line.logger,
            metadata: line.metadata, skipped: line.skipped)
    }
}

extension LogConfiguration {
    var leastLevel: Logger.Level { level.flatMap(Logger.Level.init(rawValue:)) ?? .info }
}
