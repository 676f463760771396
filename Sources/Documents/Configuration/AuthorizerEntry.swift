extension ListenerConfiguration {
    /// A custom authorizer by the name that clients of AWS IoT ask for, which the listener's own passwords and tokens stand in for.
    package struct AuthorizerEntry: Sendable, Equatable {
        package var name: String
        /// The key in the user name that has the token; nil where user name and password are what is judged.
        package var tokenKey: String?
        /// The file of public keys of which one must have signed the token.
        package var signingKeys: String?
        package var location: SourceLocation

        /// What the service takes as a name, 1 to 128 of these.
        private static func isName(_ text: String, further: String) -> Bool {
            (1...128).contains(text.utf8.count)
                && text.utf8.allSatisfy { byte in
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                        || further.utf8.contains(byte)
                }
        }

        /// Reads `authorizers` of a listener.
        ///
        /// - Throws: every mistake in it, and for a listener that would never look at it.
        static func all(of listener: Node, paths: RelativePaths) throws(DocumentError) -> [AuthorizerEntry] {
            guard let section = listener.entry("authorizers") else { return [] }
            let judges = listener["passwords"] != nil || listener["tokens"] != nil
            guard judges, try listener["dialect"]?.text("dialect") == ListenerConfiguration.awsDialect else {
                throw DocumentError(
                    "`authorizers` are for a listener with `dialect: aws` and with `passwords` or `tokens`, which judge what clients send to them",
                    at: section.keyLocation)
            }
            var problems = ProblemCollector()
            var all: [AuthorizerEntry] = []
            for entry in try section.value.entries("authorizers") {
                let read = problems.collect { () throws(DocumentError) in try AuthorizerEntry(entry, of: listener, paths: paths) }
                if let read { all.append(read) }
            }
            try problems.finish()
            return all
        }

        private init(_ entry: Node.Entry, of listener: Node, paths: RelativePaths) throws(DocumentError) {
            let what = "the authorizer `\(entry.key)`"
            (name, location) = (entry.key, entry.keyLocation)
            guard Self.isName(name, further: "_=,@-") else {
                throw DocumentError("\(what): a name has 1 to 128 letters, digits and signs of `_=,@-`", at: entry.keyLocation)
            }
            _ = try entry.value.entries(what, known: ["tokenKey", "signingKeys"])
            if let key = entry.value["tokenKey"] {
                let text = try key.text("tokenKey")
                guard Self.isName(text, further: "_-"), !text.lowercased().hasPrefix("x-amz-") else {
                    throw DocumentError(
                        "\(what): tokenKey has 1 to 128 letters, digits and signs of `_-`, and is not the service's own", at: key.location)
                }
                guard listener["tokens"] != nil else {
                    throw DocumentError("\(what): tokenKey needs the listener's `tokens`, which judge the token", at: key.location)
                }
                tokenKey = text
            }
            if let file = entry.value["signingKeys"] {
                guard tokenKey != nil else {
                    throw DocumentError("\(what): signingKeys needs tokenKey, since it is the token that is signed", at: file.location)
                }
                signingKeys = paths.resolve(try file.text("signingKeys"))
            }
        }
    }

    private static let awsDialect = dialects[1]
}
