import DequeModule
package import Logging
import Synchronization

/// A line of the log as somebody reads it while it is written.
package struct ReadLogLine: Sendable {
    /// RFC 3339, UTC, with milliseconds.
    package let time: String
    package let level: Logger.Level
    /// The name that stays the same whatever the line says.
    package let event: String
    package let message: String
    package let logger: String
    package let metadata: [String: String]
    /// Lines before it that this reader did not take in time.
    package var skipped: UInt64
}

/// Who reads the log while it is written, and the last lines for whoever comes.
///
/// Used by the thread that writes the log, never by those who log. A reader that is too slow loses lines, which are counted for it.
final class LogReaders: Sendable {
    /// Lines that a new reader gets first.
    static let linesRemembered = 200
    /// Lines that wait for one reader.
    static let linesWaitingMax = 1_000

    private struct Reader {
        let least: Logger.Level
        let continuation: AsyncStream<ReadLogLine>.Continuation
        var skipped: UInt64 = 0

        mutating func take(_ line: ReadLogLine) {
            var line = line
            line.skipped = skipped
            if case .enqueued = continuation.yield(line) { skipped = 0 } else { skipped &+= 1 }
        }
    }

    private struct State {
        var last = Deque<LogLine>()
        var readers: [UInt64: Reader] = [:]
        var lastReader: UInt64 = 0
    }

    private let state = Mutex(State())

    func wrote(_ lines: some Sequence<LogLine>) {
        state.withLock { state in
            var clock = LogLine.Clock()
            for line in lines {
                if state.last.count == Self.linesRemembered { state.last.removeFirst() }
                state.last.append(line)
                if state.readers.isEmpty { continue }
                let read = line.read(&clock)
                for (id, reader) in state.readers where line.level >= reader.least { state.readers[id]?.take(read) }
            }
        }
    }

    /// Lines from a level on: those that are remembered, then those to come.
    func lines(from least: Logger.Level) -> AsyncStream<ReadLogLine> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ReadLogLine.self, bufferingPolicy: .bufferingOldest(Self.linesWaitingMax))
        let id = state.withLock { state in
            var clock = LogLine.Clock()
            for line in state.last where line.level >= least { continuation.yield(line.read(&clock)) }
            state.lastReader += 1
            state.readers[state.lastReader] = Reader(least: least, continuation: continuation)
            return state.lastReader
        }
        continuation.onTermination = { [weak self] _ in self?.forget(id) }
        return stream
    }

    private func forget(_ id: UInt64) { state.withLock { _ = $0.readers.removeValue(forKey: id) } }

    /// No line comes any more.
    func finish() {
        let readers = state.withLock { $0.readers }
        for reader in readers.values { reader.continuation.finish() }
    }
}

extension LogLine {
    fileprivate func read(_ clock: inout Clock) -> ReadLogLine {
        var text: [UInt8] = []
        clock.append(time, to: &text)
        return ReadLogLine(
            time: String(decoding: text, as: UTF8.self), level: level, event: event, message: message, logger: label,
            metadata: Dictionary(uniqueKeysWithValues: fields), skipped: 0)
    }
}
