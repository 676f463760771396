/// What clocks show in a region and when that changes: a file of the time zone database (RFC 8536).
package struct TimeZoneRules: Sendable {
    /// What clocks show for a while.
    struct Kind: Equatable, Sendable {
        /// Seconds east of Greenwich.
        let offset: Int64
        /// `PST`, for instance.
        let abbreviation: String
    }

    /// When clocks change, in seconds since 1970, and to what.
    private let times: [Int64]
    private let kindOfTime: [Kind]
    private let first: Kind
    /// What holds after the last change in the table.
    private let footer: TimeZoneFooter?

    /// Nil for what is no such file, or one of its first version.
    package init?(parsing bytes: [UInt8]) {
        var reader = TimeZoneFile(bytes)
        guard let tables = reader.tables() else { return nil }
        times = tables.times
        kindOfTime = tables.kinds
        first = tables.first
        footer = TimeZoneFooter(parsing: reader.footer)
    }

    /// What clocks show at a time in seconds since 1970, UTC.
    func kind(at seconds: Int64) -> Kind {
        // The number of changes up to then.
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        if low == times.count, let footer { return footer.kind(at: seconds) }
        return low == 0 ? first : kindOfTime[low - 1]
    }

    /// Seconds since 1970, UTC, when clocks show so many seconds since 1970.
    ///
    /// Of two such times the earlier one; a time that clocks skip is as much later.
    func utc(ofLocal local: Int64) -> Int64 {
        let before = kind(at: local - 86_400).offset
        let after = kind(at: local + 86_400).offset
        if before == after || kind(at: local - before).offset == before { return local - before }
        return kind(at: local - after).offset == after ? local - after : local - before
    }
}

/// Reads the tables of 64-bit times.
private struct TimeZoneFile {
    private static let headerBytes = 44
    private static let countsMax = 100_000

    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The line after the tables.
    var footer: ArraySlice<UInt8> { rest.drop { $0 == 0x0A }.prefix { $0 != 0x0A } }

    mutating func tables() -> (times: [Int64], kinds: [TimeZoneRules.Kind], first: TimeZoneRules.Kind)? {
        // The tables of the first version come before, for old readers.
        guard let old = counts(), old.version >= UInt8(ascii: "2"), skip(old.bytes(timeSize: 4)), let counts = counts() else { return nil }
        guard counts.types > 0 else { return nil }
        var times: [Int64] = []
        for _ in 0..<counts.times {
            guard let time = integer(8) else { return nil }
            times.append(time)
        }
        guard let indices = take(counts.times) else { return nil }
        var types: [(offset: Int64, name: Int)] = []
        for _ in 0..<counts.types {
            guard let offset = integer(4), let flags = take(2), abs(offset) < 86_400 * 2 else { return nil }
            types.append((offset, Int(flags[flags.startIndex + 1])))
        }
        guard let names = take(counts.characters), skip(counts.leaps * 12 + counts.indicators) else { return nil }
        var kinds: [TimeZoneRules.Kind] = []
        for type in types {
            let name = names.dropFirst(type.name).prefix { $0 != 0 }
            kinds.append(TimeZoneRules.Kind(offset: type.offset, abbreviation: String(decoding: name, as: UTF8.self)))
        }
        guard zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }), indices.allSatisfy({ Int($0) < kinds.count }) else { return nil }
        return (times, indices.map { kinds[Int($0)] }, kinds[0])
    }

    private struct Counts {
        var version: UInt8
        var indicators: Int
        var leaps: Int
        var times: Int
        var types: Int
        var characters: Int

        func bytes(timeSize: Int) -> Int { times * (timeSize + 1) + types * 6 + characters + leaps * (timeSize + 4) + indicators }
    }

    private mutating func counts() -> Counts? {
        guard let header = take(20), header.starts(with: "TZif".utf8) else { return nil }
        var numbers: [Int] = []
        for _ in 0..<6 {
            guard let number = integer(4), (0...Int64(Self.countsMax)).contains(number) else { return nil }
            numbers.append(Int(number))
        }
        return Counts(
            version: header[header.startIndex + 4], indicators: numbers[0] + numbers[1], leaps: numbers[2], times: numbers[3],
            types: numbers[4], characters: numbers[5])
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private mutating func skip(_ count: Int) -> Bool { take(count) != nil }

    /// Of so many bytes, the first one the highest.
    private mutating func integer(_ count: Int) -> Int64? {
        guard let bytes = take(count), let first = bytes.first else { return nil }
        return bytes.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
    }
}
