import NIOCore

/// Topics by which a client hands a message to one rule, and to nobody else: `$aws/rules/NAME/TOPIC`.
package enum BasicIngest {
    package static let prefix = "$aws/rules/"
    /// The longest name that a rule can have, as AWS IoT has it.
    static let nameBytesMax = 128
    private static let slash = UInt8(ascii: "/")

    /// Whether a topic is one, with a name and something after it.
    static func includes(_ topic: ByteBuffer) -> Bool { topicLength(in: topic) != nil }

    /// Bytes of the topic that follows the rule's name.
    static func topicLength(in topic: ByteBuffer) -> Int? {
        let bytes = topic.readableBytesView
        guard bytes.starts(with: prefix.utf8) else { return nil }
        let rest = bytes.dropFirst(prefix.utf8.count)
        guard let end = rest.firstIndex(of: slash), end > rest.startIndex else { return nil }
        let length = rest.endIndex - end - 1
        return length > 0 ? length : nil
    }

    /// The rule's name, and the topic that the rule sees; `nil` for another topic.
    package static func parts(of topic: String) -> (rule: String, topic: String)? {
        guard topic.utf8.starts(with: prefix.utf8) else { return nil }
        let rest = topic.utf8.dropFirst(prefix.utf8.count)
        guard let end = rest.firstIndex(of: slash), end != rest.startIndex else { return nil }
        let remainder = rest[rest.index(after: end)...]
        return remainder.isEmpty ? nil : (String(Substring(rest[..<end])), String(Substring(remainder)))
    }
}
