package import Trust

/// A certificate that a TLS listener uses now.
package struct ListenerCertificate: Sendable {
    package enum Role: String, Sendable {
        /// What the listener shows.
        case server
        /// An authority whose clients it takes.
        case clientAuthority
    }

    package let certificate: Certificate
    package let role: Role

    init(_ certificate: Certificate, _ role: Role) {
        self.certificate = certificate
        self.role = role
    }
}

extension Broker {
    /// What each open TLS listener uses now, by its name; after a reload the new ones.
    package var certificates: [(listener: String, certificates: [ListenerCertificate])] {
        openListeners.listeners.compactMap { open in
            open.endpoint.map { (open.listener.name, $0.endpoint.certificates) }
        }
    }
}
