import Synchronization

/// The endpoint that a TLS listener uses now: each accepted connection asks once, and a reload puts another one in its place.
///
/// Shared by all event loops. A handshake that began with an earlier endpoint is finished by it, and what it proved is judged by the one
/// that is current by then.
final class CurrentEndpoint: Sendable {
    private let current: Mutex<TLSEndpoint>

    init(_ endpoint: TLSEndpoint) { current = Mutex(endpoint) }

    var endpoint: TLSEndpoint { current.withLock { $0 } }

    func replace(by endpoint: TLSEndpoint) { current.withLock { $0 = endpoint } }
}
