import NIOCore

extension Broker {
    /// Whether every event loop takes work: returns when all have answered, which a loop that hangs does not.
    package func loopsAnswer() async -> Bool {
        for shard in shards {
            guard (try? await shard.eventLoop.submit {}.get()) != nil else { return false }
        }
        return true
    }
}
