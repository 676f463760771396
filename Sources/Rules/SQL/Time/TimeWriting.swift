/// Times as text, as Joda-Time's patterns say.
extension TimePattern {
    func text(milliseconds: Int64, zone: ClockZone) -> String? {
        let (local, overflow) = milliseconds.addingReportingOverflow(zone.kind(at: milliseconds).offset.seconds * 1_000)
        if overflow { return nil }
        let time = CivilTime(milliseconds: local)
        var output = ""
        for item in items {
            switch item {
            case .text(let text): output += text
            case .field(let letter, let count):
                output += zoneText(letter, count, milliseconds, zone) ?? TimePattern.text(letter, count, time)
            }
        }
        return output
    }

    /// Of the letters that stand for the zone.
    private func zoneText(_ letter: Character, _ count: Int, _ milliseconds: Int64, _ zone: ClockZone) -> String? {
        switch letter {
        case "z": zone.kind(at: milliseconds).abbreviation
        case "Z": count >= 3 ? zone.name : zone.kind(at: milliseconds).offset.text(colon: count == 2)
        default: nil
        }
    }

    private static func text(_ letter: Character, _ count: Int, _ time: CivilTime) -> String {
        switch letter {
        case "G": time.year > 0 ? "AD" : "BC"
        case "C": padded(era(time.year) / 100, count)
        case "Y": year(era(time.year), count)
        case "y": year(time.year, count)
        case "x": year(time.week.year, count)
        case "w": padded(time.week.week, count)
        case "e": padded(time.weekday, count)
        case "E": name(weekdays, time.weekday, isLong: count >= 4)
        case "D": padded(time.dayOfYear, count)
        case "M": count >= 3 ? name(months, time.month, isLong: count >= 4) : padded(time.month, count)
        case "d": padded(time.day, count)
        case "a": time.hour < 12 ? "AM" : "PM"
        case "K": padded(time.hour % 12, count)
        case "h": padded((time.hour + 11) % 12 + 1, count)
        case "H": padded(time.hour, count)
        case "k": padded((time.hour + 23) % 24 + 1, count)
        case "m": padded(time.minute, count)
        case "s": padded(time.second, count)
        case "S": fraction(time.millisecond, count)
        default: ""
        }
    }

    /// The year of its era: that before 1 is 1 BC.
    private static func era(_ year: Int64) -> Int64 { year > 0 ? year : 1 - year }

    private static func year(_ year: Int64, _ count: Int) -> String {
        count == 2 ? padded(CivilTime.floored(year, by: 100).remainder, 2) : padded(year, count)
    }

    private static func name(_ names: [String], _ number: Int64, isLong: Bool) -> String {
        let name = names[Int(number - 1)]
        return isLong ? name : String(name.prefix(3))
    }

    /// So many digits of the second's fraction, cut.
    private static func fraction(_ millisecond: Int64, _ count: Int) -> String {
        String((padded(millisecond, 3) + String(repeating: "0", count: max(0, count - 3))).prefix(count))
    }
}
