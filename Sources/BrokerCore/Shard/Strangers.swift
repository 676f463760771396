import MQTTCodec
import NIOCore

/// Bytes of those who have not said who they are: few in all, or 15,000 of them with a CONNECT each that never ends would be a gigabyte.
///
/// The first of each are not counted, so that clients with a CONNECT of the usual size find room whatever others keep there.
extension Shard {
    func countStranger(_ connection: ClientConnection) {
        let bytes =
            switch connection.phase {
            case .awaitingConnect: connection.inbox.readableBytes
            // Of CONNECT, and of AUTH, all is counted, though not all of it may still be there.
            case .authenticating, .checking, .refusing: connection.inbox.readableBytes + connection.packetBytesKept
            case .connected, .relaying, .closed: 0
            }
        if keep(bytes, ofStranger: &connection.strangersBytes) { return }
        let text = "there is no room for more of its CONNECT (connectBytesInAllMax)"
        end(connection, reason: .limitExceeded(.quotaExceeded, text), closingTransport: true)
    }

    /// Counts the beginning of a packet of a client that is connected, whose end may never come.
    func countInbox(of connection: ClientConnection) {
        let beyond = connection.isConnected ? max(0, connection.inbox.readableBytes - BrokerLimits.connectBytesAlways) : 0
        let hasGrown = beyond > connection.inboxBytesCounted
        inboxBytes += beyond - connection.inboxBytesCounted
        connection.inboxBytesCounted = beyond
        guard hasGrown, inboxBytes > inboxBytesShare else { return }
        let text = "there is no room for more of its packet (inboxBytesInAllMax)"
        end(connection, reason: .limitExceeded(.quotaExceeded, text), closingTransport: true)
    }

    /// Counts what is kept of a request that is to open a connection, instead of what was counted of it before.
    ///
    /// Answers false when there is no room for more: then its connection is to be closed, and has been counted as such.
    package func keep(_ bytes: Int, ofRequest counted: inout Int, of info: ConnectionInfo) -> Bool {
        if keep(bytes, ofStranger: &counted) { return true }
        let reason = CloseReason.limitExceeded(.quotaExceeded, "there is no room for more of its request (connectBytesInAllMax)")
        counters.connectionsClosed[reason.name, default: 0] += 1
        transport.report(.closed(clientID: nil, info, reason))
        return false
    }

    private func keep(_ bytes: Int, ofStranger counted: inout Int) -> Bool {
        let beyond = max(0, bytes - BrokerLimits.connectBytesAlways)
        let hasGrown = beyond > counted
        strangersBytes += beyond - counted
        counted = beyond
        return !hasGrown || strangersBytes <= connectBytesShare
    }
}
