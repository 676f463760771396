/// What the durable store has done since start.
package struct StoreStatistics: Sendable, Equatable {
    /// The durability in force, as the configuration says it.
    package var durability: String
    /// Transactions on disk.
    package var commits: UInt64 = 0
    /// Changes in them.
    package var changes: UInt64 = 0
    /// Of all commits together, from the first statement to the end of the sync.
    package var commitSeconds = 0.0
    /// How long each of them took.
    package var commitLatency = LatencyHistogram()
    /// Changes that the writer has not taken yet.
    package var waitingChanges = 0
    /// Times that writing failed.
    package var errors: UInt64 = 0
    /// Whether nothing can be written now.
    package var isFailing = false
    /// Damaged stores that were set aside at start.
    package var setAside: UInt64 = 0

    package init(durability: String) { self.durability = durability }
}

extension Durability: CustomStringConvertible {
    package var description: String {
        switch self {
        case .memory: "memory"
        case .relaxed(let milliseconds): "relaxed(\(milliseconds))"
        case .strict: "strict"
        }
    }
}
