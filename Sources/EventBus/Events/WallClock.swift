import Glibc

/// What the engine asks of the world: the time, and identifiers that nobody else has.
package struct EventSource: Sendable {
    /// Milliseconds since 1970, UTC.
    package var nowMilliseconds: @Sendable () -> Int64
    /// A new identifier for each event.
    package var makeID: @Sendable () -> String

    package init(nowMilliseconds: @escaping @Sendable () -> Int64, makeID: @escaping @Sendable () -> String) {
        self.nowMilliseconds = nowMilliseconds
        self.makeID = makeID
    }

    /// The system's clock and its random numbers.
    package static let system = EventSource(nowMilliseconds: systemMilliseconds, makeID: randomUUID)

    @Sendable private static func systemMilliseconds() -> Int64 {
        var time = timespec()
        // Fails only for a clock that does not exist or a bad address.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
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
    let (days, secondOfDay) = floored(floored(milliseconds, by: 1_000).quotient, by: 86_400)
    let date = civilDate(daysSince1970: days)
    let clock = [secondOfDay / 3_600, secondOfDay / 60 % 60, secondOfDay % 60].map { padded($0, to: 2) }
    return "\(padded(date.year, to: 4))-\(padded(date.month, to: 2))-\(padded(date.day, to: 2))T\(clock.joined(separator: ":"))Z"
}

private func floored(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

/// The Gregorian date, by counting in eras of 400 years that begin on 1 March, so that the leap day comes last.
private func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floored(days + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

private func padded(_ value: Int64, to width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
