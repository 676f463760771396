package import MQTTCodec

/// Keeps sessions and retained messages beyond the life of the process.
///
/// Shards hand it what they changed, in batches, and are told through ``Shard/storeProgressed(_:now:)`` how far it is on disk. It never blocks
/// the caller.
package protocol SessionStore: Sendable {
    /// Takes a batch; those of one shard come in the order of their numbers.
    func append(_ batch: ChangeBatch)

    /// Whether of what rules have handed over more waits than may: whoever causes more has to wait, until `relieved` is told.
    var isBehind: Bool { get }

    /// Whether the disk takes nothing now; shards are told so, but a moment later.
    var isFailing: Bool { get }
}

/// What a shard is told of the store, on its event loop.
package enum StoreProgress: Sendable, Equatable {
    /// Every batch of the shard up to this number is on disk.
    case committed(upTo: UInt64)
    /// Nothing can be written for now: what needs the disk is to be refused.
    case failing
    /// Writing goes on.
    case recovered
    /// There is room again for what rules hand over.
    case relieved
}

/// When an answer may leave that promises something to outlast a crash.
package enum Durability: Sendable, Equatable {
    /// Nothing is kept.
    case memory
    /// At once; what it promises is on disk after at most this many milliseconds.
    case relaxed(milliseconds: Int)
    /// When what it promises is on disk.
    case strict
}

/// What was kept of sessions, as the store found it.
package struct RestoredState: Sendable {
    /// In the order of their epochs.
    package var sessions: [RestoredSession] = []
    package var handOvers: [RestoredHandOver] = []
    /// Wills that shards have taken of sessions which still have them.
    package var willsTaken: [HandOverID: ShardSet] = [:]

    package init() {}
}

/// A message that was on its way from one shard to others.
package struct RestoredHandOver: Sendable {
    package var id: HandOverID
    /// The shard that it came from.
    package var cell: ShardID
    package var message: Message
    package var share: String?
    /// The cells whose sessions have got it where it came from.
    package var done: ShardSet
    /// The cells of those that have taken it.
    package var taken: ShardSet

    package init(id: HandOverID, cell: ShardID, done: ShardSet, message: Message, share: String?, taken: ShardSet) {
        self.id = id
        self.cell = cell
        self.done = done
        self.message = message
        self.share = share
        self.taken = taken
    }
}

/// What was kept of a session, as the store found it.
package struct RestoredSession: Sendable {
    package var record: SessionRecord
    /// The least place that it has not given yet.
    package var nextPlace: UInt64 = 1
    /// Its client has a later one: this one has ended, and what is to go out for that has not.
    package var isOver = false
    /// Its will was on its way to other shards already, and these had taken it.
    package var willTaken: (id: HandOverID, by: ShardSet)?
    package var subscriptions: [(filter: String, options: SubscriptionOptions)] = []
    /// In the order of their places.
    package var deliveries: [RestoredDelivery] = []
    package var received: [ReceivedRecord] = []

    package init(_ record: SessionRecord) { self.record = record }
}

/// A message that was kept for a session.
package struct RestoredDelivery: Sendable {
    package var place: UInt64
    package var message: Message
    package var qos: QoS
    package var retain: Bool
    package var identifiers: [UInt32]?
    package var share: String?
    /// Its number among what was sent to the session; `nil` when it waits.
    package var sequence: UInt64?
    /// PUBREC has come; then the message is empty.
    package var isReleased: Bool

    package init(
        place: UInt64, message: Message, qos: QoS, retain: Bool, identifiers: [UInt32]?, share: String?, sequence: UInt64?, isReleased: Bool
    ) {
        self.place = place
        self.message = message
        self.qos = qos
        self.retain = retain
        self.identifiers = identifiers
        self.share = share
        self.sequence = sequence
        self.isReleased = isReleased
    }
}
