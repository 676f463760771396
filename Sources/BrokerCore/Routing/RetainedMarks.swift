/// Which message that was retained: the how manieth of the shard that accepted it.
struct RetainedMark: Equatable {
    var shard: ShardID
    var number: UInt64
}

/// How many messages each shard had retained at some time, by the shard's index.
struct RetainedMarks {
    private var numbers: [UInt64]

    init(shardCount: Int) { numbers = Array(repeating: 0, count: shardCount) }

    subscript(shard: ShardID) -> UInt64 {
        get { numbers[shard.index] }
        set { numbers[shard.index] = newValue }
    }

    /// Whether a message was retained later.
    func isBefore(_ mark: RetainedMark) -> Bool { mark.number > numbers[mark.shard.index] }
}

extension Shard {
    /// What is retained next, here.
    func nextRetainedMark() -> RetainedMark {
        retainedSeen[id] += 1
        return RetainedMark(shard: id, number: retainedSeen[id])
    }

    /// What a shard that is handed something is to hear, too: how many messages were retained here before.
    func untoldRetained(to peer: ShardID) -> ShardMessage? {
        if retainedTold[peer] == retainedSeen[id] { return nil }
        retainedTold[peer] = retainedSeen[id]
        return .retainedUpTo(retainedSeen[id])
    }

    /// Whether a message was retained by a shard that routed by the subscription already, as `marks` tell, and is still on its way from there.
    ///
    /// As a retained message, too, it would come before older ones that are on their way with it [MQTT-4.6.0-6] [MQTT5-4.6.0-6].
    func isOnItsWay(_ mark: RetainedMark?, to marks: RetainedMarks) -> Bool {
        guard let mark else { return false }
        return marks.isBefore(mark) && retainedSeen.isBefore(mark)
    }

    /// All has arrived that a shard retained up to then and that somebody here wants.
    func retained(upTo number: UInt64, by peer: ShardID) { retainedSeen[peer] = max(retainedSeen[peer], number) }
}
