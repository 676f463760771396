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

    }

    static func dropped(_ count: UInt64) -> LogLine {
        LogLine(
            time: .now, level: .warning, label: "crema", message: "log lines were dropped, because nobody took them",
            metadata: ["count": "\(count)"])
    }

    /// The event's name: what the metadata says, or else the message.
    var event: String { metadata[Logger.MetadataValue.eventKey]?.description ?? LogEvents.name(ofMessage: message) }

    /// What else is known, in the order of the names.
    var fields: [(name: String, value: String)] {
        metadata.sorted { $0.key < $1.key }.filter { $0.key != Logger.MetadataValue.eventKey }.map { ($0.key, $0.value.description) }
    }

    /// Writes times as RFC 3339 has them, in UTC: `2026-11-25T18:04:05.123Z`.
    ///
    /// The date is worked out once for the lines of a second.
    struct Clock {
        private var seconds: Int?
        private var date: [UInt8] = []

        mutating func append(_ time: Time, to text: inout [UInt8]) {
            if seconds != time.seconds {
                date = Self.date(time.seconds)
                seconds = time.seconds
            }
            text.append(contentsOf: date)
            Self.append(time.milliseconds, width: 3, to: &text)
            text.append(UInt8(ascii: "Z"))
        }

        /// Up to the point before the milliseconds.
        private static func date(_ seconds: Int) -> [UInt8] {
            var seconds = time_t(seconds)
            // Unsafe for the name of the zone that `tm` points to, which nobody reads here.
            var parts = unsafe tm()
            unsafe gmtime_r(&seconds, &parts)
            let numbers = unsafe [
                (Int(parts.tm_year) + 1_900, 4, "-"), (Int(parts.tm_mon) + 1, 2, "-"), (Int(parts.tm_mday), 2, "T"),
                (Int(parts.tm_hour), 2, ":"), (Int(parts.tm_min), 2, ":"), (Int(parts.tm_sec), 2, "."),
            ]
            var text: [UInt8] = []
            for (number, width, end) in numbers {
                append(number, width: width, to: &text)
                text.append(contentsOf: end.utf8)
            }
            return text
        }

        private static func append(_ number: Int, width: Int, to text: inout [UInt8]) {
            let digits = String(number)
            for _ in 0..<max(0, width - digits.utf8.count) { text.append(UInt8(ascii: "0")) }
            text.append(contentsOf: digits.utf8)
        }
    }
}
