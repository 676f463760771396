import Synchronization

/// Where an ``Authorizer`` keeps what it has worked out for one client, as long as the client's session is here.
///
/// So what is kept is bounded by the sessions, and nothing is looked up by name. The authorizer sees for itself whether a note still holds.
package final class AuthorizerNotes: Sendable {
    private struct Kept {
        var note: (any AnyObject & Sendable)?
        var attributes: [String: String]
        var isKnown: Bool
    }

    private let kept: Mutex<Kept>

    /// Of a session of which nothing is known but its names, as after a restart.
    package init() { kept = Mutex(Kept(attributes: [:], isKnown: false)) }

    /// Of somebody who is here, with these attributes.
    package init(attributes: [String: String]) { kept = Mutex(Kept(attributes: attributes, isKnown: true)) }

    package var note: (any AnyObject & Sendable)? { kept.withLock { $0.note } }

    /// What the client proved beside its name when it connected last; nothing after a restart, until it comes back.
    package var attributes: [String: String] { kept.withLock { $0.attributes } }

    /// Whether the client has been here in this process; otherwise its attributes are not known, which is not to have none.
    package var isKnown: Bool { kept.withLock { $0.isKnown } }

    package func keep(_ note: any AnyObject & Sendable) { kept.withLock { $0.note = note } }

    /// The client has come, with these attributes; what was worked out for others holds no more.
    ///
    /// - Returns: whether they differ from those before.
    func renew(attributes: [String: String]) -> Bool {
        kept.withLock { kept in
            if kept.isKnown, kept.attributes == attributes { return false }
            kept = Kept(attributes: attributes, isKnown: true)
            return true
        }
    }
}
