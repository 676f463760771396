/// Points in time as callers write them.
enum Timestamp {
    /// Milliseconds since 1970 from an RFC 3339 timestamp (`2025-11-23T09:40:00Z`, also with a fraction or an offset) or from a plain number of seconds;
    /// `nil` for anything else, and for times outside the years 1970 to 9999.
    static func milliseconds(_ text: String) -> Int64? {
        let seconds = Double(text) ?? parse(Array(text.utf8))
        guard let seconds, (0...253_402_300_799).contains(seconds) else { return nil }  // also false for NaN
        return Int64(seconds * 1_000)
    }

    /// As web servers log it: `10/Oct/2000:13:55:36 +0000`.
    static func logged(_ milliseconds: Int64) -> String {
        let seconds = max(0, Int(milliseconds / 1_000))
        var (year, month, day) = (1970, 1, seconds / 86_400)
        while day >= (isLeap(year) ? 366 : 365) {
            day -= isLeap(year) ? 366 : 365
            year += 1
        }
        while day >= daysInMonth(month, of: year) {
            day -= daysInMonth(month, of: year)
            month += 1
        }
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock = [seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60].map(two).joined(separator: ":")
        return "\(two(day + 1))/\(names[month - 1])/\(year):\(clock) +0000"
    }

    private static func parse(_ text: [UInt8]) -> Double? {
        guard text.count >= 20, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[10] | 0x20 == UInt8(ascii: "t"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let year = number(text[0..<4], in: 1970...9999), let month = number(text[5..<7], in: 1...12),
            let day = number(text[8..<10], in: 1...31), let hour = number(text[11..<13], in: 0...23),
            let minute = number(text[14..<16], in: 0...59), let second = number(text[17..<19], in: 0...60)
        else { return nil }
        guard day <= daysInMonth(month, of: year) else { return nil }
        var rest = text[19...]
        if rest.first == UInt8(ascii: ".") {
            // The envelope's time has whole seconds: a fraction is checked and dropped.
            let digits = rest.dropFirst().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(digits.count + 1)
        }
        guard let offset = offset(Array(rest)) else { return nil }
        let days = days(since1970: year, month, day)
        return Double(days * 86_400 + hour * 3_600 + minute * 60 + second - offset)
    }

    /// Seconds east of UTC.
    private static func offset(_ text: [UInt8]) -> Int? {
        if text.count == 1, text[0] | 0x20 == UInt8(ascii: "z") { return 0 }
        guard text.count == 6, text[3] == UInt8(ascii: ":"), let hours = number(text[1..<3], in: 0...23),
            let minutes = number(text[4..<6], in: 0...59)
        else { return nil }
        switch text[0] {
        case UInt8(ascii: "+"): return hours * 3_600 + minutes * 60
        case UInt8(ascii: "-"): return -(hours * 3_600 + minutes * 60)
        default: return nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>, in range: ClosedRange<Int>) -> Int? {
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return range.contains(value) ? value : nil
    }

    private static func daysInMonth(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isLeap(_ year: Int) -> Bool {
        (year.isMultiple(of: 4) && !year.isMultiple(of: 100)) || year.isMultiple(of: 400)
    }

    private static func days(since1970 year: Int, _ month: Int, _ day: Int) -> Int {
        var days = (1970..<year).reduce(0) { $0 + (isLeap($1) ? 366 : 365) }
        days += (1..<month).reduce(0) { $0 + daysInMonth($1, of: year) }
        return days + day - 1
    }
}
