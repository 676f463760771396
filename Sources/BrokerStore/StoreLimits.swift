/// How much room the store takes beside what it holds, and how soon it tries again (record 0021).
///
/// A page has 4,096 bytes.
package struct StoreLimits: Sendable {
    /// Pages in the log from which on it is brought into the file: it has these and those of one transaction at the most.
    package var logPages = 4_000
    /// Bytes that the log's file keeps when it begins anew; what one transaction needed beyond that is given back.
    package var logBytesKept = 64 << 20
    /// Pages without content that the file keeps for what comes, a quarter of the file where that is more: what is beyond is given back.
    package var freePagesKept = 4_096
    /// Pages that are given back in one transaction, between those of others.
    package var freePagesPerStep = 256
    /// Between two such transactions.
    package var freePagesMilliseconds = 50
    /// Pages with content of a file that cannot give back any, up to which it is written anew at start.
    package var rewrittenPagesMax = 16_384
    /// Between two tries to write again.
    package var retryMilliseconds = 250

    package init() {}
}
