/// What holds for ever after a time zone's last known change: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX's TZ, RFC 8536 section 3.3).
struct TimeZoneFooter: Sendable {
    /// A day of each year: the n-th weekday of a month, the last one where n is 5, and the second of that day.
    private struct Change: Sendable {
        var month: Int64
        var week: Int64
        /// 0 for Sunday.
        var weekday: Int64
        var second: Int64

        /// In seconds since 1970, by the clocks before the change.
        func time(in year: Int64) -> Int64 {
            let first = CivilTime(year: year, month: month, day: 1)
            var day = 1 + (weekday - first.weekday % 7 + 7) % 7 + (week - 1) * 7
            if day > CivilTime.daysIn(month: month, of: year) { day -= 7 }
            return ((first.milliseconds ?? 0) / 1_000) + (day - 1) * 86_400 + second
        }
    }

    private let standard: TimeZoneRules.Kind
    private let summer: (kind: TimeZoneRules.Kind, begins: Change, ends: Change)?

    /// Nil for a text that is none, or that names days by their number.
    init?(parsing text: ArraySlice<UInt8>) {
        var reader = FooterReader(String(decoding: text, as: UTF8.self)[...])
        guard let name = reader.name(), let distance = reader.clock() else { return nil }
        standard = TimeZoneRules.Kind(offset: -distance, abbreviation: name)
        guard !reader.isAtEnd else {
            summer = nil
            return
        }
        guard let other = reader.name() else { return nil }
        let offset = reader.isAtComma ? standard.offset + 3_600 : reader.clock().map { -$0 }
        guard let offset, let begins = reader.change(), let ends = reader.change(), reader.isAtEnd else { return nil }
        let kind = TimeZoneRules.Kind(offset: offset, abbreviation: other)
        func change(_ parts: [Int64]) -> Change { Change(month: parts[0], week: parts[1], weekday: parts[2], second: parts[3]) }
        summer = (kind, change(begins), change(ends))
    }

    func kind(at seconds: Int64) -> TimeZoneRules.Kind {
        guard let summer else { return standard }
        let (local, overflow) = seconds.addingReportingOverflow(standard.offset)
        let (milliseconds, tooFar) = local.multipliedReportingOverflow(by: 1_000)
        if overflow || tooFar { return standard }
        let year = CivilTime(milliseconds: milliseconds).year
        let begins = summer.begins.time(in: year) - standard.offset
        let ends = summer.ends.time(in: year) - summer.kind.offset
        // South of the equator summer goes over the year's end.
        let isSummer = begins < ends ? (begins..<ends).contains(seconds) : !(ends..<begins).contains(seconds)
        return isSummer ? summer.kind : standard
    }
}

/// Reads the parts of a footer.
private struct FooterReader {
    private var rest: Substring

    init(_ text: Substring) { rest = text }

    var isAtEnd: Bool { rest.isEmpty }
    var isAtComma: Bool { rest.first == "," }

    /// Letters, or anything between `<` and `>`.
    mutating func name() -> String? {
        let isQuoted = rest.first == "<"
        if isQuoted { rest = rest.dropFirst() }
        let name = rest.prefix { isQuoted ? $0 != ">" : $0.isASCII && $0.isLetter }
        rest = rest.dropFirst(name.count + (isQuoted ? 1 : 0))
        return name.isEmpty ? nil : String(name)
    }

    private mutating func number() -> Int64? {
        let digits = rest.prefix(4).prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return Int64(digits)
    }

    /// `[+-]h[:m[:s]]` in seconds.
    mutating func clock() -> Int64? {
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        guard var seconds = number().map({ $0 * 3_600 }), seconds <= 167 * 3_600 else { return nil }
        for unit in [Int64(60), 1] where rest.first == ":" {
            rest = rest.dropFirst()
            guard let part = number(), part < 60 else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    /// `,Mm.w.d[/time]` as month, week, weekday and second.
    mutating func change() -> [Int64]? {
        guard rest.hasPrefix(",M") else { return nil }
        rest = rest.dropFirst(2)
        var parts: [Int64] = []
        for limits in [Int64(1)...12, 1...5, 0...6] {
            if !parts.isEmpty {
                guard rest.first == "." else { return nil }
                rest = rest.dropFirst()
            }
            guard let part = number(), limits.contains(part) else { return nil }
            parts.append(part)
        }
        guard rest.first == "/" else { return parts + [7_200] }
        rest = rest.dropFirst()
        return clock().map { parts + [$0] }
    }
}
