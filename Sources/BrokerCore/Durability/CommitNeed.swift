/// What has to be on disk before an answer may leave.
///
/// Made while a packet is handled, in one turn of the shard, and looked at until it is met.
struct CommitNeed {
    /// The turn in which it was made.
    var turn: UInt64 = 0
    /// What this shard changed in that turn.
    var own = false
    /// What these shards changed for what they were handed in that turn.
    var peers = ShardSet()

    var isNone: Bool { !own && peers.isEmpty }

    /// Both of the same turn.
    mutating func formUnion(_ other: CommitNeed) {
        turn = max(turn, other.turn)
        own = own || other.own
        peers.formUnion(other.peers)
    }
}

/// What a session has to do with the store.
struct SessionKeeping {
    /// Whether the session is in the store: it outlives its connection.
    var isKept = false
    /// The place of the next message for it.
    var nextPlace: UInt64 = 1
    /// The turn that changed it last.
    var changedIn: UInt64 = 0
    /// Of QoS 2 messages that came from its client, those that are not met, and some that are.
    var receiving: [CommitNeed] = []
}
