package import Documents

/// Where calls may go: to addresses that everybody reaches, and to what the operator names.
///
/// A rule or a message may name any host; without this guard it could have Crema ask the services behind the shop's own walls.
package struct OutboundPolicy: Sendable, Equatable {
    private var names: Set<String> = []
    private var blocks: [AddressBlock] = []

    /// Only addresses that everybody reaches, and only with TLS.
    package init() {}

    /// Reads `http: { allow: […] }` of the configuration: names of hosts, addresses and blocks of addresses.
    package init(allowing entries: [Configuration.AllowedHost]) throws(DocumentError) {
        var problems = ProblemCollector()
        for entry in entries {
            if let block = AddressBlock(entry.text) {
                blocks.append(block)
            } else if let (endpoint, rest) = try? HTTPEndpoint.parse("https://\(entry.text)"), rest.isEmpty, endpoint.address == nil,
                endpoint.port == 443
            {
                names.insert(endpoint.host)
            } else {
                problems.add("`\(entry.text)` is neither a host's name nor an address or a block such as 10.0.0.0/8", at: entry.location)
            }
        }
        try problems.finish()
    }

    /// Why a call may not go to an address.
    ///
    /// - Parameters:
    ///   - address: where the connection would go.
    ///   - endpoint: what it is to reach.
    /// - Returns: the reason, for people; nil where it may go there.
    package func refusal(of address: InternetAddress, for endpoint: HTTPEndpoint) -> String? {
        if names.contains(endpoint.host) || blocks.contains(where: { $0.contains(address) }) { return nil }
        let advice = "the configuration may name it: `http: { allow: [\(endpoint.host)] }`"
        if let kind = address.reservation { return "\(endpoint.host) has the \(kind) address \(address), which is not called; \(advice)" }
        return endpoint.isSecure ? nil : "\(endpoint.host) is not called without TLS; use https, or \(advice)"
    }

    /// Why a host is not called whatever its addresses are, so that nobody has to wait for a call to learn it; nil where they decide.
    func refusal(of endpoint: HTTPEndpoint) -> String? {
        if let address = endpoint.address { return refusal(of: address, for: endpoint) }
        guard !endpoint.isSecure, !names.contains(endpoint.host), blocks.isEmpty else { return nil }
        return
            "\(endpoint.host) is not called without TLS; use https, or the configuration may name it: `http: { allow: [\(endpoint.host)] }`"
    }
}
