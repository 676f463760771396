import Glibc
import Logging

/// One line of the log, before it is text: that is made by who writes it, not by who logs.
struct LogLine: Sendable {
    var time: Time
    var level: Logger.Level
    var label: String
    var message: String
    var metadata: Logger.Metadata

    /// Seconds and milliseconds since 1970.
    struct Time: Sendable {
        var seconds: Int
        var milliseconds: Int

        static var now: Time {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            return Time(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
        }

        /// As RFC 3339 has it, in UTC: `2026-11-25T18:04:05.123Z`.
        var text: String {
            var seconds = time_t(seconds)
            // Unsafe for the name of the zone that `tm` points to, which nobody reads here.
            var parts = unsafe tm()
            unsafe gmtime_r(&seconds, &parts)
            let (year, month, day) = unsafe (parts.tm_year + 1_900, parts.tm_mon + 1, parts.tm_mday)
            let (hour, minute, second) = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
            let date = [(Int(year), 4), (Int(month), 2), (Int(day), 2)].map(Self.padded)
            let clock = [(Int(hour), 2), (Int(minute), 2), (Int(second), 2)].map(Self.padded)
            return "\(date.joined(separator: "-"))T\(clock.joined(separator: ":")).\(Self.padded(milliseconds, 3))Z"
        }

        private static func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
    }

    static func dropped(_ count: UInt64) -> LogLine {
        LogLine(
            time: .now, level: .warning, label: "crema", message: "log lines were dropped, because nobody took them",
            metadata: ["count": "\(count)"])
    }

    /// Appends time, level, label, what else is known in the order of its names, and the message.
    func append(to text: inout [UInt8]) {
        let known = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value) " }.joined()
        text.append(contentsOf: "\(time.text) \(level.rawValue) \(label): \(known)\(message)\n".utf8)
    }
}
