package import Logging

/// Keeps what was logged, and hands it on as it comes.
package final class LogRecorder: Sendable {
    package struct Line: Sendable {
        package let level: Logger.Level
        package let message: String
        package let metadata: [String: String]
    }

    package let lines: AsyncStream<Line>
    private let continuation: AsyncStream<Line>.Continuation

    package init() {
        (lines, continuation) = AsyncStream.makeStream(of: Line.self)
    }

    package var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }

    /// The next line with this message; `nil` when the task is cancelled before one comes.
    package func next(_ message: String) async -> Line? {
        await lines.first { $0.message == message }
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).mapValues { "\($0)" }
            recorder.continuation.yield(Line(level: event.level, message: "\(event.message)", metadata: metadata))
        }
    }
}
