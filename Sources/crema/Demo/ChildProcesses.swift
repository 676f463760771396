import Foundation
import Synchronization

/// What a program answered that was run to its end.
struct ChildOutput: Sendable {
    /// The exit code, or 128 + the number of the signal that ended it, as shells report it.
    var status: Int32
    /// Standard output and standard error, in the order in which they came.
    var text: String
}

/// The programs that a demo runs, all of which end with it.
final class ChildProcesses: Sendable {
    private let running = Mutex<Set<pid_t>>([])
    private static let endSecondsMax = 10.0

    /// Starts a program that goes on until ``endAll()``, and answers with the lines that it prints.
    ///
    /// The stream finishes when the program ends.
    func start(_ program: String, _ arguments: [String]) throws(SpawnFailure) -> AsyncStream<String> {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        let child = try launch([program] + arguments)
        Thread.detachNewThread { [self] in
            var unfinished: [UInt8] = []
            while let bytes = child.output.read() {
                unfinished += bytes
                var parts = unfinished.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                unfinished = parts.popLast().map(Array.init) ?? []
                for part in parts { continuation.yield(String(decoding: part, as: UTF8.self)) }
            }
            if !unfinished.isEmpty { continuation.yield(String(decoding: unfinished, as: UTF8.self)) }
            reap(child)
            continuation.finish()
        }
        return lines
    }

    /// Runs a program to its end, at most `seconds` long.
    func run(_ program: String, _ arguments: [String], seconds: Int = 20) async throws(SpawnFailure) -> ChildOutput {
        let child = try launch(["timeout", "\(seconds)", program] + arguments)
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                var output: [UInt8] = []
                while let bytes = child.output.read() { output += bytes }
                let status = reap(child)
                continuation.resume(returning: ChildOutput(status: status, text: String(decoding: output, as: UTF8.self)))
            }
        }
    }

    /// Ends every program that still runs; one that does not end when asked to is killed.
    func endAll() {
        signalAll(SIGTERM)
        let deadline = Date(timeIntervalSinceNow: Self.endSecondsMax)
        while Date() < deadline, running.withLock({ !$0.isEmpty }) { Thread.sleep(forTimeInterval: 0.01) }
        killAll()
    }

    /// Ends every program that still runs, without asking.
    func killAll() { signalAll(SIGKILL) }

    private func signalAll(_ signal: Int32) {
        // With what it started itself, as `timeout` does.
        running.withLock { for child in $0 { kill(-child, signal) } }
    }

    private func launch(_ command: [String]) throws(SpawnFailure) -> SpawnedProgram {
        try running.withLock { running throws(SpawnFailure) in
            let child = try SpawnedProgram(command)
            running.insert(child.identifier)
            return child
        }
    }

    /// Waits for the program's end.
    @discardableResult private func reap(_ child: SpawnedProgram) -> Int32 {
        child.waitUntilEnded()
        // Only in here the identifier becomes free for another process, so that no signal goes to a stranger.
        return running.withLock { running in
            running.remove(child.identifier)
            return child.status()
        }
    }
}
