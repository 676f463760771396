/// A time as RFC 3339 writes it: `2026-01-31T08:30:00Z`, `2026-01-31T09:30:00.25+01:00`.
struct RFC3339Time: Equatable {
    /// Since 1970; what a fraction says beyond them is left out.
    let milliseconds: Int64

    /// `nil` for any other text, and for a day or an hour that there is none of.
    init?(_ text: String) {
        var reader = Digits(rest: Array(text.utf8)[...])
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"), let day = reader.number(2),
            reader.skip("T") || reader.skip("t"), let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2),
            reader.skip(":"), let second = reader.number(2), (1...12).contains(month), hour < 24, minute < 60,
            // A leap second counts as the one after it.
            second <= 60, (1...Self.days(in: month, of: year)).contains(day)
        else { return nil }
        guard let fraction = reader.milliseconds(), let offset = reader.offsetMinutes(), reader.rest.isEmpty else { return nil }
        let minutes = Int64(Self.daysSince1970(year, month, day) * 1_440 + hour * 60 + minute - offset)
        milliseconds = (minutes * 60 + Int64(second)) * 1_000 + Int64(fraction)
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// In the Gregorian calendar, also before it was introduced.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let before = year - 1
        let leapDays = before >= 0 ? before / 4 - before / 100 + before / 400 : -1
        let january = year * 365 + leapDays - 719_527 + 365
        return january + (1..<month).reduce(0) { $0 + days(in: $1, of: year) } + day - 366
    }
}

/// Reads a text from its front.
private struct Digits {
    var rest: ArraySlice<UInt8>

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        rest.removeFirst(count)
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// Of a fraction of a second; 0 where there is none, `nil` for a point without digits.
    mutating func milliseconds() -> Int? {
        guard skip(".") else { return 0 }
        guard var value = number(1) else { return nil }
        var digits = 1
        while let digit = number(1) {
            if digits < 3 { value = value * 10 + digit }
            digits += 1
        }
        for _ in min(digits, 3)..<3 { value *= 10 }
        return value
    }

    /// Of local time to UTC.
    mutating func offsetMinutes() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let isEast = skip("+")
        guard isEast || skip("-"), let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return (isEast ? 1 : -1) * (hours * 60 + minutes)
    }
}
