import Foundation
import Synchronization

/// Ends the children before the demo itself, when Ctrl-C, a closed terminal or a signal ends it early: the first lets them finish, the second kills them.
final class DemoInterruption: Sendable {
    private let children: ChildProcesses
    private let signals = StopSignals()
    private let first = Mutex<Int32?>(nil)

    init(_ children: ChildProcesses) { self.children = children }

    /// What the demo is to end with once it was interrupted, as shells report it; `nil` before.
    var exitCode: Int32? { first.withLock { $0.map { 128 + $0 } } }

    /// - Parameter signal: its number.
    func received(_ signal: Int32) {
        switch signals.received() {
        case .first:
            first.withLock { $0 = signal }
            // Not here, where the second one would not be heard meanwhile.
            Thread.detachNewThread { [children] in
                children.endAll()
                Foundation.exit(128 + signal)
            }
        case .echo: break
        case .second:
            children.killAll()
            Foundation.exit(128 + signal)
        }
    }
}
