import DequeModule
import MQTTCodec
import NIOCore

/// What the broker keeps for one client identifier (MQTT 3.1.1 and MQTT 5 section 4.1).
///
/// Belongs to one shard.
///
/// A session with an expiry of 0 ends with its connection; any other waits that long for the client to come back.
package final class Session {
    /// Where a subscription stands in the shard's index, so that it is removed without a search.
    struct Subscription {
        var options: SubscriptionOptions
        /// Its place in the index, or in the members of a shared subscription.
        var entry: Int
        var position: Int
        var share: SharedGroup?
    }

    /// A will that waits: for its delay, or for the client to come back.
    struct DelayedWill {
        let will: Will
        let publisher: Publisher
        let due: Instant
    }

    package let clientID: String
    /// Who opened it: nobody else may resume it or take it over.
    let principal: String?
    /// Number of this ownership in the ``SessionDirectory``.
    package let epoch: UInt64
    /// The ``AcceptedConnect/attempt`` that opened or resumed it last.
    var lastAttempt: UInt64 = 0
    /// Seconds that it outlives its connection; 0 when it ends with it.
    var expirySeconds: Int
    var endsWithConnection: Bool { expirySeconds == 0 }
    /// A new session of the same client follows on this shard, so that ending this one does not give the identifier back.
    var isReplaced = false
    var connection: ClientConnection?
    var subscriptions: [ExactText: Subscription] = [:]
    var window = OutboundWindow()
    /// Bytes of the window that count among the shard's.
    var inflightBytesCounted = 0
    var queue = MessageQueue()
    /// What is owed of retained messages and has no place in the queue.
    var retainedBacklog = RetainedBacklog()
    /// Topics of what is in the queue, as long as something is owed; at most twice as many as messages wait there, and a few.
    private var queuedTopics: Set<ByteBuffer> = []
    var awaitingPubrel = InboundExactlyOnce()
    /// Messages that were dropped instead of delivered to it, by reason.
    var drops: [ShardCounters.Drop: UInt64] = [:]
    /// Drops since the last report of them, and when that was.
    var unreportedDrops: UInt64 = 0
    var dropsReportedAt: Instant?
    var lastDropReason: ShardCounters.Drop?
    var dropReportIsScheduled = false
    /// Of the listener that it was connected through last.
    var slowConsumer = SlowConsumerPolicy.dropNewest
    /// When the deadline for the session's expiry comes: there is one at most, however often the client comes and goes.
    var expiryDeadline: Instant?
    /// Likewise for messages in the queue that expire.
    var sweepIsScheduled = false
    /// When the connection went; `nil` while there is one.
    var disconnectedAt: Instant?
    var delayedWill: DelayedWill?
    /// How many of its subscriptions are shared ones.
    var sharedSubscriptions = 0

    /// The last route that this session was entered in, and where: finds overlapping subscriptions without a search.
    var routeMark: UInt64 = 0
    var routePosition = 0

    package init(clientID: String, principal: String?, epoch: UInt64, expirySeconds: Int) {
        self.clientID = clientID
        self.principal = principal
        self.epoch = epoch
        self.expirySeconds = expirySeconds
    }

    /// Owes a retained message, each topic once; what is in the queue on its topic goes first.
    func owe(_ retained: OwedRetained) {
        if retainedBacklog.isEmpty { queuedTopics = Set(queue.topics) }
        retainedBacklog.append(retained)
        if queuedTopics.contains(retained.topic) { retainedBacklog.overtake(retained.topic) }
    }

    /// A message came to the queue, perhaps on the topic of one that is owed.
    func noteQueued(_ topic: ByteBuffer) {
        if retainedBacklog.isEmpty { return }
        retainedBacklog.overtake(topic)
        queuedTopics.insert(topic)
        if queuedTopics.count > 2 * queue.count + 16 { queuedTopics = Set(queue.topics) }
    }

    /// Nothing is owed before what is in the queue.
    func forgetQueuedTopics() { queuedTopics.removeAll() }

    var subscriber: Publisher { Publisher(clientID: clientID, principal: principal) }
}
