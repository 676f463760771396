import ArgumentParser
import UnixSignals

/// Reads what does not end by itself, until the reader has enough, somebody interrupts it, or its time is over.
enum LiveReading {
    /// What `mosquitto_sub -W` ends with when its time is over.
    static let timeOver = ExitCode(27)

    private enum End: Sendable {
        case done
        case timeOver
    }

    /// - Parameters:
    ///   - seconds: after which it ends with ``timeOver``; `nil` for never.
    ///   - follow: reads; its end is the end.
    /// - Throws: what it throws, but for an output that has closed; ``timeOver``.
    static func run(for seconds: Int?, _ follow: @escaping @Sendable () async throws -> Void) async throws {
        // SIGINT and SIGTERM end it as enough does: what was shown was shown.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let end = try await withThrowingTaskGroup(of: End.self) { group in
            group.addTask {
                for await _ in signals { break }
                return .done
            }
            group.addTask {
                do { try await follow() } catch let closed as OutputClosed where closed.isReaderGone {
                    // The reader of the pipe has what it wanted.
                }
                return .done
            }
            if let seconds {
                group.addTask {
                    try await Task.sleep(for: .seconds(seconds))
                    return .timeOver
                }
            }
            defer { group.cancelAll() }
            return try await group.next() ?? .done
        }
        if end == .timeOver { throw timeOver }
    }
}
