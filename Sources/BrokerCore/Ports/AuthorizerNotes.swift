import Synchronization

/// Where an ``Authorizer`` keeps what it has worked out for one client, as long as the client's session is here.
///
/// So what is kept is bounded by the sessions, and nothing is looked up by name. The authorizer sees for itself whether a note still holds.
package final class AuthorizerNotes: Sendable {
    private struct Kept {
        var note: (any AnyObject & Sendable)?
        var attributes: [String: String]
    }

    private let kept: Mutex<Kept>

    package init(attributes: [String: String] = [:]) { kept = Mutex(Kept(attributes: attributes)) }

    package var note: (any AnyObject & Sendable)? { kept.withLock { $0.note } }

    /// What the client proved beside its name when it connected last; nothing after a restart, until it comes back.
    package var attributes: [String: String] { kept.withLock { $0.attributes } }

    package func keep(_ note: any AnyObject & Sendable) { kept.withLock { $0.note = note } }

    /// The client has come, with these attributes; what was worked out for others holds no more.
    ///
    /// - Returns: whether they differ from those before.
    func renew(attributes: [String: String]) -> Bool {
        kept.withLock { kept in
            if kept.attributes == attributes { return false }
            kept = Kept(attributes: attributes)
            return true
        }
    }
}
