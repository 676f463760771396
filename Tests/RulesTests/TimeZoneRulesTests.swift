import Foundation
import Testing

@testable import Rules

/// Files of time zones, made as RFC 8536 says.
enum ZoneFile {
    /// A file of `changes`, when clocks change and to which kind, of `kinds`, and of what holds after the last change.
    static func bytes(changes: [(time: Int64, kind: UInt8)] = [], kinds: [(offset: Int32, name: String)], footer: String) -> [UInt8] {
        var names: [UInt8] = []
        var types: [UInt8] = []
        for kind in kinds {
            types += big(kind.offset) + [0, UInt8(names.count)]
            names += Array(kind.name.utf8) + [0]
        }
        func header(_ counts: [Int32]) -> [UInt8] { Array("TZif2".utf8) + Array(repeating: 0, count: 15) + counts.flatMap { big($0) } }
        // The tables for old readers have one kind and nothing else.
        let old = header([0, 0, 0, 0, 1, 1]) + [0, 0, 0, 0, 0, 0, 0]
        let counts: [Int32] = [0, 0, 0, Int32(changes.count), Int32(kinds.count), Int32(names.count)]
        return old + header(counts) + changes.flatMap { big($0.time) } + changes.map(\.kind) + types + names + Array("\n\(footer)\n".utf8)
    }

    private static func big(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    /// The zones that the vectors name.
    static let zones: [String: TimeZoneRules] = [
        "America/Belize": TimeZoneRules(parsing: bytes(kinds: [(-21_600, "CST")], footer: "CST6")),
        "America/Los_Angeles": TimeZoneRules(parsing: bytes(kinds: [(-28_800, "PST")], footer: "PST8PDT,M3.2.0,M11.1.0")),
    ].compactMapValues(\.self)
}

@Suite struct TimeZoneRulesTests {
    private func rules(_ footer: String, changes: [(Int64, UInt8)] = []) throws -> TimeZoneRules {
        try #require(TimeZoneRules(parsing: ZoneFile.bytes(changes: changes, kinds: [(3_600, "ONE"), (7_200, "TWO")], footer: footer)))
    }

    @Test func theTableHoldsUntilItsLastChange() throws {
        let rules = try rules("THREE-3", changes: [(100, 1), (200, 0), (300, 1)])
        let times: [Int64] = [.min, 99, 100, 199, 200, 299, 300, .max]
        #expect(times.map { rules.kind(at: $0).abbreviation } == ["ONE", "ONE", "TWO", "TWO", "ONE", "ONE", "THREE", "THREE"])
        #expect(rules.kind(at: 300).offset == 10_800)
    }

    @Test(arguments: [
        // The last Sunday of March at 1:00 UTC, and of October.
        ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_745_999, 3_600), ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_746_000, 7_200),
        ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_889_999, 7_200), ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_890_000, 3_600),
        // South of the equator, over the year's end.
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_767_225_600, 39_600), ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_782_864_000, 36_000),
        ("<+0330>-3:30", 0, 12_600), ("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", 1_782_864_000, -7_200), ("UTC0", 0, 0),
    ])
    func footers(footer: String, seconds: Int64, offset: Int64) throws {
        #expect(try rules(footer).kind(at: seconds).offset == offset)
    }

    @Test(arguments: [
        "", "CET", "-1", "CET-1CEST", "CET-1CEST,J60,J300", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "<CET-1", "A-999", "CET-1x",
    ])
    func whatIsNoFooterIsNone(footer: String) throws {
        #expect(TimeZoneFooter(parsing: ArraySlice(footer.utf8)) == nil)
        // Then the last change of the table holds on.
        #expect(try rules(footer, changes: [(100, 1)]).kind(at: .max).offset == 7_200)
    }

    @Test func damagedFilesAreReadOrRefused() {
        let seed = UInt64.random(in: 0..<1_000_000)
        print("time zones: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let whole = ZoneFile.bytes(
            changes: [(-5_000_000_000, 0), (100, 1), (200, 0)], kinds: [(3_600, "ONE"), (7_200, "TWO")],
            footer: "CET-1CEST,M3.5.0,M10.5.0/3")
        #expect(TimeZoneRules(parsing: whole) != nil)
        for length in 0..<100 { #expect(TimeZoneRules(parsing: Array(whole.prefix(length))) == nil) }
        for _ in 0..<20_000 {
            var damaged = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let rules = TimeZoneRules(parsing: damaged) else { continue }
            for seconds in [Int64.min, -1, 150, 1_782_864_000, .max] { _ = rules.kind(at: seconds) }
            for local in [Int64(-10_000_000_000), 0, 253_402_300_799] { _ = rules.utc(ofLocal: local) }
        }
    }

    /// The system's own files, where it has them, against another reader of them.
    @Test(arguments: ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "Africa/Casablanca"])
    func theSystemsZonesAgreeWithAnotherImplementation(name: String) throws {
        guard let data = try? Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/\(name)")), let other = TimeZone(identifier: name) else {
            print("skipped: no zone \(name)")
            return
        }
        let rules = try #require(TimeZoneRules(parsing: Array(data)))
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            // 1970 to 2036: up to where both have tables.
            let seconds = Int64.random(in: 0..<2_100_000_000, using: &random)
            let theirs = other.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
            #expect(rules.kind(at: seconds).offset == Int64(theirs), "\(seconds), seed \(seed)")
            // Back from the clock: the same time, or the other one of the same clock.
            let local = seconds + Int64(theirs)
            let back = rules.utc(ofLocal: local)
            #expect(back + rules.kind(at: back).offset == local, "\(seconds), seed \(seed)")
        }
    }
}
