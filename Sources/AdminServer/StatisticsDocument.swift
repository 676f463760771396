import BrokerCore
import EventBus

/// The answer to `GET /api/v1/statistics`.
package struct StatisticsDocument: Codable, Sendable, Equatable {
    package struct Broker: Codable, Sendable, Equatable {
        package var uptimeSeconds: Int
        package var clientsConnected: Int
        package var clientsOffline: Int
        package var clientsMaximum: Int
        package var connectionsAccepted: UInt64
        package var connectionsRefused: [String: UInt64]
        package var connectionsClosed: [String: UInt64]
        package var connectionsTurnedAway: [String: UInt64]
        package var authenticationsFailed: UInt64
        package var subscriptions: Int
        package var retainedMessages: Int
        package var retainedBytes: Int
        package var bytesReceived: UInt64
        package var bytesSent: UInt64
        package var packetsReceived: UInt64
        package var packetsSent: UInt64
        package var publishReceived: [UInt64]
        package var publishSent: [UInt64]
        package var messagesDropped: [String: UInt64]
        package var messagesQueued: Int
        package var messagesInFlight: Int
    }

    package struct Events: Codable, Sendable, Equatable {
        package var accepted: UInt64
        package var droppedUnknownBus: UInt64
        package var unmatched: UInt64
        package var entriesFailed: UInt64
        package var requestsRefused: UInt64
        package var ruleMatches: UInt64
        package var deliveries: UInt64
        package var deliveriesFailed: UInt64
        /// Absent, as the three below, in answers of older versions.
        package var deliveriesAccepted: UInt64?
        package var deliveriesPending: Int?
        package var deliveriesRetried: UInt64?
        package var deliveriesDropped: UInt64?
        package var ruleHopsCut: UInt64
        package var deadLettersDropped: UInt64
    }

    package struct Store: Codable, Sendable, Equatable {
        /// `strict`, `relaxed(MS)` or `memory`; of the last, all else is 0.
        package var durability: String
        package var commits: UInt64
        package var changes: UInt64
        package var commitSeconds: Double
        package var waitingChanges: Int
        package var errors: UInt64
        package var failing: Bool
        package var setAside: UInt64
    }

    package var broker: Broker
    package var events: Events
    /// Absent in answers of older versions.
    package var store: Store?

    init(_ broker: BrokerStatistics, _ events: EventBusCounters, _ store: StoreStatistics?) {
        let store = store ?? StoreStatistics(durability: Durability.memory.description)
        self.store = Store(
            durability: store.durability, commits: store.commits, changes: store.changes, commitSeconds: store.commitSeconds,
            waitingChanges: store.waitingChanges, errors: store.errors, failing: store.isFailing, setAside: store.setAside)
        self.broker = Broker(
            uptimeSeconds: broker.uptimeSeconds, clientsConnected: broker.clientsConnected, clientsOffline: broker.clientsOffline,
            clientsMaximum: broker.clientsMaximum, connectionsAccepted: broker.connectionsAccepted,
            connectionsRefused: broker.connectionsRefused, connectionsClosed: broker.connectionsClosed,
            connectionsTurnedAway: broker.connectionsTurnedAway, authenticationsFailed: broker.authenticationsFailed,
            subscriptions: broker.subscriptions, retainedMessages: broker.retainedMessages, retainedBytes: broker.retainedBytes,
            bytesReceived: broker.bytesReceived, bytesSent: broker.bytesSent, packetsReceived: broker.packetsReceived,
            packetsSent: broker.packetsSent, publishReceived: broker.publishReceived, publishSent: broker.publishSent,
            messagesDropped: broker.messagesDropped, messagesQueued: broker.messagesQueued, messagesInFlight: broker.messagesInFlight)
        self.events = Events(
            accepted: events.eventsAccepted, droppedUnknownBus: events.eventsDroppedUnknownBus, unmatched: events.eventsUnmatched,
            entriesFailed: events.entriesFailed, requestsRefused: events.requestsRefused, ruleMatches: events.ruleMatches,
            deliveries: events.deliveries, deliveriesFailed: events.deliveriesFailed, deliveriesAccepted: events.deliveriesAccepted,
            deliveriesPending: events.deliveriesPending, deliveriesRetried: events.deliveriesRetried,
            deliveriesDropped: events.deliveriesDropped,
            ruleHopsCut: events.ruleHopsCut,
            deadLettersDropped: events.deadLettersDropped)
    }
}
