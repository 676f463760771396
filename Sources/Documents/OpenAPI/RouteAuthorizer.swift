/// Who may call a route of an HTTP API: whoever shows a JSON Web Token of an issuer (`x-amazon-apigateway-authorizer` of type `jwt`).
package struct RouteAuthorizer: Sendable, Equatable {
    /// Where in a request the token stands (`identitySource`).
    package enum Source: Sendable, Equatable {
        /// In lower case.
        case header(String)
        case queryString(String)
    }

    /// The security scheme's.
    package var name: String
    package var issuer: String
    /// One of which the token must be for.
    package var audiences: [String]
    package var source: Source
    /// One of which the token must have, unless there is none.
    package var scopes: [String]
    /// Of the scheme's `issuer`.
    package var location: SourceLocation
}

/// The security schemes of a document, and what its `security` says of them.
struct SecuritySchemes {
    private static let extensionKey = "x-amazon-apigateway-authorizer"

    private let schemes: Node?
    private let standard: Node.Entry?
    private let resolver: IntrinsicResolver

    init(_ root: Node, resolver: IntrinsicResolver) {
        schemes = root["components"]?["securitySchemes"]
        standard = root.entry("security")
        self.resolver = resolver
    }

    /// What an operation demands; `nil` where it demands nothing.
    ///
    /// - Throws: for what is not supported: there a route would be open that is meant to be closed.
    func authorizer(of operation: Node, isREST: Bool, name: String) throws(DocumentError) -> RouteAuthorizer? {
        guard let security = operation.entry("security") ?? standard else { return nil }
        let requirements = try security.value.elements("security")
        // An empty `security` says that there is none.
        guard let requirement = requirements.first else { return nil }
        let entries = try requirement.entries("security")
        guard requirements.count == 1, entries.count == 1, let entry = entries.first else {
            throw DocumentError(
                "\(name): `security` with more or less than one scheme is not supported: a route has one authorizer",
                at: security.keyLocation)
        }
        guard !isREST else {
            throw DocumentError(
                "security is not supported by routes of REST APIs, such as \(name): those of HTTP APIs take authorizers of type jwt",
                at: security.keyLocation)
        }
        let scopes = try entry.value.elements(entry.key).map { (scope) throws(DocumentError) in try resolver.resolve(scope).text("a scope")
        }
        return try authorizer(entry, scopes)
    }

    private func authorizer(_ entry: Node.Entry, _ scopes: [String]) throws(DocumentError) -> RouteAuthorizer {
        guard let scheme = schemes?[entry.key] else {
            var known: [String] = []
            if case .mapping(let entries)? = schemes?.content { known = entries.map(\.key) }
            throw DocumentError(
                "there is no security scheme `\(entry.key)`\(suggestion(for: entry.key, among: known))", at: entry.keyLocation)
        }
        let what = "the security scheme `\(entry.key)`"
        guard let authorizer = scheme[Self.extensionKey] else {
            throw DocumentError("security is not supported by \(what), which has no \(Self.extensionKey)", at: scheme.location)
        }
        _ = try authorizer.entries(what, known: ["type", "identitySource", "jwtConfiguration"])
        let type = try authorizer.required("type", in: what)
        guard try resolver.resolve(type).text("type").lowercased() == "jwt" else {
            throw DocumentError("\(what): Crema has authorizers of type `jwt` only", at: type.location)
        }
        let configuration = try authorizer.required("jwtConfiguration", in: what)
        _ = try configuration.entries("jwtConfiguration of \(what)", known: ["issuer", "audience"])
        let issuer = try configuration.required("issuer", in: "jwtConfiguration of \(what)")
        let audience = try configuration.required("audience", in: "jwtConfiguration of \(what)")
        let audiences = try audience.elements("audience").map { (element) throws(DocumentError) in
            try resolver.resolve(element).text("an audience")
        }
        guard !audiences.isEmpty else { throw DocumentError("\(what): `audience` must name one or more", at: audience.location) }
        return RouteAuthorizer(
            name: entry.key, issuer: try resolver.resolve(issuer).text("issuer"), audiences: audiences,
            source: try source(authorizer["identitySource"], what), scopes: scopes, location: issuer.location)
    }

    private func source(_ node: Node?, _ what: String) throws(DocumentError) -> RouteAuthorizer.Source {
        guard let node else { return .header("authorization") }
        var element = node
        if case .sequence(let elements) = node.content, elements.count == 1 { element = elements[0] }
        let text = try resolver.resolve(element).text("identitySource")
        for (prefix, isHeader) in [("$request.header.", true), ("$request.querystring.", false)] {
            guard text.hasPrefix(prefix), text.count > prefix.count, !text.contains(",") else { continue }
            let name = String(text.dropFirst(prefix.count))
            return isHeader ? .header(name.lowercased()) : .queryString(name)
        }
        throw DocumentError(
            "\(what): identitySource is `\(text)`, and must be one $request.header.NAME or $request.querystring.NAME", at: node.location)
    }
}
