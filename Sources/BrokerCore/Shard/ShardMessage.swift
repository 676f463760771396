import MQTTCodec
package import NIOCore

/// What one shard tells another.
///
/// Between two shards messages arrive in the order of sending.
package enum ShardMessage: Sendable {
    /// For the receiver's sessions only: everything else was done where the message was accepted.
    ///
    /// Of one that the receiver is to note with what it led to, what tells it from others. Sessions of cells that had done their part
    /// before a crash do not get it again.
    case deliver(Message, of: HandedPart?, except: ShardSet)
    /// Messages at QoS 0 for the receiver's sessions only.
    case deliverRun(PublishRun)
    /// For one member of each of these shared subscriptions at the receiver, or wherever members are by then.
    case deliverShared(Message, groups: [String], hops: Int, of: HandOverID?)
    /// A message by the broker itself whose topic has its home at the receiver.
    case publish(Message)
    /// The receiver is to say when it has come here: so much was handed over since the last mark.
    case mark(bytes: Int)
    /// The sender has come to a mark.
    case workedOff(bytes: Int)
    /// What was handed over before belongs to this turn of the sender, which wants to know when all of it is on disk.
    case settle(turn: UInt64)
    /// All is on disk that the sender changed for what the receiver handed over in this turn.
    case settled(turn: UInt64)
    /// The sender begins or ceases to want a filter.
    case interest(filter: String, wanted: Bool, sequence: UInt64)
    /// The members that the sender has in a shared subscription.
    case sharedMembers(group: String, SharedGroup.Counts, sequence: UInt64)
    /// The sender routes by every interest up to this number of the receiver, and has retained so many messages before.
    case interestApplied(sequence: UInt64, retained: UInt64)
    /// The sender has retained so many messages; what the receiver is to get of them it has been handed before.
    case retainedUpTo(UInt64)
    /// The receiver no longer owns this client identifier: what it holds under the epoch ends, and then the connection that took it is told.
    case evict(clientID: String, epoch: UInt64, newPeer: String, slot: Int, connectionID: UInt64)
    /// What the client published on its earlier connection is on its way everywhere: what it sends on this one may follow.
    case evicted(slot: Int, connectionID: UInt64)
    /// A connection at the sender whose session lives at the receiver; the bytes are its CONNECT, accepted, and what followed.
    case adopt(id: UInt64, info: ConnectionInfo, AcceptedConnect)
    /// Bytes that came for a connection adopted by the receiver.
    case relayReceived(id: UInt64, bytes: ByteBuffer)
    case relayWritable(id: UInt64, Bool)
    /// The sender is, or is no longer, at the limit of what it delivers: publishers are to wait.
    case congested(Bool)
    /// Whether the receiver, which has the socket, is to read from it.
    case relayReading(id: UInt64, Bool)
    case relayPeerClosed(id: UInt64, CloseReason)
    /// What the client proved itself by, on its socket at the sender, counts no more.
    case relayProofLost(id: UInt64, refusal: String)
    /// Bytes to be sent on a connection whose socket is at the receiver.
    case relaySend(id: UInt64, bytes: ByteBuffer)
    case relayClose(id: UInt64, CloseReason)
}

extension ShardMessage {
    /// Whether it may lead to something that has to be on disk before the sender's client is answered.
    var isHandOff: Bool {
        switch self {
        case .deliver, .deliverShared, .publish, .evict: true
        default: false
        }
    }
}

/// What a shard notes together with what it did for a message of another one.
package enum HandedPart: Sendable {
    case inbound(InboundID)
    case handOver(HandOverID)
}

/// A QoS 2 message that a client has sent and not released.
package struct InboundID: Sendable {
    /// The epoch of the client's session.
    let session: UInt64
    let packetID: UInt16
}
