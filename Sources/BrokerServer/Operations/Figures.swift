import BrokerCore

extension BrokerStatistics {
    /// Adds another shard's part.
    ///
    /// Retained messages are shared by all shards, and not added.
    mutating func add(_ other: BrokerStatistics) {
        clientsConnected += other.clientsConnected
        clientsOffline += other.clientsOffline
        clientsMaximum += other.clientsMaximum
        connectionsAccepted &+= other.connectionsAccepted
        connectionsRefused.merge(other.connectionsRefused, uniquingKeysWith: &+)
        connectionsClosed.merge(other.connectionsClosed, uniquingKeysWith: &+)
        subscriptions += other.subscriptions
        retainedMessages = max(retainedMessages, other.retainedMessages)
        retainedBytes = max(retainedBytes, other.retainedBytes)
        bytesReceived &+= other.bytesReceived
        bytesSent &+= other.bytesSent
        packetsReceived &+= other.packetsReceived
        packetsSent &+= other.packetsSent
        for qos in publishReceived.indices { publishReceived[qos] &+= other.publishReceived[qos] }
        for qos in publishSent.indices { publishSent[qos] &+= other.publishSent[qos] }
        messagesDropped.merge(other.messagesDropped, uniquingKeysWith: &+)
        messagesQueued += other.messagesQueued
        messagesInFlight += other.messagesInFlight
        publishersThrottled += other.publishersThrottled
        subscriptionsRefused &+= other.subscriptionsRefused
        topicsUntracked &+= other.topicsUntracked
        publishBytesReceived &+= other.publishBytesReceived
        publishBytesSent &+= other.publishBytesSent
        connectsAccepted &+= other.connectsAccepted
        sessionsExpired &+= other.sessionsExpired
        sharedSubscriptions += other.sharedSubscriptions
        queuedBytes += other.queuedBytes
        longestQueue = max(longestQueue, other.longestQueue)
        slowClients += other.slowClients
        publishToDeliver.add(other.publishToDeliver)
        listeners.merge(other.listeners) { mine, others in
            var sum = mine
            sum.add(others)
            return sum
        }
        eventLoopLagSeconds += other.eventLoopLagSeconds
    }
}
