package import BrokerCore
import Glibc
import NIOCore
import Rules

/// What the engine asks of the world: the time, and identifiers that nobody else has.
package struct EventSource: Sendable {
    /// Milliseconds since 1970, UTC.
    package var nowMilliseconds: @Sendable () -> Int64
    /// Milliseconds of a clock that nobody sets: it goes forward only, also while the machine sleeps, from a beginning that means nothing.
    package var steadyMilliseconds: @Sendable () -> Int64
    /// A new identifier for each event.
    package var makeID: @Sendable () -> String

    /// The brokers' clock, which their deadlines are on.
    package var brokerNow: @Sendable () -> Instant

    package init(
        nowMilliseconds: @escaping @Sendable () -> Int64, steadyMilliseconds: @escaping @Sendable () -> Int64,
        makeID: @escaping @Sendable () -> String,
        brokerNow: @escaping @Sendable () -> Instant = EventSource.eventLoopsNow
    ) {
        self.nowMilliseconds = nowMilliseconds
        self.steadyMilliseconds = steadyMilliseconds
        self.makeID = makeID
        self.brokerNow = brokerNow
    }

    /// The system's clocks and its random numbers.
    package static let system = EventSource(
        nowMilliseconds: { milliseconds(CLOCK_REALTIME) }, steadyMilliseconds: { milliseconds(CLOCK_BOOTTIME) }, makeID: randomUUID)

    /// The time on the event loops' own clock.
    @Sendable package static func eventLoopsNow() -> Instant {
        Instant(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds))
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // Fails only for a clock that does not exist or a bad address.
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// A random UUID (RFC 9562, version 4), in lower case.
    @Sendable private static func randomUUID() -> String {
        var generator = SystemRandomNumberGenerator()
        let high = (generator.next() as UInt64) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = (generator.next() as UInt64) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let digits = hexadecimal(high) + hexadecimal(low)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, digit) in digits.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(UInt8(ascii: "-")) }
            text.append(digit)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func hexadecimal(_ value: UInt64) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return (0..<16).map { digits[Int(truncatingIfNeeded: value >> UInt64(60 - $0 * 4)) & 0xF] }
    }
}

/// A time as text: `YYYY-MM-DDTHH:MM:SSZ`, UTC, as an event's envelope has it.
package func timestamp(milliseconds: Int64) -> String {
    let time = CivilTime(milliseconds: milliseconds)
    let date = [padded(time.year, to: 4), padded(time.month, to: 2), padded(time.day, to: 2)].joined(separator: "-")
    let clock = [time.hour, time.minute, time.second].map { padded($0, to: 2) }
    return "\(date)T\(clock.joined(separator: ":"))Z"
}

private func padded(_ value: Int64, to width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
