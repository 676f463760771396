import DequeModule
import MQTTCodec
import NIOCore

/// What the broker keeps for one client identifier (MQTT 3.1.1 section 4.1).
///
/// Belongs to one shard.
///
/// A clean session ends with its connection; any other waits for the client to come back.
package final class Session {
    /// Where a subscription stands in the shard's index, so that it is removed without a search.
    struct Subscription {
        var qos: QoS
        var entry: Int
        var position: Int
    }

    package let clientID: String
    /// Who opened it: nobody else may resume it or take it over.
    let principal: String?
    /// Number of this ownership in the ``SessionDirectory``.
    package let epoch: UInt64
    /// Ends with the connection.
    var isClean: Bool
    /// A new session of the same client follows on this shard, so that ending this one does not give the identifier back.
    var isReplaced = false
    var connection: ClientConnection?
    var subscriptions: [ExactText: Subscription] = [:]
    var window = OutboundWindow()
    var queue = MessageQueue()
    /// A topic whose retained message is still to be sent for a new subscription.
    struct OwedRetained {
        var topic: ByteBuffer
        /// The filter that asked for it last.
        var filter: ExactText
        var qos: QoS
    }

    /// What is owed of retained messages, each topic once.
    ///
    /// The message is looked up when it is sent, so that an old one never follows a newer.
    var retainedBacklog = Deque<OwedRetained>()
    var awaitingPubrel = InboundExactlyOnce()
    var dropped: UInt64 = 0
    /// Whether the queue's being full has been reported since it last had room.
    var isQueueFull = false
    /// Whether a deadline for the session's expiry waits: there is one at most, however often the client comes and goes.
    var expiryIsScheduled = false
    /// When the connection went; `nil` while there is one.
    var disconnectedAt: Instant?

    /// The last route that this session was entered in, and where: finds overlapping subscriptions without a search.
    var routeMark: UInt64 = 0
    var routePosition = 0

    package init(clientID: String, principal: String?, epoch: UInt64, isClean: Bool) {
        self.clientID = clientID
        self.principal = principal
        self.epoch = epoch
        self.isClean = isClean
    }

    var subscriber: Publisher { Publisher(clientID: clientID, principal: principal) }
}
