import AdminServer
import Glibc

extension ProcessFigures {
    /// What the system says of this process now; `nil` where it has no `/proc`.
    static var current: ProcessFigures? {
        guard let fields = statFields, fields.count > 21 else { return nil }
        var figures = ProcessFigures()
        // proc(5): fields 14 and 15 are ticks in user and in kernel mode, 22 is the start in ticks after boot, 23 bytes, 24 pages. Here
        // the first two, the process's number and name, are left out.
        let ticks = Double(max(1, sysconf(CInt(_SC_CLK_TCK))))
        func number(_ field: Int) -> UInt64 { UInt64(fields[field - 3]) ?? 0 }
        figures.cpuSeconds = Double(number(14) &+ number(15)) / ticks
        figures.virtualBytes = number(23)
        figures.residentBytes = number(24) &* UInt64(max(1, sysconf(CInt(_SC_PAGESIZE))))
        figures.startSeconds = bootSeconds + Double(number(22)) / ticks
        figures.openFiles = openFilesNow
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur != .max {
            figures.openFilesMax = UInt64(limit.rlim_cur)
        }
        return figures
    }

    /// The process's line, from behind its name, which may have anything in it.
    private static var statFields: [Substring]? {
        guard let text = text(of: "/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
    }

    /// When the machine started, in seconds since 1970.
    ///
    /// Read once: what two clocks differ by is never twice the same, and the process did not start anew.
    private static let bootSeconds: Double = {
        var (wall, since) = (timespec(), timespec())
        unsafe clock_gettime(CLOCK_REALTIME, &wall)
        unsafe clock_gettime(CLOCK_BOOTTIME, &since)
        return Double(wall.tv_sec - since.tv_sec) + Double(wall.tv_nsec - since.tv_nsec) / 1_000_000_000
    }()

    private static var openFilesNow: Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        return max(0, count - 3)  // `.`, `..`, and the folder itself
    }

    private static func text(of path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
