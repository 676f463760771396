/// What the rest of the program may ask of the running broker, from any task.
///
/// Every call hops to the shards it needs.
package protocol BrokerAccess: Sendable {
    /// Whether there is room for what a call is to publish: to be asked before it does anything.
    ///
    /// Without room it is counted as refused.
    func admitsPublish() -> Bool

    /// Publishes as the broker itself, in the order given; returns when every message has been routed to its subscribers' sessions, which
    /// waits for those that clients' messages wait for, too.
    ///
    /// Whoever promises something by it looks at the answer.
    @discardableResult
    func publish(_ messages: [Message]) async -> PublishOutcome

    /// The time on the broker's clock, by which messages expire.
    var now: Instant { get }

    /// What is wrong with a topic's length or number of levels, for a message of a program's; `nil` when nothing is.
    func problem(ofTopic topic: String) -> String?

    /// The message that is retained on a topic.
    func retainedMessage(on topic: String) async -> RetainedSummary?

    /// Retained messages in the order of their topics' bytes, at most `limit` from `first` on, and the topic after them; not the broker's own.
    ///
    /// Looks at every topic that has one, once, and lets others run after each part of them. `isWanted` is asked with a topic whether it counts.
    func retainedMessages(
        from first: String, limit: Int, where isWanted: @Sendable (String) -> Bool
    ) async -> (rows: [RetainedSummary], next: String?)

    /// Counters of all shards, added up.
    func statistics() async -> BrokerStatistics

    /// Connected clients and offline sessions, ordered by client identifier.
    func clients() async -> [ClientSummary]

    /// Topics that carried a message since start, ordered by name; at most `limit` of those that match `filter`.
    func topics(matching filter: String, limit: Int) async -> [TopicSummary]

    /// A live copy of the messages that match `filter`, until the stream is cancelled. Bounded: a reader that is too slow loses
    /// messages, which ``TailedMessage/skipped`` counts; delivery never waits for it.
    func tail(_ filter: String) -> AsyncStream<TailedMessage>
}

/// One retained message.
package struct RetainedSummary: Sendable {
    package var message: Message
    /// Since it was retained, or since the broker's start where it was retained before.
    package var ageMilliseconds: Int
    /// When that was, in milliseconds since 1970: for one message the same at every call, whatever is done to the clock meanwhile.
    package var retainedMilliseconds: Int
    /// Who published it; nobody for the broker and its HTTP callers.
    package var publisher: Publisher

    package init(
        message: Message, ageMilliseconds: Int, retainedMilliseconds: Int,
        publisher: Publisher = Publisher(clientID: nil, principal: nil)
    ) {
        self.publisher = publisher
        self.message = message
        self.ageMilliseconds = ageMilliseconds
        self.retainedMilliseconds = retainedMilliseconds
    }
}

/// Counters and gauges of the broker, for `/metrics`, `$SYS` and the console.
package struct BrokerStatistics: Sendable, Equatable {
    package var uptimeSeconds = 0
    package var clientsConnected = 0
    /// Sessions that outlive their connection and have none now.
    package var clientsOffline = 0
    package var clientsMaximum = 0
    package var connectionsAccepted: UInt64 = 0
    /// CONNECT packets refused, by the reason's name.
    package var connectionsRefused: [String: UInt64] = [:]
    /// Connections closed by the broker, by the reason's name (`malformed_packet`, `keep_alive_timeout`, `session_taken_over`…).
    package var connectionsClosed: [String: UInt64] = [:]
    /// Sockets closed as soon as they were accepted, by the limit's counter (`address_rate`, `broker_rate`, `address_blocked`).
    package var connectionsTurnedAway: [String: UInt64] = [:]
    /// Clients that failed to prove who they are.
    package var authenticationsFailed: UInt64 = 0
    /// Passwords that wait to be checked, or are being checked.
    package var passwordChecksWaiting = 0
    /// Checks of passwords, by what became of them: `answered`, `abandoned` by clients that left or waited too long, `refused` for want of room.
    package var passwordChecks: [String: UInt64] = [:]
    package var subscriptions = 0
    package var retainedMessages = 0
    package var retainedBytes = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    /// MQTT control packets of every type.
    package var packetsReceived: UInt64 = 0
    package var packetsSent: UInt64 = 0
    /// PUBLISH packets received, indexed by QoS.
    package var publishReceived: [UInt64] = [0, 0, 0]
    /// PUBLISH packets sent, indexed by QoS.
    package var publishSent: [UInt64] = [0, 0, 0]
    /// Messages dropped instead of delivered, by the reason's name (`queue_full`, `outbound_full`, `denied`…).
    package var messagesDropped: [String: UInt64] = [:]
    /// Messages waiting in queues of sessions, connected or not.
    package var messagesQueued = 0
    package var messagesInFlight = 0
    /// Times that a client was not read for a while because it published faster than it may.
    package var publishersThrottled: UInt64 = 0
    /// Calls of programs that were refused because too much waited to be published.
    package var publishesRefused: UInt64 = 0
    /// Bytes that wait to be published for programs.
    package var publishBytesWaiting = 0
    /// Filters of SUBSCRIBE packets that were refused.
    package var subscriptionsRefused: UInt64 = 0
    /// Routes made for topics that operators cannot list, for want of room.
    package var topicsUntracked: UInt64 = 0
    /// Payload bytes of the PUBLISH packets received and sent.
    package var publishBytesReceived: UInt64 = 0
    package var publishBytesSent: UInt64 = 0
    /// CONNECT packets that were accepted.
    package var connectsAccepted: UInt64 = 0
    /// Sessions that ended because their client was away for longer than they last.
    package var sessionsExpired: UInt64 = 0
    /// Memberships in shared subscriptions.
    package var sharedSubscriptions = 0
    /// Of the messages that wait in queues of sessions.
    package var queuedBytes = 0
    /// Messages in the longest of these queues.
    package var longestQueue = 0
    /// Clients that do not take their messages as fast as they come.
    package var slowClients = 0
    /// From a message's acceptance to the turn in which its bytes were handed to a client that was connected then: of every delivery
    /// that was written for the first time, and was not retained or queued before the client came.
    package var publishToDeliver = LatencyHistogram()
    /// By the name of the listener.
    package var listeners: [String: ListenerFigures] = [:]
    /// Seconds that a task of each event loop was late, the worst of the last measurements, in the loops' order.
    package var eventLoopLagSeconds: [Double] = []

    package init() {}
}

/// One session, with its connection if it has one now.
package struct ClientSummary: Sendable, Equatable {
    package var clientID: String
    package var connected: Bool
    package var principal: String?
    package var userName: String?
    /// `address:port` of the peer; `nil` when offline.
    package var peer: String?
    /// The listener's address and transport, as in its start-up line.
    package var listener: String?
    package var protocolVersion: String
    package var cleanSession: Bool
    package var keepAliveSeconds: Int
    package var connectedSeconds: Int
    package var subscriptions: Int
    package var queued: Int
    package var inFlight: Int
    /// Messages that it did not get, by the reason's name as in ``BrokerStatistics/messagesDropped``.
    package var drops: [String: UInt64]
    package var dropped: UInt64 { drops.values.reduce(0, +) }
    /// What it asked for and may not have, the last of each kind.
    package var refusals: [Refusal]
    /// What TLS agreed on; `nil` offline and where there is none.
    package var tls: TLSSummary?
    /// Bytes that wait: in its queue, and for its socket.
    package var queuedBytes = 0
    /// Whether it does not take its messages as fast as they come: others wait for it, or its listener's `slowConsumer` decides.
    package var isSlow = false
    /// Since it connected; 0 when offline.
    package var connectedMilliseconds = 0

    package init(
        clientID: String, connected: Bool, principal: String?, userName: String?, peer: String?, listener: String?,
        protocolVersion: String, cleanSession: Bool, keepAliveSeconds: Int, connectedSeconds: Int, subscriptions: Int,
        queued: Int, inFlight: Int, drops: [String: UInt64], refusals: [Refusal] = []
    ) {
        self.clientID = clientID
        self.connected = connected
        self.principal = principal
        self.userName = userName
        self.peer = peer
        self.listener = listener
        self.protocolVersion = protocolVersion
        self.cleanSession = cleanSession
        self.keepAliveSeconds = keepAliveSeconds
        self.connectedSeconds = connectedSeconds
        self.subscriptions = subscriptions
        self.queued = queued
        self.inFlight = inFlight
        self.drops = drops
        self.refusals = refusals
    }
}

/// What one topic carried since start.
package struct TopicSummary: Sendable, Equatable {
    package var topic: String
    package var messages: UInt64
    package var bytes: UInt64
    /// Seconds since the last message.
    package var lastSeenSeconds: Int
    package var retained: Bool
    /// Over about the last ten seconds.
    package var messagesPerSecond = 0.0

    package init(topic: String, messages: UInt64, bytes: UInt64, lastSeenSeconds: Int, retained: Bool) {
        self.topic = topic
        self.messages = messages
        self.bytes = bytes
        self.lastSeenSeconds = lastSeenSeconds
        self.retained = retained
    }
}

/// One message as an operator sees it pass.
package struct TailedMessage: Sendable {
    package var message: Message
    package var publisher: Publisher
    /// Messages that matched but did not fit into the reader's buffer since the previous one.
    package var skipped: UInt64

    package init(message: Message, publisher: Publisher, skipped: UInt64) {
        self.message = message
        self.publisher = publisher
        self.skipped = skipped
    }
}
