import HTTPExchange
import Hummingbird

extension Request {
    /// Whether a page in a browser sent it, of whatever origin: browsers say so, and no page can keep them from it (Fetch, "Origin header"; Fetch
    /// Metadata).
    ///
    /// What a person typed is `none`.
    var isFromPage: Bool { headers[.origin] != nil || headers[.fetchSite].map { $0 != "none" } ?? false }
}

/// Pages elsewhere that were given the listener's address by DNS (rebinding): to the browser they are of the listener's own origin, and say nothing
/// of where they come from but the host that they name.
///
/// Services are guarded, and the routes of OpenAPI documents are not: an API is served under whatever names lead to it, and tells them apart by
/// `$context.domainName`. Files for browsers are told to everybody.
extension GatewayResponder {
    /// Why a service does not answer for the host that a request names; `nil` where it does.
    ///
    /// Who proves who they are may use any name: a page has neither a token of the listener's nor a key to sign with.
    func foreignHost(_ request: Request, _ caller: CallerCheck.Unfinished) -> String? {
        if caller.isProved || hosts.admits(request.head.authority) { return nil }
        let host = HostGuard.host(of: request.head.authority ?? "")
        return "Calls that prove nothing are not answered for the host '\(host)': a page elsewhere may be using its reader. "
            + "Use an address\(hosts.isOnLoopback ? " of this machine" : ""), or name the host in the listener's `hosts`."
    }
}
