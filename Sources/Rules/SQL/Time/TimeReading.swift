/// Times from text, as java.time's patterns say: all of the text must fit.
extension TimePattern {
    /// Milliseconds since 1970, UTC; a text without a zone is UTC, one without a time of day the day's start.
    ///
    /// `regions` are the time zones that may be named. Nil for a text that does not fit.
    func milliseconds(_ text: String, regions: [String: TimeZoneRules] = [:]) -> Int64? {
        var reading = TimeReading(text, regions)
        for (position, item) in items.enumerated() {
            switch item {
            case .text(let text): guard reading.take(text) else { return nil }
            case .field(let letter, let count):
                guard reading.take(letter, count, isFollowedByNumber: isNumber(after: position)) else { return nil }
            }
        }
        return reading.milliseconds
    }

    /// Whether digits follow at once, so that this number has a fixed width.
    private func isNumber(after position: Int) -> Bool {
        guard position + 1 < items.count, case .field(let letter, let count) = items[position + 1] else { return false }
        return "yuDdKhHkmsS".contains(letter) || ("ML".contains(letter) && count <= 2)
    }
}

/// A text being read, and what is known of its time.
private struct TimeReading {
    private var rest: Substring
    private var numbers: [Character: Int64] = [:]
    private var isAfternoon: Bool?
    private var isBeforeChrist = false
    private var weekday: Int64?
    private var zone = ClockZone.fixed(.utc)
    private let regions: [String: TimeZoneRules]
    private var millisecond: Int64 = 0
    /// Whether the fraction of the second is nothing, to its last digit.
    private var isWhole = true

    init(_ text: String, _ regions: [String: TimeZoneRules]) {
        rest = text[...]
        self.regions = regions
    }

    mutating func take(_ text: String) -> Bool {
        guard rest.hasPrefix(text) else { return false }
        rest = rest.dropFirst(text.count)
        return true
    }

    mutating func take(_ letter: Character, _ count: Int, isFollowedByNumber: Bool) -> Bool {
        switch letter {
        case "y", "u": return takeYear(count, isFixed: isFollowedByNumber)
        case "M", "L":
            guard count >= 3 else { return takeNumber("M", count, isFixed: isFollowedByNumber) }
            guard let month = takeName(TimePattern.months, isLong: count >= 4) else { return false }
            numbers["M"] = month
            return true
        case "E":
            weekday = takeName(TimePattern.weekdays, isLong: count >= 4)
            return weekday != nil
        case "G":
            isBeforeChrist = rest.hasPrefix("BC")
            return take("AD") || take("BC")
        case "a":
            isAfternoon = rest.hasPrefix("PM")
            return take("AM") || take("PM")
        case "S": return takeFraction(count)
        case "V", "z", "O", "X", "x", "Z": return takeZone(letter)
        default: return takeNumber(letter, count, isFixed: isFollowedByNumber)
        }
    }

    // MARK: Numbers

    private mutating func digits(_ least: Int, _ most: Int) -> Int64? {
        let run = rest.prefix(most).prefix { $0.isASCII && $0.isNumber }
        guard run.count >= least, let number = Int64(run) else { return nil }
        rest = rest.dropFirst(run.count)
        return number
    }

    private mutating func takeNumber(_ letter: Character, _ count: Int, isFixed: Bool) -> Bool {
        let width = letter == "D" ? 3 : 2
        guard let number = digits(count, count > 1 || isFixed ? count : width) else { return false }
        numbers[letter] = number
        return true
    }

    private mutating func takeYear(_ count: Int, isFixed: Bool) -> Bool {
        guard count == 2 else {
            guard let year = digits(min(count, 9), isFixed ? min(count, 9) : 9) else { return false }
            numbers["y"] = year
            return true
        }
        guard let year = digits(2, 2) else { return false }
        numbers["y"] = 2_000 + year
        return true
    }

    private mutating func takeFraction(_ count: Int) -> Bool {
        let start = rest
        guard count <= 9, digits(count, count) != nil else { return false }
        millisecond = Int64((start.prefix(count) + "00").prefix(3)) ?? 0
        isWhole = start.prefix(count).allSatisfy { $0 == "0" }
        return true
    }

    // MARK: Names

    /// From 1; the longest name that fits.
    private mutating func takeName(_ names: [String], isLong: Bool) -> Int64? {
        for (index, name) in names.enumerated() where take(isLong ? name : String(name.prefix(3))) { return Int64(index + 1) }
        return nil
    }

    /// A zone by its distance, or with `V` and `z` by its region; `X` and `Z` begin with a sign or are `Z`.
    private mutating func takeZone(_ letter: Character) -> Bool {
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "+-:/_".contains($0)) }
        let isOffset = name.hasPrefix("+") || name.hasPrefix("-") || (name == "Z" && letter == "X")
        if "XxZ".contains(letter), !isOffset { return false }
        guard let zone = ClockZone(String(name), regions: "Vz".contains(letter) ? regions : [:]) else { return false }
        rest = rest.dropFirst(name.count)
        self.zone = zone
        return true
    }

    // MARK: The time

    var milliseconds: Int64? {
        guard rest.isEmpty, var time = date, let hour else { return nil }
        if let weekday, weekday != time.weekday { return nil }
        // A day's end is the start of the next one, as java.time takes it; a time after it is none.
        let isDaysEnd = hour == 24
        time.hour = isDaysEnd ? 0 : hour
        time.minute = numbers["m"] ?? 0
        time.second = numbers["s"] ?? 0
        time.millisecond = millisecond
        guard time.minute < 60, time.second < 60 else { return nil }
        if isDaysEnd { guard time.minute == 0, time.second == 0, isWhole else { return nil } }
        return time.milliseconds.map { zone.utc(ofLocal: $0 + (isDaysEnd ? 86_400_000 : 0)) }
    }

    private var date: CivilTime? {
        guard var year = numbers["y"] else { return nil }
        if isBeforeChrist { year = 1 - year }
        // Before anything is computed with it.
        guard CivilTime.years.contains(year) else { return nil }
        if let dayOfYear = numbers["D"], numbers["M"] == nil {
            let length: Int64 = CivilTime.daysIn(month: 2, of: year) == 29 ? 366 : 365
            guard (1...length).contains(dayOfYear) else { return nil }
            let start = CivilTime(year: year, month: 1, day: 1)
            return start.milliseconds.map { CivilTime(milliseconds: $0 + (dayOfYear - 1) * 86_400_000) }
        }
        guard let month = numbers["M"], let day = numbers["d"], (1...12).contains(month), (1...31).contains(day) else { return nil }
        // A day past the month's end is its last one, as java.time takes it.
        return CivilTime(year: year, month: month, day: min(day, CivilTime.daysIn(month: month, of: year)))
    }

    /// The hour of the day, 24 at its end; nil where the parts contradict each other or are out of range.
    private var hour: Int64? {
        if let hour = numbers["H"] { return hour <= 24 ? hour : nil }
        if let hour = numbers["k"] { return (1...24).contains(hour) ? hour % 24 : nil }
        let half: Int64
        if let hour = numbers["h"] {
            guard (1...12).contains(hour) else { return nil }
            half = hour % 12
        } else if let hour = numbers["K"] {
            guard hour < 12 else { return nil }
            half = hour
        } else {
            return numbers["m"] == nil ? 0 : nil
        }
        return isAfternoon.map { half + ($0 ? 12 : 0) }
    }
}
