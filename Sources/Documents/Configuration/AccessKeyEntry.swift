extension Configuration {
    /// One access key, as the configuration has it.
    package struct AccessKeyEntry: Sendable {
        /// Where a secret is to be had.
        package enum Secret: Sendable {
            case text(String)
            /// A path.
            case file(String)
        }

        package var id: String
        package var secret: Secret
        /// What requests carry beside the signature, where the key is a temporary one.
        package var sessionToken: String?
        /// Who the holder is.
        package var principal: String
        package var location: SourceLocation

        static let keys = ["id", "secret", "secretFile", "sessionToken", "principal"]

        static func all(in section: Node, paths: RelativePaths) throws(DocumentError) -> [AccessKeyEntry] {
            try section.elements("accessKeys").map { (element) throws(DocumentError) in try AccessKeyEntry(element, paths: paths) }
        }

        private init(_ node: Node, paths: RelativePaths) throws(DocumentError) {
            let what = "an access key"
            _ = try node.entries(what, known: Self.keys)
            id = try node.required("id", in: what).text("id")
            principal = try node.required("principal", in: what).text("principal")
            switch (node["secret"], node["secretFile"]) {
            case (let text?, nil): secret = .text(try text.text("secret"))
            case (nil, let file?): secret = .file(paths.resolve(try file.text("secretFile")))
            default: throw DocumentError("\(what) has a `secret`, or a `secretFile` that holds it", at: node.location)
            }
            sessionToken = try node["sessionToken"]?.text("sessionToken")
            location = node.location
        }
    }
}
