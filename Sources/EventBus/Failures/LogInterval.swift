import Synchronization

/// Decides which of many equal log lines is written: one in an interval for each subject, with the number of those left out.
final class LogInterval: Sendable {
    private struct Window {
        var openedMilliseconds: Int64
        var suppressed = 0
    }

    private let milliseconds: Int64
    /// Subjects are rules and fixed names, never text of the network, so the table is as small as the templates.
    private let windows = Mutex<[String: Window]>([:])

    init(seconds: Int) {
        milliseconds = Int64(min(max(seconds, 0), 1_000_000_000)) * 1_000
    }

    /// The number of lines left out since the last one; `nil` when this one is left out too.
    func admit(_ subject: String, at now: Int64) -> Int? {
        windows.withLock { windows in
            if var window = windows[subject] {
                let age = now &- window.openedMilliseconds
                // A clock that was set back opens a window, too.
                if age >= 0 && age < milliseconds {
                    window.suppressed += 1
                    windows[subject] = window
                    return nil
                }
                windows[subject] = Window(openedMilliseconds: now)
                return window.suppressed
            }
            windows[subject] = Window(openedMilliseconds: now)
            return 0
        }
    }
}
