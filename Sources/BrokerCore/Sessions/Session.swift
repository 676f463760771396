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
    let notes = AuthorizerNotes()
    /// Number of this ownership in the ``SessionDirectory``.
    package let epoch: UInt64
    /// Among the sessions of its shard; see ``SessionTable``.
    var tablePlace = 0
    /// The ``AcceptedConnect/attempt`` that opened or resumed it last.
    var lastAttempt: UInt64 = 0
    /// Seconds that it outlives its connection; 0 when it ends with it.
    var expirySeconds: Int
    var endsWithConnection: Bool { expirySeconds == 0 }
    /// A new session of the same client follows on this shard, so that ending this one does not give the identifier back.
    var isReplaced = false
    /// It has ended, and its subscriptions are still on their way out of the index: nothing goes to it any more.
    var isAbandoned = false
    /// Whether somebody wants to see what happens to it.
    var isTraced = false
    var connection: ClientConnection?
    var subscriptions: [ExactText: Subscription] = [:]
    var window = OutboundWindow()
    /// What it has waiting, as the shard counts it.
    var waitingBytesCounted = 0
    var queue = MessageQueue()
    var retainedBacklog = RetainedBacklog()
    /// The retained message whose turn it is when what is in front of the queue's mark has gone.
    @Rare var heldRetained: OwedRetained?
    /// Whether it waits for the turn that sends it more of what it is owed.
    var isOwedLater = false
    /// Topics of what is in the queue, since it was asked for one; at most twice as many as messages wait there, and a few.
    private var queuedTopics: Set<ByteBuffer>?
    var awaitingPubrel = InboundExactlyOnce()
    /// Of these, as the shard counts them.
    var awaitingPubrelCounted = 0
    var keeping = SessionKeeping()
    /// Of one that is older than the process: what parts of messages that were done before are told by.
    var cellBefore: ShardID?
    /// Of the will that it was found with: what tells it from others, and who has it.
    @Rare var willTaken: (id: HandOverID, by: ShardSet)?
    /// Messages that were dropped instead of delivered to it, by reason.
    var drops: [ShardCounters.Drop: UInt64] = [:]
    /// What it asked for and may not have.
    var refusals = Refusals()
    /// Drops since the last report of them, and when that was.
    var unreportedDrops: UInt64 = 0
    var dropsReportedAt: Instant?
    var lastDropReason: ShardCounters.Drop?
    var dropReportIsScheduled = false
    /// Of the listener that it was connected through last.
    var slowConsumer = SlowConsumerPolicy.dropNewest
    /// When the deadline for the session's expiry comes: there is one at most, however often the client comes and goes.
    var expiryDeadline: Instant?
    /// Likewise for messages in the queue that expire: never later than the first of them, but for the pause between two sweeps.
    var sweepAt: Instant?
    /// When the connection went; `nil` while there is one.
    var disconnectedAt: Instant?
    @Rare var delayedWill: DelayedWill?
    /// Of its wills, as the shard counts them.
    var willBytesCounted = 0
    /// Levels of all its filters.
    var filterLevels = 0
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

    /// Whether a message on this topic waits in the queue, or may.
    func isQueued(_ topic: ByteBuffer) -> Bool {
        if queue.isEmpty {
            queuedTopics = nil
            return false
        }
        let topics = queuedTopics ?? Set(queue.topics)
        queuedTopics = topics
        return topics.contains(topic)
    }

    /// A message came to the queue.
    func noteQueued(_ topic: ByteBuffer) {
        guard queuedTopics?.insert(topic) != nil else { return }
        if let count = queuedTopics?.count, count > 2 * queue.count + 16 { queuedTopics = Set(queue.topics) }
    }

    /// Its filter asks for retained messages: what it was owed before comes no more [MQTT5-3.8.4-3].
    func askRetained(for filter: ExactText, _ options: SubscriptionOptions, version: UInt64, marks: RetainedMarks) {
        if heldRetained?.filter == filter { heldRetained = nil }
        retainedBacklog.ask(filter, options, version: version, marks: marks)
    }

    /// Its subscription was replaced by one that asks for none: what is still owed comes by the new one's options [MQTT5-3.8.4-3].
    func renewRetained(for filter: ExactText, _ options: SubscriptionOptions) {
        if heldRetained?.filter == filter { heldRetained?.options = options }
        retainedBacklog.renew(filter, options)
    }

    /// Its filter is owed no retained messages any more.
    func giveUpRetained(for filter: ExactText) {
        retainedBacklog.giveUp(filter)
        if heldRetained?.filter == filter { heldRetained = nil }
    }

    var subscriber: Publisher { Publisher(clientID: clientID, principal: principal, notes: notes) }
}
