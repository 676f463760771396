import MQTTCodec
import NIOCore

/// What happens while the disk takes nothing: what needs it is refused, and the rest goes on.
extension Shard {
    /// What is said where something is refused for want of the disk.
    static let storeTrouble = "the store cannot write: see the broker's log"

    /// Whether a message cannot be taken now because it would have to be on disk.
    func lacksStore(for message: Message, along route: Route) -> Bool {
        // Rules know it from the store itself, and would hand it nothing, before this shard is told.
        guard let turns, message.qos > .atMostOnce, turns.isFailing || turns.store.isFailing else { return false }
        // What rules make of it has to be on disk, too.
        if route.hasRules { return true }
        return message.retain || !route.shards.isEmpty || !route.groups.isEmpty
            || route.recipients.contains { $0.session.keeping.isKept && $0.qos > .atMostOnce }
    }

    /// MQTT 5 has a code for it; in MQTT 3.1.1 an acknowledgement would be a lie, so the connection ends [MQTT-3.3.5-2].
    func refuseForWantOfStore(on connection: ClientConnection) -> ReasonCode {
        counters.drop(.storeFailing)
        if connection.version != .v5 {
            end(connection, reason: .limitExceeded(.implementationSpecificError, Self.storeTrouble), closingTransport: true)
        }
        return .implementationSpecificError
    }

    /// A session that is to outlive its connection, or to be forgotten by the disk, cannot be promised.
    func refusesForWantOfStore(_ accepted: AcceptedConnect, on connection: ClientConnection) -> Bool {
        guard let turns, turns.isFailing else { return false }
        // It may be another shard's; and one of before that has ended is still to be forgotten.
        let isKept = directory.isKept(accepted.clientID) || turns.pendingEnd(of: accepted.clientID) != nil
        guard isKept || accepted.sessionExpirySeconds(on: connection) > 0 else { return false }
        refuse(accepted.clientID, on: connection, .serverUnavailable, Self.storeTrouble)
        return true
    }

    /// Seconds that clients wait for answers while the disk takes nothing.
    static let storePatienceSeconds = 10.0

    func scheduleStorePatience() {
        let time = now.advanced(bySeconds: Self.storePatienceSeconds)
        storePatienceAt = time
        schedule(.storePatience, at: time)
    }

    /// Clients that wait for answers would go on waiting, and be answered their pings, as if all were well.
    ///
    /// They are not told that what they sent is refused, for it may be written yet: the connection ends, and they send it again.
    func losePatienceWithStore() {
        // One of an earlier time of trouble says nothing.
        guard let turns, turns.isFailing, let time = storePatienceAt, time <= now else { return }
        for connection in turns.waiting where !connection.isClosed {
            end(connection, reason: .limitExceeded(.implementationSpecificError, Self.storeTrouble), closingTransport: true)
        }
        scheduleStorePatience()
    }

    /// Whether so much waits for the disk that publishers have to wait, too.
    ///
    /// While the disk takes nothing, rules hand over no more than may wait, and their publishers go on.
    var isStoreBehind: Bool {
        guard let turns else { return false }
        if turns.store.isBehind, !turns.isFailing { return true }
        return turns.waitingChanges + turns.batch.changes.count > limits.storeChangesWaitingMax
            || turns.waitingBytes > limits.storeBytesWaitingMax
    }
}
