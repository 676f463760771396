extension Shard {
    /// Takes other limits, as after a reload.
    ///
    /// What a client was told, or what was agreed on with it, holds until its connection ends: packets' bytes, levels of topics, topic aliases,
    /// messages in flight, its keep alive, how fast it may publish. All else holds at once, for what is new: what is there and would not be
    /// taken any more stays.
    package func take(_ limits: BrokerLimits) {
        self.limits = limits
        standardLimits = ConnectionLimits(limits)
        awsLimits = ConnectionLimits(limits.adapted(to: .aws))
        let shardCount = peers.count + 1
        connectBytesShare = limits.connectBytesInAllMax / shardCount
        queueBytesShare = limits.queueBytesInAllMax / shardCount
        outboundBytesShare = limits.outboundBytesInAllMax / shardCount
        inboxBytesShare = limits.inboxBytesInAllMax / shardCount
        filterLevelsShare = limits.filterLevelsInAllMax / shardCount
        subscriptionsShare = limits.subscriptionsInAllMax / shardCount
        willBytesShare = limits.willBytesInAllMax / shardCount
        awaitingPubrelShare = limits.awaitingPubrelInAllMax / shardCount
        routes.weightMax = limits.routeRecipientsMax
        topics.topicsTrackedMax = limits.topicsTrackedMax
        topics.sampleBytesMax = limits.topicSampleBytesMax
    }
}
