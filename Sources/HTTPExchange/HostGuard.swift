import NIOCore

/// Protects a listener from pages of elsewhere that were given its address by DNS (rebinding): a browser still names the page's own host.
///
/// A name proves nothing, since whoever owns it says where it leads. What may be answered is a name that leads to this machine for everybody,
/// an address, where the listener is bound to another than loopback, and what the configuration lists.
package struct HostGuard: Sendable {
    /// Whether only this machine reaches the listener.
    package let isOnLoopback: Bool
    private let listed: Set<String>

    /// - Parameters:
    ///   - host: the address or name that the listener is bound to.
    ///   - names: by which the listener may be asked for as well.
    package init(boundTo host: String, names: [String] = []) {
        isOnLoopback = Self.isLoopback(host)
        listed = Set(names.map { $0.lowercased() })
    }

    /// Whether a request for `authority` (`host` or `host:port`) may be answered.
    ///
    /// Without a host it did not come from a browser.
    package func admits(_ authority: String?) -> Bool {
        guard let authority else { return true }
        let host = Self.host(of: authority).lowercased()
        return Self.isLoopback(host) || listed.contains(host) || !isOnLoopback && Self.isAddress(host)
    }

    /// Whether a host, without brackets, is one by itself and not the name of one, or means this machine.
    package static func isAddress(_ host: String) -> Bool {
        isLoopback(host) || (try? SocketAddress(ipAddress: host, port: 0)) != nil
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
