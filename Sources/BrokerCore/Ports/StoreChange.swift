package import MQTTCodec
package import NIOCore

/// One step in what a shard keeps of sessions beyond the life of the process.
///
/// The steps of a batch are carried out in their order, all or none. Doing one twice is the same as doing it once.
package enum StoreChange: Sendable {
    /// The session as it is now, but for what the other changes say of it.
    indirect case putSession(SessionRecord)
    /// The session with everything in it.
    case endSession(UInt64)
    case subscribe(session: UInt64, filter: String, SubscriptionOptions)
    case unsubscribe(session: UInt64, filter: String)
    /// A message waits for the session, or is on its way to its client.
    case enqueue(DeliveryRecord)
    /// A message that waited is sent; `sequence` counts what was sent to the session at QoS 1 and 2.
    case sent(session: UInt64, place: UInt64, sequence: UInt64)
    /// PUBREC has come: only the packet identifier is still in use.
    case released(session: UInt64, place: UInt64)
    case remove(session: UInt64, place: UInt64)
    /// A QoS 2 message has come from the session's client, and what it led to on the shard `cell` is in the same batch.
    case received(ReceivedRecord)
    /// PUBREL has come.
    case forget(session: UInt64, packetID: UInt16)
    /// A message is on its way to other shards, which do not have it on disk yet.
    indirect case handOver(HandOverRecord)
    /// A shard has done its part of what another one handed over, and what it led to there is in the same batch.
    case taken(HandOverID, by: ShardID, cells: ShardSet)
    /// All shards that were handed it have it on disk: nothing of it is to be kept, nor who has taken it.
    case handedOver(HandOverID)
}

/// What a shard changed in one turn.
package struct ChangeBatch: Sendable {
    package var shard: ShardID
    /// Rises from one batch of the shard to its next.
    package var number: UInt64
    package var changes: [StoreChange] = []
    /// What ``DeliveryRecord/body`` refers to: one message, however many sessions it waits for.
    package var bodies: [Message] = []
    /// Whether retained messages were changed: ``RetainedStore/takeChanges()`` tells which.
    package var changesRetained = false
    /// Whether rules have handed something to the store before it, which answers of the turn wait for.
    package var followsRecords = false

    package init(shard: ShardID, number: UInt64) {
        self.shard = shard
        self.number = number
    }

    package var isEmpty: Bool { changes.isEmpty && !changesRetained && !followsRecords }
}

/// A session that outlives its connection.
package struct SessionRecord: Sendable, Equatable {
    /// Its number, which no other session ever has.
    package var epoch: UInt64
    package var clientID: String
    package var principal: String?
    package var expirySeconds: Int
    package var slowConsumer: SlowConsumerPolicy
    /// The shard that had it first.
    ///
    /// While there are fewer, another one has it: the remainder by their number.
    package var cell: ShardID
    /// When its connection went; `nil` while there is one.
    package var disconnectedAt: Instant?
    package var will: WillRecord?
    /// As many messages were sent to it at QoS 1 and 2, at least: the packet identifiers of the last of them are not given again before
    /// all others.
    package var sequence: UInt64 = 0

    package init(
        epoch: UInt64, clientID: String, principal: String?, expirySeconds: Int, slowConsumer: SlowConsumerPolicy, cell: ShardID,
        disconnectedAt: Instant?, will: WillRecord?
    ) {
        self.epoch = epoch
        self.clientID = clientID
        self.principal = principal
        self.expirySeconds = expirySeconds
        self.slowConsumer = slowConsumer
        self.cell = cell
        self.disconnectedAt = disconnectedAt
        self.will = will
    }
}

/// A will that is to be published when the connection ends, or that waits for its delay.
package struct WillRecord: Sendable, Equatable {
    package var will: Will
    /// `nil` while the client is connected.
    package var due: Instant?

    package init(will: Will, due: Instant?) {
        self.will = will
        self.due = due
    }
}

/// A message for one session.
package struct DeliveryRecord: Sendable {
    package var session: UInt64
    /// Its place in the order of what the session is to get.
    package var place: UInt64
    /// Which of ``ChangeBatch/bodies``.
    package var body: Int
    package var qos: QoS
    package var retain: Bool
    /// As in ``StoreChange/sent(session:place:sequence:)`` when it was sent at once.
    package var sequence: UInt64?
    package var identifiers: [UInt32]?
    /// The shared subscription that chose the session.
    package var share: String?

    package init(
        session: UInt64, place: UInt64, body: Int, qos: QoS, retain: Bool, sequence: UInt64?, identifiers: [UInt32]?, share: String?
    ) {
        self.session = session
        self.place = place
        self.body = body
        self.qos = qos
        self.retain = retain
        self.sequence = sequence
        self.identifiers = identifiers
        self.share = share
    }
}

/// One shard's part of a QoS 2 message that came from a client.
package struct ReceivedRecord: Sendable, Equatable {
    package var session: UInt64
    package var packetID: UInt16
    /// The shard that has done its part.
    package var cell: ShardID
    /// The cells of all that have one, where the message came to; empty elsewhere.
    package var expected: ShardSet
    /// The cells whose sessions have got it by then: a shard has several while there are fewer shards than there were.
    package var done: ShardSet

    package init(session: UInt64, packetID: UInt16, cell: ShardID, expected: ShardSet, done: ShardSet? = nil) {
        self.session = session
        self.packetID = packetID
        self.cell = cell
        self.expected = expected
        self.done = done ?? ShardSet(cell)
    }
}

/// What tells one message that a shard hands over for a session from every other.
package struct HandOverID: Sendable, Hashable {
    package var session: UInt64
    /// Among what the session was to get, and what was handed over for it.
    package var place: UInt64

    package init(session: UInt64, place: UInt64) {
        self.session = session
        self.place = place
    }
}

/// A message that leaves what was kept of a session for sessions on other shards.
package struct HandOverRecord: Sendable {
    package var id: HandOverID
    /// That of the session: what goes on after a crash keeps its order.
    package var cell: ShardID
    /// The cells whose sessions have got it.
    package var done: ShardSet
    /// Which of ``ChangeBatch/bodies``.
    package var body: Int
    /// The shared subscription one of whose members it is for; `nil` for a will, which goes to all that want it.
    package var share: String?

    package init(id: HandOverID, cell: ShardID, done: ShardSet, body: Int, share: String?) {
        self.id = id
        self.cell = cell
        self.done = done
        self.body = body
        self.share = share
    }
}

/// A topic whose retained message is another one now, or none.
package struct RetainedChange: Sendable {
    package var topic: ByteBuffer
    package var message: Message?
    package var publisher: Publisher

    package init(topic: ByteBuffer, message: Message?, publisher: Publisher) {
        self.topic = topic
        self.message = message
        self.publisher = publisher
    }
}
