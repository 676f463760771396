import Dispatch
import Foundation
import Synchronization

/// Signals as bytes in a pipe, from their handlers to a thread that may do anything.
///
/// A source of Dispatch for a signal sees those only that come once it is registered, which is some time after it was made. What is in a
/// pipe waits until somebody reads.
// Not checked: the source is only kept, and Dispatch's may be kept by any thread.
final class SignalPipe: @unchecked Sendable {
    static let shared = SignalPipe()

    /// Where handlers write; -1 while there is no pipe.
    private static let writeEnd = Atomic<Int32>(-1)

    private let source: (any DispatchSourceRead)?
    private let handlers = Mutex<[Int32: @Sendable (Int32) -> Void]>([:])

    private init() {
        var ends: [Int32] = [-1, -1]
        // Without a descriptor left the signals keep what they do by themselves.
        guard unsafe pipe(&ends) == 0 else {
            source = nil
            return
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: ends[0], queue: .global())
        source.setEventHandler { [readEnd = ends[0]] in SignalPipe.shared.read(from: readEnd) }
        source.activate()
        self.source = source
        Self.writeEnd.store(ends[1], ordering: .releasing)
    }

    func watch(_ signals: [Int32], _ handler: @escaping @Sendable (_ signal: Int32) -> Void) {
        guard Self.writeEnd.load(ordering: .acquiring) >= 0 else { return }
        handlers.withLock { handlers in
            for number in signals { handlers[number] = handler }
        }
        for number in signals {
            // Not SIG_IGN: the programs started from here would inherit it, and could not be asked to end. Only what a handler may do: no
            // allocation, no lock, and `errno` as it was.
            _ = signal(number) { number in
                let before = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = unsafe write(SignalPipe.writeEnd.load(ordering: .relaxed), &byte, 1)
                errno = before
            }
        }
    }

    func forget(_ signals: [Int32]) {
        handlers.withLock { handlers in
            for number in signals { handlers[number] = nil }
        }
    }

    private func read(from readEnd: Int32) {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe Foundation.read(readEnd, &bytes, bytes.count)
        for byte in bytes.prefix(max(0, count)) {
            let handler = handlers.withLock { $0[Int32(byte)] }
            handler?(Int32(byte))
        }
    }
}
