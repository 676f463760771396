import Foundation

/// Calls a handler when a signal arrives, SIGINT or SIGTERM if no others are named, instead of ending the process at once.
///
/// What comes after the initializer has returned is told in the order in which it came; the kernel makes one of two that come before the
/// process runs again. One watch at a time has a signal.
final class InterruptionWatch {
    private let signals: [Int32]

    init(_ signals: [Int32] = [SIGINT, SIGTERM], _ handler: @escaping @Sendable (_ signal: Int32) -> Void) {
        self.signals = signals
        SignalPipe.shared.watch(signals, handler)
    }

    /// From here on the signals do nothing.
    func cancel() { SignalPipe.shared.forget(signals) }
}
