import FoundationEssentials
import Glibc

/// What a process has used so far, as Linux tells it in `/proc`.
package struct ProcessUsage: Equatable, Sendable {
    /// User and system time of all its threads, in seconds.
    ///
    /// The kernel counts in ticks of 10 ms.
    package var cpuSeconds: Double
    /// Memory in RAM now, in bytes.
    package var residentBytes: Int

    package init(cpuSeconds: Double, residentBytes: Int) {
        self.cpuSeconds = cpuSeconds
        self.residentBytes = residentBytes
    }

    /// Reads a process's usage; `nil` when there is no such process or it may not be read.
    package init?(of pid: Int32) {
        guard let stat = Self.read("/proc/\(pid)/stat"), let memory = Self.read("/proc/\(pid)/statm") else { return nil }
        self.init(stat: stat, statm: memory, ticksPerSecond: sysconf(Int32(_SC_CLK_TCK)), pageBytes: sysconf(Int32(_SC_PAGESIZE)))
    }

    /// This process's own usage.
    package static func own() -> ProcessUsage? { ProcessUsage(of: getpid()) }

    /// Reads the two files' text (`man 5 proc`); `nil` when it does not look like them.
    package init?(stat: String, statm: String, ticksPerSecond: Int, pageBytes: Int) {
        // The second field is the command in parentheses, and may hold spaces and parentheses itself.
        guard let commandEnd = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: commandEnd)...].split(separator: " ")  // begins with field 3, the state
        let pages = statm.split(separator: " ")
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else { return nil }
        guard pages.count > 1, let resident = Int(pages[1]), ticksPerSecond > 0 else { return nil }
        cpuSeconds = Double(user + system) / Double(ticksPerSecond)
        residentBytes = resident * pageBytes
    }

    private static func read(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }
}

/// Raises this process's limit of open files to what it may have; a run with thousands of connections needs it.
///
/// - Returns: How many files may be open now.
@discardableResult
package func raiseOpenFileLimit() -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
}
