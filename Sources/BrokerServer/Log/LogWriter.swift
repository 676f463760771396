import DequeModule
import Dispatch
import Glibc
package import Logging
import Synchronization

/// Writes log lines to a file descriptor on a thread of its own, so that no event loop waits for a terminal, a pipe or a disk.
///
/// What waits is bounded: when whoever reads the log stands still, further lines are dropped and counted, and the first line that gets
/// through again says how many.
package final class LogWriter: Sendable {
    /// Lines that wait to be written; further ones are dropped.
    package static let linesWaitingMax = 8_192
    /// For how long lines gather before the next are written.
    ///
    /// The first line after a pause is written at once.
    ///
    /// Waking a thread costs the event loop that logs more than all else about a line: at thousands of connections a second, a quarter
    /// of the broker's CPU time. So the thread is woken a hundred times a second at the most.
    package static let gatherMilliseconds = 10

    private struct Waiting {
        var lines = Deque<LogLine>()
        var dropped: UInt64 = 0
        var isFinished = false
        /// Whether the thread has been told that there is something.
        var isWoken = false
    }

    private let descriptor: CInt
    private let format: LogFormat
    private let readers = LogReaders()
    private let linesWaitingMax: Int
    private let gatherMilliseconds: Int
    private let waiting = Mutex(Waiting())
    private let droppedInAll = Atomic<UInt64>(0)
    private let wake = DispatchSemaphore(value: 0)
    private let finishing = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)

    /// Begins to write to `descriptor`, which stays the caller's, and must be open until ``finish(seconds:)`` has returned.
    package init(
        descriptor: CInt, format: LogFormat = .logfmt, linesWaitingMax: Int = LogWriter.linesWaitingMax,
        gatherMilliseconds: Int = LogWriter.gatherMilliseconds
    ) {
        self.descriptor = descriptor
        self.format = format
        self.gatherMilliseconds = gatherMilliseconds
        self.linesWaitingMax = linesWaitingMax
        // A queue of its own with one endless task: a thread with a name, which ends with the writer.
        DispatchQueue(label: "crema.log").async { self.run() }
    }

    /// Lines dropped since the start because nobody took them.
    package var dropped: UInt64 { droppedInAll.load(ordering: .relaxed) }

    /// The last lines from a level on, and those to come, for somebody who reads them while they are written.
    package func lines(from level: Logger.Level) -> AsyncStream<ReadLogLine> { readers.lines(from: level) }

    func write(_ line: LogLine) {
        let mustWake = waiting.withLock { waiting in
            if waiting.isFinished || waiting.lines.count >= linesWaitingMax {
                waiting.dropped += 1
                droppedInAll.add(1, ordering: .relaxed)
                return false
            }
            waiting.lines.append(line)
            defer { waiting.isWoken = true }
            return !waiting.isWoken
        }
        if mustWake { wake.signal() }
    }

    /// Writes what waits and ends, at most after so many seconds; lines that come later are dropped.
    package func finish(seconds: Int = 2) {
        waiting.withLock { $0.isFinished = true }
        wake.signal()
        finishing.signal()
        _ = finished.wait(timeout: .now() + .seconds(seconds))
    }

    // MARK: On the thread

    private func run() {
        defer {
            readers.finish()
            finished.signal()
        }
        var text: [UInt8] = []
        var clock = LogLine.Clock()
        while true {
            wake.wait()
            let (lines, dropped, isLast) = waiting.withLock { waiting in
                defer {
                    waiting.lines = []
                    waiting.dropped = 0
                    waiting.isWoken = false
                }
                return (waiting.lines, waiting.dropped, waiting.isFinished)
            }
            for line in lines {
                line.append(to: &text, clock: &clock, as: format)
                if text.count >= 65_536 { flush(&text) }
            }
            if dropped > 0 { LogLine.dropped(dropped).append(to: &text, clock: &clock, as: format) }
            readers.wrote(lines)
            flush(&text)
            if isLast { return }
            _ = finishing.wait(timeout: .now() + .milliseconds(gatherMilliseconds))
        }
    }

    /// A log that cannot be written at all, as when its reader has gone, is no reason to end: what cannot be written is gone.
    private func flush(_ text: inout [UInt8]) {
        var rest = text[...]
        while !rest.isEmpty {
            // The bytes are read during the call only.
            let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&ready, 1, 1_000)
            } else if errno != EINTR {
                break
            }
        }
        text.removeAll(keepingCapacity: true)
    }
}

/// Hands every log line to a ``LogWriter``.
package struct WritingLogHandler: LogHandler {
    private let label: String
    private let writer: LogWriter
    private let levels: LogLevels
    /// Of one logger alone, whatever else is logged.
    private var own: Logger.Level?
    package var metadata: Logger.Metadata = [:]

    package init(label: String, writer: LogWriter, levels: LogLevels) {
        self.label = label
        self.writer = writer
        self.levels = levels
    }

    package var logLevel: Logger.Level {
        get { own ?? levels.current }
        set { own = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var metadata = metadata
        if let own = event.metadata { metadata.merge(own) { $1 } }
        var message = event.message.description
        if let error = event.error { message += ": \(error)" }
        writer.write(LogLine(time: .now, level: event.level, label: label, message: message, metadata: metadata))
    }
}
