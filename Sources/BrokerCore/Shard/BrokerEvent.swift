package import MQTTCodec

/// What happened, for the log.
///
/// Carries what an operator needs to act on it.
package enum BrokerEvent: Sendable {
    case connected(clientID: String, ConnectionInfo, principal: String?, userName: String?, cleanSession: Bool, sessionPresent: Bool)
    case closed(clientID: String?, ConnectionInfo, CloseReason)
    /// Two connections keep taking a client identifier from each other, or one client came back before its old connection ended.
    case takenOver(clientID: String, oldPeer: String, newPeer: String)
    case refused(clientID: String, ConnectionInfo, ReasonCode, String)
    case publishDenied(clientID: String, topic: String, String)
    case subscribeDenied(clientID: String, filter: String, String)
    /// The first message of a session that matched a subscription and that the client may not have.
    case deliveryDenied(clientID: String, topic: String, String)
    /// Messages that a client did not get, since the last such event of it.
    case messagesDropped(clientID: String, reason: String, count: UInt64)
    case retainedFull(topic: String)
    case sessionExpired(clientID: String, queued: Int)
    /// Of ``LifecycleEvent``s, where the shard was asked for them.
    case lifecycle(LifecycleEvent)
}
