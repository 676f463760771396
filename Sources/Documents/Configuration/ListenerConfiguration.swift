/// One address that Crema listens on, and who may connect there.
package struct ListenerConfiguration: Sendable, Equatable {
    package enum ListenerProtocol: String, Sendable, CaseIterable {
        case mqtt, mqtts, ws, wss, http, admin

        /// Whether connections are encrypted.
        package var isSecure: Bool { self == .mqtts || self == .wss }

        /// Whether browsers can open MQTT over WebSocket there.
        package var takesWebSocket: Bool { self == .ws || self == .wss || self == .http }
    }

    /// The name of an entry of `tokens`, and where it is written.
    package struct TokenName: Sendable, Equatable {
        package var text: String
        package var location: SourceLocation
    }

    package var `protocol`: ListenerProtocol
    /// A name or address, without the brackets of an IPv6 address.
    package var host: String
    /// 0 asks the system for a free one.
    package var port: Int
    /// Whether clients that prove no identity may connect.
    package var anonymous = false
    /// PEM files, relative to the working directory.
    package var certificate: String?
    package var key: String?
    package var clientCA: String?
    /// The file of revocation lists of ``clientCA``'s authorities.
    package var crl: String?
    /// Whether a client without a certificate of ``clientCA`` is refused.
    package var requireClientCertificate = false
    /// What happens to subscribers that do not keep up: `drop-newest`, `drop-oldest` or `disconnect`.
    package var slowConsumer = ListenerConfiguration.slowConsumerPolicies[0]
    /// `standard`, or `aws` to behave as AWS IoT Core where that differs.
    package var dialect = ListenerConfiguration.dialects[0]
    /// The file of users who may authenticate by SCRAM-SHA-256, which MQTT 5 carries.
    package var scramUsers: String?
    /// The file of users who may give a password in CONNECT, in mosquitto's format; for protocol http, in that of MQTT over WebSocket.
    package var passwords: String?
    /// Whether requests may be signed with the configuration's access keys.
    package var accessKeys = false
    /// Entries of `tokens` whose tokens are taken: as password by MQTT, as bearer by HTTP.
    package var tokens: [TokenName] = []
    /// The custom authorizers that clients of AWS IoT may ask for.
    package var authorizers: [AuthorizerEntry] = []
    /// The file with the secret that administrators show.
    package var adminToken: String?
    /// The folder of the files that browsers get.
    package var pages: String?
    /// Where a WebSocket listener serves MQTT.
    package var path: String?
    /// Web pages' origins that may connect by WebSocket; `nil` for those of the listener's own host.
    package var origins: [String]?
    /// Names by which who proves nothing may ask for a listener of protocol http or admin, beside addresses and names of this machine.
    package var hosts: [String] = []
    /// Whether connects from this machine are limited like all others.
    package var limitLoopback = false
    /// Whether the listener may ask for passwords without encryption on an address that others reach.
    package var insecure = false
    package var location: SourceLocation

    package static let dialects = ["standard", "aws"]
    package static let slowConsumerPolicies = ["drop-newest", "drop-oldest", "disconnect"]

    /// Which one it is among those of its protocol at its address: there are several where the system chooses the ports.
    package var ordinal = 1

    package init(protocol: ListenerProtocol, host: String, port: Int, location: SourceLocation) {
        self.protocol = `protocol`
        self.host = host
        self.port = port
        self.location = location
    }

    /// `host:port`, with brackets around an IPv6 address.
    package var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether the system would give only one of the two its address: the same port, and one for all addresses of this machine.
    func overlaps(_ other: ListenerConfiguration) -> Bool {
        guard port != 0, port == other.port, host != other.host else { return false }
        let hosts = [host, other.host]
        // `::` takes IPv4's addresses, too.
        return hosts.contains("::") || (hosts.contains("0.0.0.0") && !hosts.contains { $0.contains(":") })
    }

    static let keys = [
        "protocol", "bind", "anonymous", "certificate", "key", "clientCA", "crl", "requireClientCertificate", "slowConsumer", "scramUsers",
        "passwords", "tokens", "adminToken", "dialect", "path", "origins", "hosts", "limitLoopback", "insecure", "accessKeys", "pages",
        "authorizers",
    ]

    /// Reads one element of `listeners`.
    init(_ node: Node, paths: RelativePaths) throws(DocumentError) {
        var keys = KeyReader(node, "a listener", known: Self.keys)
        let found = keys.required("protocol", Self.listenerProtocol)
        let address = keys.required("bind") { (value) throws(DocumentError) in try Self.hostAndPort(value) }
        self.init(protocol: found ?? .mqtt, host: address?.0 ?? "", port: address?.1 ?? 0, location: node.location)
        anonymous = keys.boolean("anonymous")
        certificate = keys.path("certificate", paths)
        key = keys.path("key", paths)
        clientCA = keys.path("clientCA", paths)
        crl = keys.path("crl", paths)
        requireClientCertificate = keys.boolean("requireClientCertificate")
        scramUsers = keys.path("scramUsers", paths)
        passwords = keys.path("passwords", paths)
        tokens = keys.read("tokens", Self.tokens) ?? []
        authorizers = keys.problems.collect { () throws(DocumentError) in try AuthorizerEntry.all(of: node, paths: paths) } ?? []
        pages = keys.path("pages", paths)
        adminToken = keys.path("adminToken", paths)
        slowConsumer =
            keys.read("slowConsumer") { (value) throws(DocumentError) in
                try Self.choice("slowConsumer", value, among: Self.slowConsumerPolicies)
            } ?? slowConsumer
        dialect =
            keys.read("dialect") { (value) throws(DocumentError) in
                try Self.choice("dialect", value, among: Self.dialects)
            } ?? dialect
        limitLoopback = keys.boolean("limitLoopback")
        insecure = keys.boolean("insecure")
        accessKeys = keys.boolean("accessKeys")
        // What goes together depends on the protocol.
        if found != nil { readForProtocol(node, isBound: address != nil, &keys.problems) }
        try keys.finish()
    }

    private mutating func readForProtocol(_ node: Node, isBound: Bool, _ problems: inout ProblemCollector) {
        checkMQTT(node, &problems)
        if isBound { readHosts(node, &problems) }
        readWebSocket(node, &problems)
        if isBound { checkPasswords(node, &problems) }
        checkTLS(node, &problems)
    }

    private static func tokens(_ value: Node) throws(DocumentError) -> [TokenName] {
        let names = try value.elements("tokens").readEach { (element) throws(DocumentError) in
            TokenName(text: try element.text("an entry of tokens"), location: element.location)
        }
        guard !names.isEmpty else { throw DocumentError("`tokens` must name one or more entries", at: value.location) }
        return names
    }

    /// One of a few words.
    private static func choice(_ key: String, _ value: Node, among words: [String]) throws(DocumentError) -> String {
        let word = try value.text(key)
        guard words.contains(word) else {
            throw DocumentError("`\(key)` is `\(word)`, but must be one of \(words.joined(separator: ", "))", at: value.location)
        }
        return word
    }

    /// What only listeners of MQTT have.
    private func checkMQTT(_ node: Node, _ problems: inout ProblemCollector) {
        if let entry = node.entry("adminToken"), self.protocol != .admin {
            problems.add("`adminToken` is for protocol admin; `tokens` is for all", at: entry.keyLocation)
        }
        if let entry = node.entry("pages"), self.protocol != .http {
            problems.add("`pages` is for protocol http", at: entry.keyLocation)
        }
        guard self.protocol == .http || self.protocol == .admin else { return }
        if self.protocol == .admin, anonymous, let entry = node.entry("adminToken") ?? node.entry("tokens") {
            problems.add(
                "`\(entry.key)` has no meaning with `anonymous: true`, which lets in whoever shows nothing", at: entry.keyLocation)
        }
        for key in ["slowConsumer", "scramUsers", "passwords", "dialect", "limitLoopback"] {
            // Pages open MQTT over WebSocket there, and a password is all that a browser lets them show.
            guard let entry = node.entry(key), self.protocol == .admin || key != "passwords" else { continue }
            problems.add("`\(key)` has no meaning for protocol \(self.protocol.rawValue)", at: entry.keyLocation)
        }
    }

    /// Passwords do not cross a network unencrypted.
    ///
    /// SCRAM hides them, but lets who listens try out weak ones and take over the connection; a token is shown whole, and a signed URL
    /// opens a connection for whoever has seen it, until it expires.
    private func checkPasswords(_ node: Node, _ problems: inout ProblemCollector) {
        let asking = [
            (scramUsers != nil, "scramUsers"), (passwords != nil, "passwords"), (!tokens.isEmpty, "tokens"),
            (adminToken != nil, "adminToken"), (accessKeys, "accessKeys"),
        ].filter(\.0).map { "`\($0.1)`" }
        if !asking.isEmpty, !self.protocol.isSecure, !isLoopback, !insecure {
            let secure = self.protocol == .http || self.protocol == .admin ? "" : "use protocol mqtts, "
            problems.add(
                "\(address) \(asking == ["`accessKeys`"] ? "takes signatures that can be shown again" : "asks for passwords") "
                    + "(\(asking.joined(separator: ", "))) without encryption; \(secure)bind to 127.0.0.1, "
                    + "or say `insecure: true`", at: node["bind"]?.location ?? node.location)
        }
        let isOpenToAdministrate = self.protocol == .admin && anonymous
        if isOpenToAdministrate, !isLoopback, !insecure {
            problems.add(
                "\(address) lets whoever reaches it administer the broker (`anonymous: true`); bind to 127.0.0.1, name an `adminToken` or "
                    + "`tokens`, or say `insecure: true`", at: node["bind"]?.location ?? node.location)
        }
        // Routes of an http listener may ask for tokens: that is known when they are read.
        if let entry = node.entry("insecure"),
            self.protocol.isSecure || asking.isEmpty && self.protocol != .http && !isOpenToAdministrate
        {
            problems.add(
                "`insecure` has a meaning only for a listener that asks for passwords, tokens or signatures without encryption, and for an "
                    + "admin listener that is open to all", at: entry.keyLocation)
        }
        if requireClientCertificate, let entry = node.entry("passwords") ?? node.entry("tokens") {
            problems.add(
                "`\(entry.key)` has no meaning with requireClientCertificate: every client's certificate says who it is",
                at: entry.keyLocation)
        }
    }

    /// Whether only this machine reaches it.
    package var isLoopback: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "::1" || host == "localhost" || parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func listenerProtocol(_ value: Node) throws(DocumentError) -> ListenerProtocol {
        let name = try value.text("protocol")
        guard let found = ListenerProtocol(rawValue: name) else {
            let known = ListenerProtocol.allCases.map(\.rawValue)
            throw DocumentError("there is no protocol `\(name)`\(suggestion(for: name, among: known))", at: value.location)
        }
        return found
    }

    private mutating func readWebSocket(_ node: Node, _ problems: inout ProblemCollector) {
        if let entry = node.entry("path") {
            if self.protocol == .ws || self.protocol == .wss {
                path = problems.collect { () throws(DocumentError) in try Self.path(entry.value) }
            } else {
                problems.add("`path` is for the protocols ws and wss, not for \(self.protocol.rawValue)", at: entry.keyLocation)
            }
        }
        if let entry = node.entry("origins") {
            if self.protocol.takesWebSocket {
                origins = problems.collect { () throws(DocumentError) in
                    try entry.value.elements("origins").readEach { (element) throws(DocumentError) in try Self.origin(element) }
                }
            } else {
                problems.add("`origins` is for the protocols ws, wss and http, not for \(self.protocol.rawValue)", at: entry.keyLocation)
            }
        }
        if let entry = node.entry("accessKeys"), !self.protocol.takesWebSocket {
            problems.add("`accessKeys` is for the protocols http, ws and wss, not for \(self.protocol.rawValue)", at: entry.keyLocation)
        }
    }

    /// Names that a page elsewhere cannot have; a listener at which everybody proves who they are asks for none.
    private mutating func readHosts(_ node: Node, _ problems: inout ProblemCollector) {
        guard let entry = node.entry("hosts") else { return }
        guard self.protocol == .http || self.protocol == .admin else {
            return problems.add("`hosts` is for the protocols http and admin, not for \(self.protocol.rawValue)", at: entry.keyLocation)
        }
        guard anonymous || self.protocol == .admin && isLoopback else {
            return problems.add(
                "`hosts` has no meaning without `anonymous: true`: whoever proves who they are may use any name", at: entry.keyLocation)
        }
        hosts =
            problems.collect { () throws(DocumentError) in
                try entry.value.elements("hosts").readEach { (element) throws(DocumentError) in try Self.host(element) }
            } ?? []
    }

    private static func host(_ value: Node) throws(DocumentError) -> String {
        let text = try value.text("a host")
        guard text.wholeMatch(of: #/[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_])?/#) != nil else {
            throw DocumentError("the host is `\(text)`, but must be a name as in shop.example, without a port", at: value.location)
        }
        return text
    }

    private static func path(_ value: Node) throws(DocumentError) -> String {
        let text = try value.text("path")
        guard text.hasPrefix("/"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
        else {
            throw DocumentError("path is `\(text)`, but must begin with / and have neither query nor fragment", at: value.location)
        }
        return text
    }

    /// An origin as browsers send it: scheme, host, and a port if it is not the scheme's own; or `*`, or `null` for pages without one.
    private static func origin(_ value: Node) throws(DocumentError) -> String {
        let text = try value.text("an origin")
        if text == "*" || text == "null" { return text }
        guard let match = text.wholeMatch(of: #/([A-Za-z][A-Za-z0-9+.\-]*):\/\/([^\/?#@\s]+)/#) else {
            throw DocumentError("the origin is `\(text)`, but must be as in https://shop.example, or `*` for all", at: value.location)
        }
        let ownPort = [":80": "http", ":443": "https"].first { match.2.hasSuffix($0.key) && match.1.lowercased() == $0.value }
        if let port = ownPort?.key {
            throw DocumentError("the origin is `\(text)`, but browsers leave out the scheme's own port: remove \(port)", at: value.location)
        }
        return text
    }

    private func checkTLS(_ node: Node, _ problems: inout ProblemCollector) {
        if self.protocol.isSecure {
            for key in ["certificate", "key"] where node[key] == nil {
                problems.add("a listener with protocol \(self.protocol.rawValue) needs `\(key)`", at: node.location)
            }
            if requireClientCertificate, clientCA == nil {
                problems.add("requireClientCertificate needs `clientCA`, whose certificates are to be accepted", at: node.location)
            }
            if let entry = node.entry("crl"), clientCA == nil {
                problems.add("`crl` needs `clientCA`, whose certificates it revokes", at: entry.keyLocation)
            }
        } else {
            for key in ["certificate", "key", "clientCA", "crl", "requireClientCertificate"] {
                guard let entry = node.entry(key) else { continue }
                problems.add(
                    "`\(key)` has no meaning for protocol \(self.protocol.rawValue), which is not encrypted", at: entry.keyLocation)
            }
        }
    }

    /// Reads `host:port`; an IPv6 address stands in brackets.
    static func hostAndPort(_ bind: Node, _ key: String = "bind", lowestPort: UInt16 = 0) throws(DocumentError) -> (String, Int) {
        let text = try bind.text(key)
        guard let colon = text.lastIndex(of: ":") else {
            throw DocumentError("\(key) is `\(text)`, but must be host:port", at: bind.location)
        }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw DocumentError("\(key) is `\(text)`: an IPv6 address stands in brackets, as in [::1]:1883", at: bind.location)
        }
        let digits = text[text.index(after: colon)...]
        guard !host.isEmpty, digits.allSatisfy(\.isASCII), digits.first?.isNumber == true, let port = UInt16(digits), port >= lowestPort
        else {
            throw DocumentError(
                "\(key) is `\(text)`, but must be host:port with a port from \(lowestPort) to 65535", at: bind.location)
        }
        return (String(host), Int(port))
    }
}

/// Paths in a configuration are relative to the file that says them, wherever Crema was started.
struct RelativePaths {
    private let directory: String

    init(configurationFile: String) {
        guard let slash = configurationFile.lastIndex(of: "/") else {
            directory = ""
            return
        }
        directory = String(configurationFile[...slash])
    }

    func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : directory + path }
}
