import MQTTCodec

/// How much the filters of clients may take: each costs memory on every shard, and time for each topic that is published.
extension Shard {
    /// Why there is no room for one more filter; nothing for one that the session has already.
    func lacksRoom(for filter: String, of session: Session, limits: BrokerLimits) -> String? {
        if session.subscriptions[ExactText(filter)] != nil { return nil }
        let levels = TopicIndex.levels(of: filter)
        if session.subscriptions.count >= limits.subscriptionsPerClientMax {
            return "the client has \(limits.subscriptionsPerClientMax) subscriptions (subscriptionsPerClientMax)"
        }
        if session.filterLevels + levels > limits.filterLevelsPerClientMax {
            return "the client's filters have \(limits.filterLevelsPerClientMax) levels together (filterLevelsPerClientMax)"
        }
        if session.sharedSubscriptions >= limits.sharedSubscriptionsPerClientMax, (try? SharedFilter(parsing: filter)) != nil {
            return "the client has \(limits.sharedSubscriptionsPerClientMax) shared subscriptions (sharedSubscriptionsPerClientMax)"
        }
        if index.subscriptionCount >= subscriptionsShare {
            return "all sessions together have as many subscriptions as they may (subscriptionsInAllMax)"
        }
        if index.levelCount + levels > filterLevelsShare {
            return "the filters of all sessions have as many levels as they may (filterLevelsInAllMax)"
        }
        return nil
    }
}
