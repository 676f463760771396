/// How much room the store takes beside what it holds, how it groups what it writes, and how soon it tries again (records 0018 and 0021).
///
/// SQLite counts pages of ``pageBytes``; what is no multiple of them counts as the pages that are whole.
package struct StoreLimits: Sendable {
    /// Bytes of a page.
    static let pageBytes = 4_096

    /// Bytes in the log from which on it is brought into the file: it has these and those of one transaction at the most.
    package var storeLogBytesMax = 16_384_000
    /// Bytes that the log's file keeps when it begins anew; what one transaction needed beyond that is given back.
    package var storeLogBytesKeptMax = 67_108_864
    /// Bytes without content that the file keeps for what comes, a quarter of the file where that is more: what is beyond is given back.
    package var storeFreeBytesKeptMax = 16_777_216
    /// Bytes that are given back in one transaction, between those of others.
    package var storeFreeBytesPerStepMax = 1_048_576
    /// Between two such transactions.
    package var storeFreeMillisecondsMin = 50
    /// Bytes with content of a file that cannot give back any, up to which it is written anew at start.
    package var storeRewrittenBytesMax = 67_108_864
    /// Bytes of the file that are kept in memory.
    package var storeCacheBytesMax = 33_554_432
    /// Changes of one transaction from which on nothing more is waited for.
    package var storeGatherChangesMax = 1_000
    /// How long a transaction waits for more to come with it under load, and all that is acknowledged behind it.
    package var storeGatherMillisecondsMax = 2
    /// Between two tries to write again after the disk took nothing.
    package var storeRetryMilliseconds = 250

    package init() {}

    var logPages: Int { storeLogBytesMax / Self.pageBytes }
    var freePagesKept: Int { storeFreeBytesKeptMax / Self.pageBytes }
    var freePagesPerStep: Int { storeFreeBytesPerStepMax / Self.pageBytes }
    var rewrittenPagesMax: Int { storeRewrittenBytesMax / Self.pageBytes }

    /// The names under `limits:` in the configuration file, with the value each one sets.
    package static let names: [(name: String, path: any WritableKeyPath<StoreLimits, Int> & Sendable)] = [
        ("storeLogBytesMax", \.storeLogBytesMax), ("storeLogBytesKeptMax", \.storeLogBytesKeptMax),
        ("storeFreeBytesKeptMax", \.storeFreeBytesKeptMax), ("storeFreeBytesPerStepMax", \.storeFreeBytesPerStepMax),
        ("storeFreeMillisecondsMin", \.storeFreeMillisecondsMin), ("storeRewrittenBytesMax", \.storeRewrittenBytesMax),
        ("storeCacheBytesMax", \.storeCacheBytesMax), ("storeGatherChangesMax", \.storeGatherChangesMax),
        ("storeGatherMillisecondsMax", \.storeGatherMillisecondsMax), ("storeRetryMilliseconds", \.storeRetryMilliseconds),
    ]

    /// The values that each may have: SQLite takes no part of a page and no more than 31 bits of them, and clients wait for their answers.
    package static let ranges: [String: ClosedRange<Int>] = [
        "storeLogBytesMax": pageBytes...bytesAlwaysMax, "storeLogBytesKeptMax": 1...bytesAlwaysMax,
        "storeFreeBytesKeptMax": pageBytes...bytesAlwaysMax, "storeFreeBytesPerStepMax": pageBytes...bytesAlwaysMax,
        "storeFreeMillisecondsMin": 1...60_000, "storeRewrittenBytesMax": pageBytes...bytesAlwaysMax,
        "storeCacheBytesMax": 1_024...bytesAlwaysMax, "storeGatherChangesMax": 1...1_000_000, "storeGatherMillisecondsMax": 1...1_000,
        "storeRetryMilliseconds": 1...60_000,
    ]

    private static let bytesAlwaysMax = 1 << 40
}
