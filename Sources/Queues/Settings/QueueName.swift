/// The name of a queue, and the forms that others know it by.
package struct QueueName: Sendable, Hashable {
    package let text: String

    private static let orderedEnding = ".fifo"

    /// Whether it is that of a FIFO queue.
    package var isOrdered: Bool { text.hasSuffix(Self.orderedEnding) }

    /// A name that a queue may have.
    ///
    /// - Throws: for a name that is none.
    package init(_ text: String) throws(QueueError) {
        guard Self.isName(text) else {
            throw QueueError(
                .invalidParameterValue,
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
        }
        self.text = text
    }

    /// The queue in `arn:aws:sqs:REGION:ACCOUNT:NAME`.
    package init?(arn: String) {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[1].hasPrefix("aws"), parts[2] == "sqs", Self.isName(String(parts[5])) else {
            return nil
        }
        text = String(parts[5])
    }

    /// The queue in `https://HOST/ACCOUNT/NAME`, whatever the host, or in a name alone.
    package init?(url: String) {
        var name = Substring(url)
        if let scheme = url.firstRange(of: "://") {
            let parts = url[scheme.upperBound...].split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            name = parts[2]
        }
        guard Self.isName(String(name)) else { return nil }
        text = String(name)
    }

    private static func isName(_ text: String) -> Bool {
        let stem = text.hasSuffix(orderedEnding) ? text.dropLast(orderedEnding.count) : Substring(text)
        return !stem.isEmpty && text.utf8.count <= 80
            && stem.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

/// A queue that a template declares.
package struct QueueDeclaration: Sendable, Equatable {
    package let name: String
    package let settings: QueueSettings
    package let tags: [String: String]

    package init(name: String, settings: QueueSettings, tags: [String: String] = [:]) {
        self.name = name
        self.settings = settings
        self.tags = tags
    }
}
