import Dispatch
import Foundation

/// Calls a handler when a signal arrives, SIGINT or SIGTERM if no others are named, instead of ending the process at once.
final class InterruptionWatch {
    private let sources: [any DispatchSourceSignal]

    init(_ signals: [Int32] = [SIGINT, SIGTERM], _ handler: @escaping @Sendable (_ signal: Int32) -> Void) {
        sources = signals.map { number in
            // A dispatch source only sees signals that do not end the process first. A handler that does nothing, instead of SIG_IGN: the
            // programs started from here would inherit SIG_IGN, and could not be asked to end.
            _ = signal(number) { _ in }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { handler(number) }
            source.resume()
            return source
        }
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
