import Synchronization

/// Where an ``Authorizer`` keeps what it has worked out for one client, as long as the client's session is here.
///
/// So what is kept is bounded by the sessions, and nothing is looked up by name. The authorizer sees for itself whether a note still holds.
package final class AuthorizerNotes: Sendable {
    private let kept = Mutex<(any AnyObject & Sendable)?>(nil)

    package init() {}

    package var note: (any AnyObject & Sendable)? { kept.withLock { $0 } }

    package func keep(_ note: any AnyObject & Sendable) { kept.withLock { $0 = note } }
}
