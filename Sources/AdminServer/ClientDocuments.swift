import BrokerCore
import EventBus
import FoundationEssentials

// What the admin API answers of clients and subscriptions. A member may be added, none renamed.

/// A row of `GET /api/v1/clients`.
package struct ClientDocument: Codable, Sendable, Equatable {
    package var clientID: String
    package var connected: Bool
    package var principal: String?
    package var userName: String?
    /// `address:port`; absent when offline.
    package var peer: String?
    package var listener: String?
    /// Absent offline, without TLS, and in answers of older versions.
    package var tls: TLSDocument?
    package var protocolVersion: String
    package var cleanSession: Bool
    package var keepAliveSeconds: Int
    package var connectedSeconds: Int
    /// UTC, `YYYY-MM-DDTHH:MM:SSZ`; absent when offline, and in answers of older versions.
    package var connectedAt: String?
    package var subscriptions: Int
    package var queued: Int
    /// Bytes that wait in its queue and for its socket; absent, as the one below, in answers of older versions.
    package var queuedBytes: Int?
    /// Whether it does not take its messages as fast as they come.
    package var slow: Bool?
    package var inFlight: Int
    package var dropped: UInt64
    /// The same by reason.
    package var drops: [String: UInt64]
    /// What the client asked for and may not have: the last of each kind.
    package var refusals: [RefusalDocument]
    /// Of `GET /api/v1/clients/ID` only.
    package var subscriptionList: [SubscriptionDocument]?
}

/// What a client and its listener agreed on by TLS.
package struct TLSDocument: Codable, Sendable, Equatable {
    package var version: String
    package var cipher: String?
    /// The name that its certificate proved.
    package var certificate: String?
}

/// Something that a client was refused.
package struct RefusalDocument: Codable, Sendable, Equatable {
    /// `publish`, `subscribe` or `receive`.
    package var kind: String
    /// The topic or the topic filter.
    package var resource: String
    package var reason: String
    /// Refusals of the kind since the session began.
    package var count: UInt64
}

/// A row of `GET /api/v1/subscriptions`.
package struct SubscriptionDocument: Codable, Sendable, Equatable {
    package var clientID: String
    package var connected: Bool
    /// As the client gave it; a shared one with its group, `$share/GROUP/FILTER`.
    package var filter: String
    package var qos: Int
    package var noLocal: Bool
    package var retainAsPublished: Bool
    /// Absent for a subscription that is older than the process.
    package var retainHandling: Int?
    package var subscriptionIdentifier: UInt32?
    /// The group of a shared subscription.
    package var share: String?
}

/// The answer to `DELETE /api/v1/clients/ID`.
package struct KickDocument: Codable, Sendable, Equatable {
    /// Whether there was a connection.
    package var closed: Bool
    package var sessionRemoved: Bool
}

extension ClientDocument {
    init(_ client: ClientSummary, subscriptions list: [SubscriptionSummary]? = nil) {
        let connectedAt = Int64(Date().timeIntervalSince1970 * 1_000) - Int64(client.connectedMilliseconds)
        self.init(
            clientID: client.clientID, connected: client.connected, principal: client.principal, userName: client.userName,
            peer: client.peer, listener: client.listener,
            tls: client.tls.map { TLSDocument(version: $0.version, cipher: $0.cipher, certificate: $0.certificate) },
            protocolVersion: client.protocolVersion, cleanSession: client.cleanSession,
            keepAliveSeconds: client.keepAliveSeconds, connectedSeconds: client.connectedSeconds,
            connectedAt: client.connected ? timestamp(milliseconds: connectedAt) : nil, subscriptions: client.subscriptions,
            queued: client.queued, queuedBytes: client.queuedBytes, slow: client.isSlow, inFlight: client.inFlight,
            dropped: client.dropped, drops: client.drops,
            refusals: client.refusals.map {
                RefusalDocument(kind: $0.kind.rawValue, resource: $0.resource, reason: $0.reason, count: $0.count)
            },
            subscriptionList: list.map { $0.map { SubscriptionDocument($0) } })
    }
}

extension SubscriptionDocument {
    init(_ subscription: SubscriptionSummary) {
        self.init(
            clientID: subscription.clientID, connected: subscription.connected, filter: subscription.filter, qos: subscription.qos,
            noLocal: subscription.noLocal, retainAsPublished: subscription.retainAsPublished,
            retainHandling: subscription.retainHandling,
            subscriptionIdentifier: subscription.subscriptionIdentifier == 0 ? nil : subscription.subscriptionIdentifier,
            share: subscription.share)
    }
}
