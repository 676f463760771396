import Synchronization

/// Decides which of many equal log lines is written: one in an interval for each subject, with the number of those left out.
final class LogInterval: Sendable {
    private struct Window {
        var openedMilliseconds: Int64
        var suppressed = 0
    }

    private let milliseconds: Int64
    /// Subjects are names of rules, buses and queues, which callers may make and delete without end.
    private let windows = Mutex<[String: Window]>([:])
    /// Beyond so many subjects those are forgotten whose interval is over.
    static let subjectsMax = 1_024

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
            if windows.count >= Self.subjectsMax { forgetOld(&windows, at: now) }
            windows[subject] = Window(openedMilliseconds: now)
            return 0
        }
    }

    /// Makes room: of those whose interval is over only a number is lost, and all go when there are that many at once.
    private func forgetOld(_ windows: inout [String: Window], at now: Int64) {
        windows = windows.filter { (0..<milliseconds).contains(now &- $0.value.openedMilliseconds) }
        if windows.count >= Self.subjectsMax { windows = [:] }
    }

    /// For tests: how many subjects are remembered.
    var subjects: Int { windows.withLock(\.count) }
}
