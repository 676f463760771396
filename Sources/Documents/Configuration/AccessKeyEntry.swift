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
            try section.elements("accessKeys").readEach { (element) throws(DocumentError) in try AccessKeyEntry(element, paths: paths) }
        }

        private init(_ node: Node, paths: RelativePaths) throws(DocumentError) {
            let what = "an access key"
            var keys = KeyReader(node, what, known: Self.keys)
            id = keys.required("id") { (value) throws(DocumentError) in try value.text("id") } ?? ""
            principal = keys.required("principal") { (value) throws(DocumentError) in try value.text("principal") } ?? ""
            let (text, file) = (keys.text("secret"), keys.path("secretFile", paths))
            if (node["secret"] == nil) == (node["secretFile"] == nil) {
                keys.problems.add("\(what) has a `secret`, or a `secretFile` that holds it", at: node.location)
            }
            secret = file.map { .file($0) } ?? .text(text ?? "")
            sessionToken = keys.text("sessionToken")
            location = node.location
            try keys.finish()
        }
    }
}
