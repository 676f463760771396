extension Configuration {
    /// An entry of `tokens`: which JSON Web Tokens are taken, and whose they are.
    package struct TokenIssuer: Sendable, Equatable {
        /// Where the keys come from that signatures are checked with.
        package enum Keys: Sendable, Equatable {
            /// A JSON Web Key Set in a file, relative to the working directory.
            case file(String)
            /// A set at a URL: https, or http on this machine.
            case url(String)
            /// A file with the secret of HS256.
            case secretFile(String)
        }

        package struct Algorithm: Sendable, Equatable {
            package var name: String
            package var location: SourceLocation
        }

        package var name: String
        /// What `iss` must be; `nil` where any is taken.
        package var issuer: String?
        /// What `aud` must have one of; empty where any is taken.
        package var audiences: [String]
        package var keys: Keys
        /// Of the value that says where the keys are.
        package var keysLocation: SourceLocation
        package var algorithms: [Algorithm]
        /// The claim that names the principal.
        package var principal: String
        package var location: SourceLocation
    }
}

extension Configuration.TokenIssuer {
    private static let known = ["issuer", "audience", "keys", "secretFile", "algorithms", "principal"]

    static func all(in section: Node, paths: RelativePaths) throws(DocumentError) -> [Configuration.TokenIssuer] {
        var problems = ProblemCollector()
        let issuers = try section.entries("tokens").compactMap { entry in
            problems.collect { () throws(DocumentError) in try Configuration.TokenIssuer(entry, paths: paths) }
        }
        try problems.finish()
        return issuers
    }

    private init(_ entry: Node.Entry, paths: RelativePaths) throws(DocumentError) {
        let what = "tokens: \(entry.key)"
        var reader = KeyReader(entry.value, what, known: Self.known)
        name = entry.key
        location = entry.keyLocation
        issuer = reader.text("issuer")
        principal = reader.text("principal") ?? "sub"
        audiences = reader.read("audience") { (value) throws(DocumentError) in try Self.texts(value, "audience") } ?? []
        algorithms = reader.required("algorithms") { (value) throws(DocumentError) in try Self.algorithms(value, of: entry) } ?? []
        let values = (keys: entry.value["keys"], secretFile: entry.value["secretFile"])
        if case .mapping = entry.value.content, (values.keys == nil) == (values.secretFile == nil) {
            reader.problems.add("\(what) needs either `keys`, a file or URL of public keys, or `secretFile`", at: location)
        }
        let secret = reader.path("secretFile", paths).map { Keys.secretFile($0) }
        keys = secret ?? reader.read("keys") { (value) throws(DocumentError) in try Self.keys(value, paths: paths) } ?? .file("")
        keysLocation = (values.keys ?? values.secretFile)?.location ?? location
        try reader.finish()
    }

    private static func algorithms(
        _ value: Node, of entry: Node.Entry
    ) throws(DocumentError) -> [Configuration.TokenIssuer.Algorithm] {
        let algorithms = try value.elements("algorithms").readEach { (element) throws(DocumentError) in
            Configuration.TokenIssuer.Algorithm(name: try element.text("an algorithm"), location: element.location)
        }
        guard !algorithms.isEmpty else {
            throw DocumentError("tokens: \(entry.key): `algorithms` must name one or more", at: entry.keyLocation)
        }
        return algorithms
    }

    private static func texts(_ value: Node, _ key: String) throws(DocumentError) -> [String] {
        guard case .sequence(let elements) = value.content else { return [try value.text(key)] }
        guard !elements.isEmpty else { throw DocumentError("`\(key)` is an empty list", at: value.location) }
        return try elements.readEach { (element) throws(DocumentError) in try element.text(key) }
    }

    private static func keys(_ value: Node, paths: RelativePaths) throws(DocumentError) -> Keys {
        let text = try value.text("keys")
        if text.hasPrefix("https://") { return .url(text) }
        // Nobody stands between this machine and itself.
        let own = ["127.0.0.1:", "127.0.0.1/", "[::1]:", "[::1]/", "localhost:", "localhost/"].map { "http://\($0)" }
        if own.contains(where: text.hasPrefix) { return .url(text) }
        guard !text.contains("://") else {
            throw DocumentError(
                "keys is `\(text)`: who can change the keys on their way lets in whom they like. Use https, or a file", at: value.location)
        }
        return .file(paths.resolve(text))
    }
}
