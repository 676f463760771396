/// Who sent a message, as far as rules may ask.
package struct Publisher: Sendable, Equatable {
    /// The MQTT client identifier; `nil` for messages that the broker or the HTTP API published.
    package var clientID: String?
    /// The principal that the connection proved, by certificate for instance; `nil` when anonymous.
    package var principal: String?
    /// `address:port` of the connection's other end; `nil` for what did not come over one, and for wills of clients that are gone.
    package var peer: String?
    /// Of the client's session; `nil` for what has none.
    package var notes: AuthorizerNotes?

    package init(clientID: String?, principal: String?, peer: String? = nil, notes: AuthorizerNotes? = nil) {
        self.clientID = clientID
        self.principal = principal
        self.peer = peer
        self.notes = notes
    }

    /// What an authorizer has noted makes nobody another one.
    package static func == (lhs: Publisher, rhs: Publisher) -> Bool {
        (lhs.clientID, lhs.principal, lhs.peer) == (rhs.clientID, rhs.principal, rhs.peer)
    }
}

/// The rules that look at messages as devices publish them.
///
/// Evaluated once, on the shard that accepted the publish; must not block. The answers are published by the broker itself.
package protocol MessageRules: Sendable {
    /// The topic filters of all rules, whose `a/#` is not for `a`. Of messages on other topics only those of Basic Ingest are handed to
    /// ``evaluate(_:from:now:)``.
    var topicFilters: [String] { get }

    /// Runs every rule whose filter matches, and answers with what they publish.
    ///
    /// A message on ``BasicIngest/prefix`` is for the one rule that its topic names.
    func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message]

    /// Rises whenever rules have handed something to the store, so that the answer to what they looked at has to wait for it.
    var recordsKept: UInt64 { get }
}

extension MessageRules {
    package var recordsKept: UInt64 { 0 }
}
