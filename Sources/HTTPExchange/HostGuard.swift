import NIOCore

/// Protects a listener on a loopback address from pages of elsewhere that were given its address by DNS (rebinding): a browser still
/// names the page's own host.
package struct HostGuard: Sendable {
    private let boundToLoopback: Bool

    /// - Parameter host: the address or name that the listener is bound to.
    package init(boundTo host: String) {
        boundToLoopback = Self.isLoopback(host)
    }

    /// Whether a request for `authority` (`host` or `host:port`) may be answered.
    ///
    /// Without a host it did not come from a browser.
    package func admits(_ authority: String?) -> Bool {
        guard boundToLoopback, let authority else { return true }
        return Self.isLoopback(Self.host(of: authority))
    }

    /// The host in `host` or `host:port`, without the brackets of an IPv6 address.
    package static func host(of authority: String) -> String {
        if authority.hasPrefix("[") {
            return String(authority.dropFirst().prefix { $0 != "]" })
        }
        return String(authority.prefix { $0 != ":" })
    }

    /// Whether a name or address, without brackets, can only mean this machine.
    package static func isLoopback(_ host: String) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        switch try? SocketAddress(ipAddress: name, port: 0) {
        case .v4: return name.hasPrefix("127.")
        case .v6(let address): return address.host == "::1" || name == "::1" || name == "0:0:0:0:0:0:0:1"
        case .unixDomainSocket, nil: return false
        }
    }
}
