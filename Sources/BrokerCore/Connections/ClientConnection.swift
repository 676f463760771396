import MQTTCodec
import NIOCore

/// One network connection, from accept to close.
///
/// Belongs to one shard and is touched only on its event loop.
///
/// What it sends gathers in `outbound` and leaves once per turn. A connection whose session lives on another shard is split in two:
/// the half at the socket only passes bytes (`relaying`), the half at the session does the rest through its `link`.
package final class ClientConnection {
    enum Phase {
        case awaitingConnect
        /// CONNECT is here, and AUTH packets decide whether it is accepted.
        indirect case authenticating(Connect, isAssignedClientID: Bool)
        /// CONNECT is here, and what proves who it is from is being checked elsewhere; what follows is kept.
        ///
        /// `attempt`: its place among all CONNECTs.
        indirect case checking(Connect, isAssignedClientID: Bool, attempt: UInt64)
        /// It did not prove who it is, and is told so after a while; what it sends is not read.
        indirect case refusing(clientID: String, ReasonCode, String)
        case connected
        /// The bytes go to the shard that holds the session.
        case relaying(to: ShardID, peerID: UInt64?)
        case closed
    }

    /// Whether a client takes what is sent to it as it comes.
    enum Pace {
        case even
        /// At its limit, and its publishers wait for it.
        case waitedFor
        /// It was waited for long enough: nobody does any more until it has caught up.
        case slow
    }

    /// How the bytes reach the socket.
    enum Link {
        case local
        case remote(ShardID, id: UInt64)
    }

    /// Unique over all shards for the life of the process.
    package let id: UInt64
    /// Place in the shard's table, reused after the connection has gone.
    package let slot: Int
    package let info: ConnectionInfo
    /// Of the listener that it came through, on this shard.
    let listener: ListenerCounters
    let limits: ConnectionLimits
    let openedAt: Instant
    var phase = Phase.awaitingConnect
    var link = Link.local

    var session: Session?
    /// Of an MQTT 5 connection; `nil` for one of another version.
    private(set) var terms: AgreedTerms?
    /// That of its CONNECT; MQTT 3.1.1 until that is here.
    private(set) var version = ProtocolVersion.v311
    @Rare var will: Will?
    /// The ``AcceptedConnect/attempt`` of its CONNECT.
    var attempt: UInt64 = 0
    var userName: String?
    /// By which the client proved the principal, the last time.
    var credential: CredentialFingerprint?
    /// When what the client proved holds no more; `nil` where it does not end.
    var proofEndsAt: Instant?
    /// Of the client's attributes, those that its proof gave.
    var provedNames: Set<String> = []
    /// The transport has a check of the client's proof under way.
    var isBeingChecked = false
    var keepAliveSeconds: UInt16 = 0
    var lastReceived: Instant
    /// Of a packet that has not ended, since something counted as a sign of life.
    var bytesOfPacket = 0

    /// The beginning of a packet whose end has not come yet.
    var inbox = ByteBuffer()
    /// Bytes of it that count among those of all clients.
    var inboxBytesCounted = 0
    /// Bytes of CONNECT, and of AUTH before CONNACK.
    var packetBytesKept = 0
    /// Bytes that count for the shard as those of somebody who has not said who they are.
    var strangersBytes = 0
    /// Bytes for the client that have not been handed to the transport.
    var outbound = OutboundBytes()
    /// What waits for the disk.
    var held = HeldAnswers()
    /// Whether the connection is on the shard's list for the end of this turn.
    var isDirty = false
    /// A SUBACK waits for the other shards, or the end of an earlier connection of the client for one of them: packets behind it wait in
    /// ``inbox``, so that answers leave in the order of what they answer, and messages in the order in which they were published.
    var isAwaitingPeers = false
    /// So many answers wait for the disk that nothing more is done for it.
    var isAwaitingAnswers = false
    /// How far the client is behind.
    var pace = Pace.even
    /// QoS 0 messages behind `outbound`, where the policy is to drop the oldest, or one of them may expire before it is sent.
    ///
    /// Empty while the transport takes bytes.
    var backlog = DeliveryBacklog()
    /// Bytes that were put into `outbound` or `backlog` since the transport took no more.
    var stuckBytes = 0
    /// Bytes of answers that were put into `outbound` since then.
    var unreadAnswerBytes = 0
    /// Messages that were written since then, for how long they took, and when the first of them was accepted.
    var late: (time: AcceptTime, messages: UInt64) = (.unknown, 0)
    /// What it sends is not read for now, because it publishes faster than others take it: what came already waits in ``inbox``.
    var isHeld = false
    /// Whether its socket is read.
    var isRead = true
    /// Its socket is gone, and what came before that is still being worked off.
    var isLeaving = false
    /// Whether somebody wants to see what happens on it.
    var isTraced = false
    var rate = PublishRate()
    /// Whether the transport takes more bytes now.
    var isWritable = true
    /// When it counts as slow, while it is waited for.
    var patienceEndsAt: Instant?

    /// Where the topic leads that this client published last: a device that repeats its topic is matched by one comparison.
    var lastRoute: Route?

    init(id: UInt64, slot: Int, info: ConnectionInfo, listener: ListenerCounters, limits: ConnectionLimits, openedAt: Instant) {
        self.id = id
        self.slot = slot
        self.info = info
        self.listener = listener
        self.limits = limits
        self.openedAt = openedAt
        lastReceived = openedAt
    }

    /// From here on it speaks the version of its CONNECT, and keeps to what that agreed to.
    func begin(_ connect: Connect) {
        version = connect.version
        if version == .v5 { terms = AgreedTerms(connect.properties, limits: limits.values) }
    }

    var isConnected: Bool { if case .connected = phase { true } else { false } }
    package var isClosed: Bool { if case .closed = phase { true } else { false } }

    /// Name of the client in logs, once it is known.
    package var clientID: String? { session?.clientID }

    var isAWS: Bool { info.terms.dialect == .aws }

    /// What people see of a user name: of AWS's clients all but what follows a `?`, where tokens and signatures stand.
    func shown(_ userName: String?) -> String? { isAWS ? userName.map(PacketDetail.plainName) : userName }

    /// Bytes of the largest packet that the client takes.
    var packetBytesMax: Int { terms?.packetBytesMax ?? .max }

    var publisher: Publisher {
        Publisher(clientID: session?.clientID, principal: session?.principal, peer: info.peer, notes: session?.notes)
    }

    /// The client gave a sign of life.
    func noteReceived(at now: Instant) {
        lastReceived = now
        bytesOfPacket = 0
    }

    /// When the client has been silent for too long; `nil` while the check is off.
    var keepAliveDeadline: Instant? {
        keepAliveSeconds == 0 ? nil : lastReceived.advanced(bySeconds: Double(keepAliveSeconds) * 1.5)  // [MQTT-3.1.2-24] [MQTT5-3.1.2-22]
    }

    /// An answer was put behind so many bytes of what is on its way.
    func noteAnswer(behind bytes: Int) {
        if !isWritable { unreadAnswerBytes += outbound.count - bytes }
    }
}
