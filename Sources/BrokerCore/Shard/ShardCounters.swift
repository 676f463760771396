/// What a shard has counted since start.
struct ShardCounters {
    var connectionsAccepted: UInt64 = 0
    var connectionsRefused: [String: UInt64] = [:]
    var connectionsClosed: [String: UInt64] = [:]
    var bytesReceived: UInt64 = 0
    var bytesSent: UInt64 = 0
    var packetsReceived: UInt64 = 0
    var packetsSent: UInt64 = 0
    var publishReceived: [3 of UInt64] = [0, 0, 0]
    var publishSent: [3 of UInt64] = [0, 0, 0]
    /// Payload bytes of PUBLISH packets.
    var publishBytesReceived: UInt64 = 0
    var publishBytesSent: UInt64 = 0
    /// Clients that were let in.
    var connectsAccepted: UInt64 = 0
    /// Sessions that ended because their client was away for too long.
    var sessionsExpired: UInt64 = 0
    var dropped: [Drop: UInt64] = [:]
    /// Times that a client was not read for a while because it published faster than it may.
    var publishersThrottled: UInt64 = 0
    /// Filters of SUBSCRIBE packets that were refused.
    var subscriptionsRefused: UInt64 = 0
    var clientsConnected = 0
    var clientsMaximum = 0

    /// Why a message was not delivered to somebody who wanted it.
    enum Drop: String, CaseIterable {
        case queueFull = "queue_full"
        case outboundFull = "outbound_full"
        case publishDenied = "publish_denied"
        case deliveryDenied = "delivery_denied"
        case retainedFull = "retained_full"
        case sessionExpired = "session_expired"
        /// QoS 0 for a session without a connection, which the standard leaves to the server.
        case offlineAtQoS0 = "offline_qos0"
        /// A session ended with messages in its queue: a clean session's connection closed, or its client asked for a new one.
        case sessionEnded = "session_ended"
        /// A session ended with messages that it had sent and the client had not acknowledged.
        case unacknowledged
        case messageExpired = "message_expired"
        /// QoS 2 on a listener with the AWS dialect.
        case qosNotSupported = "qos_not_supported"
        /// Larger than the packets that the client takes, or than a packet can be.
        case packetTooLarge = "packet_too_large"
        /// Said to be UTF-8, and is not.
        case payloadFormatInvalid = "payload_format_invalid"
        /// It had to be on disk, and the store could not write.
        case storeFailing = "store_failing"
        /// A shared subscription lost its last member while the message was on its way.
        case noSharedMember = "no_shared_member"
    }

    mutating func drop(_ reason: Drop, _ count: Int = 1) { dropped[reason, default: 0] += UInt64(count) }
}
