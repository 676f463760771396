import HTTPExchange

/// Which web pages may connect.
///
/// A browser sends the page's origin, and a page cannot change it; other programs send none and are not held up here. Without this rule any
/// page that a person opens could connect in that person's place, from inside their network.
struct OriginRule: Sendable {
    /// Origins as browsers write them, or `*` for all.
    private let allowed: Set<String>?
    private let hosts: HostGuard

    /// - Parameters:
    ///   - allowed: origins that may connect. Without a list, those whose host is the address that the request was sent to.
    ///   - host: the address or name that the listener is bound to.
    init(allowed: [String]?, boundTo host: String) {
        self.allowed = allowed.map { Set($0.map { $0.lowercased() }) }
        hosts = HostGuard(boundTo: host)
    }

    /// Whether a page of `origin` may connect; `authority` is what the request's `Host` field says.
    ///
    /// Without a list, both hosts have to be the same address, or on a loopback address names of this machine: a name from elsewhere may have
    /// been given the listener's address (rebinding), so that two names are equal proves nothing.
    func admits(origin: String?, authority: String) -> Bool {
        guard let origin = origin?.lowercased() else { return true }
        if let allowed { return allowed.contains("*") || allowed.contains(origin) }
        guard let scheme = origin.firstRange(of: "://") else { return false }
        let originHost = HostGuard.host(of: String(origin[scheme.upperBound...]))
        if originHost.isEmpty { return false }
        if hosts.isOnLoopback { return hosts.admits(authority) && HostGuard.isLoopback(originHost) }
        return originHost == HostGuard.host(of: authority).lowercased() && HostGuard.isAddress(originHost)
    }
}
