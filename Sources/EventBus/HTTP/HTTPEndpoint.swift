/// Where an HTTP call goes: scheme, host and port.
package struct HTTPEndpoint: Sendable, Hashable {
    package let isSecure: Bool
    /// In lower case; an IPv6 address without its brackets.
    package let host: String
    package let port: Int
    /// The host's address, where it is one itself.
    package let address: InternetAddress?

    /// `https://host:port`, the port only where it is not the scheme's own.
    package var origin: String { "\(isSecure ? "https" : "http")://\(authority)" }

    /// `host:port`, as the `Host` field has it: the port only where it is not the scheme's own.
    package var authority: String {
        let isUsual = port == (isSecure ? 443 : 80)
        return "\(name)\(isUsual ? "" : ":\(port)")"
    }

    /// `http://host:port` whatever the scheme, for who takes care of TLS by itself.
    package var plainOrigin: String { "http://\(name):\(port)" }

    private var name: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }

    /// Takes the beginning of a URL apart.
    ///
    /// - Parameter url: absolute, with `http` or `https`; without a user, a fragment and blanks.
    /// - Returns: the endpoint, and the rest of the URL, which is empty or begins with `/` or `?`.
    /// - Throws: what is wrong with it, for people; never the URL itself, which may hold a secret.
    package static func parse(_ url: String) throws(HTTPEndpointError) -> (endpoint: HTTPEndpoint, rest: String) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw HTTPEndpointError("the URL must be of printable ASCII without blanks; write others as %XX")
        }
        let isSecure = url.lowercased().hasPrefix("https://")
        guard isSecure || url.lowercased().hasPrefix("http://") else { throw HTTPEndpointError("the URL must begin with https://") }
        let rest = url.dropFirst(isSecure ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = String(rest[authority.endIndex...])
        guard !authority.contains("@") else { throw HTTPEndpointError("the URL must not name a user; a Connection holds credentials") }
        guard !path.contains("#") else { throw HTTPEndpointError("the URL must not have a fragment (#)") }
        var host = authority
        var port: Int? = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            host = authority[..<colon]
            port = Int(authority[authority.index(after: colon)...])
        }
        guard let port, (1...65_535).contains(port) else { throw HTTPEndpointError("the port must be a number from 1 to 65535") }
        let (name, address) = try parse(host: host.lowercased())
        return (HTTPEndpoint(isSecure: isSecure, host: name, port: port, address: address), path)
    }

    private static func parse(host: String) throws(HTTPEndpointError) -> (name: String, address: InternetAddress?) {
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), let address = InternetAddress(String(host.dropFirst().dropLast())) else {
                throw HTTPEndpointError("`\(host)` is no IPv6 address")
            }
            return (String(host.dropFirst().dropLast()), address)
        }
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.allSatisfy { isNameByte($0) && $0 != UInt8(ascii: ".") }
        }
        guard isName, name.utf8.count <= 253, let last = labels.last else { throw HTTPEndpointError("`\(host)` is not the name of a host") }
        // What begins with a digit at the end is an address to the system's functions, also in decimal, octal and hexadecimal.
        guard last.first?.isNumber == true else { return (name, nil) }
        guard !labels.contains(where: { $0.count > 1 && $0.hasPrefix("0") }), let address = InternetAddress(name) else {
            throw HTTPEndpointError("`\(host)` is no IPv4 address in its usual form, four decimal numbers")
        }
        return (name, address)
    }
}

/// Why a URL is none that Crema calls.
package struct HTTPEndpointError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
