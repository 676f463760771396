import Foundation
import Testing

@testable import Rules

@Suite struct TimePatternTests {
    private func pattern(_ text: String, reading: Bool) throws -> TimePattern {
        try TimePattern(parsing: ArraySlice(text.utf8), letters: reading ? TimePattern.read : TimePattern.written)
    }

    /// What is written reads back, for any time of the years that people write.
    @Test func writtenTimesReadBack() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        let texts = ["yyyy-MM-dd'T'HH:mm:ss.SSSZZ", "yyyyMMddHHmmssSSS", "EEEE, d MMMM yyyy hh:mm:ss.SSS a", "yyyy DDD kk:mm:ss.SSS"]
        for text in texts {
            let written = try pattern(text, reading: false)
            let read = try pattern(text.replacing("ZZ", with: String(repeating: "X", count: 3)), reading: true)
            for _ in 0..<500 {
                // 0001 to 9999.
                let time = Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random)
                let distance = text.contains("ZZ") ? Int64.random(in: -1_080...1_080, using: &random) * 60 : 0
                let zone = ClockZone.fixed(ZoneOffset(seconds: distance))
                let spelled = try #require(written.text(milliseconds: time, zone: zone))
                #expect(read.milliseconds(spelled) == time, "\(text): \(spelled), seed \(seed)")
            }
        }
    }

    @Test func datesAgreeWithAnotherImplementation() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        var weeks = Calendar(identifier: .iso8601)
        weeks.timeZone = calendar.timeZone
        for _ in 0..<1_000 {
            let time = Int64.random(in: -10_000_000_000...10_000_000_000, using: &random) * 1_000
            let civil = CivilTime(milliseconds: time)
            let date = Date(timeIntervalSince1970: Double(time / 1_000))
            let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .weekday], from: date)
            #expect([civil.year, civil.month, civil.day] == [parts.year, parts.month, parts.day].map { Int64($0 ?? 0) }, "seed \(seed)")
            #expect([civil.hour, civil.minute, civil.second] == [parts.hour, parts.minute, parts.second].map { Int64($0 ?? 0) })
            #expect(civil.weekday % 7 + 1 == Int64(parts.weekday ?? 0))
            #expect(civil.week.week == Int64(weeks.component(.weekOfYear, from: date)))
            #expect(civil.week.year == Int64(weeks.component(.yearForWeekOfYear, from: date)))
            #expect(civil.dayOfYear == Int64(calendar.ordinality(of: .day, in: .year, for: date) ?? 0))
            #expect(civil.milliseconds == time)
        }
    }

    @Test(arguments: [
        ("UTC", 0), ("GMT", 0), ("Z", 0), ("+01:00", 3_600), ("-0830", -30_600), ("UTC+1", 3_600), ("GMT-10:30", -37_800),
        ("UT+09", 32_400),
    ])
    func zonesByTheirDistance(name: String, seconds: Int64) {
        #expect(ZoneOffset(name)?.seconds == seconds)
    }

    @Test(arguments: ["", "UTC+", "+", "+1:2:3", "+99", "+00:60", "+123456", "Zulu", "Z+1", "PST", "Europe/Berlin", "+a1"])
    func noZones(name: String) {
        #expect(ZoneOffset(name) == nil)
    }

    @Test func theLastTimesAreNoTrap() throws {
        let written = try pattern("yyyy-MM-dd x w D G C", reading: false)
        for time in [Int64.min, .max, .min + 1, .max - 1] {
            _ = written.text(milliseconds: time, zone: .fixed(ZoneOffset(seconds: 64_800)))
            _ = written.text(milliseconds: time, zone: .fixed(ZoneOffset(seconds: -64_800)))
        }
        #expect(try pattern("yyyyyyyyyy-MM-dd", reading: true).milliseconds("999999999-01-01") == nil)
    }

    /// More digits than a number of 64 bits has, also where the day of the week makes something be computed with the year at once.
    @Test(arguments: [
        ("EEE yyyyyyyyyyyyyyyyyyMMdd", "Mon 9999999999999999990101"), ("yyyyyyyyyyyyyyyyyyyDDD", "9223372036854775807001"),
        ("EEE yyyy-MM-dd", "Mon 999999999-01-01"), ("EEE G uuuuMMdd", "Sun BC 99990101"), ("uuuu DDD", "999999999 366"),
    ])
    func noYearIsATrap(text: String, time: String) throws {
        #expect(try pattern(text, reading: true).milliseconds(time) == nil)
    }
}
