/// A topic filter of a shared subscription: `$share/NAME/FILTER` (MQTT 5 section 4.8.2).
package struct SharedFilter: Equatable, Sendable {
    /// Names the group whose members share the messages.
    package var shareName: String
    /// What a topic is matched against.
    package var filter: String

    private static let prefix = "$share/"

    /// Takes a topic filter apart; `nil` when it is not one of a shared subscription.
    ///
    /// `text` is a valid topic filter, so that what follows the share name is one, too, unless it is empty. Throws where the share name or
    /// the filter is missing, or the name has a wildcard. MQTT 3.1.1 has no shared subscriptions: there the text is a filter as any other.
    package init?(parsing text: String) throws(DecodeError) {
        guard text.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let rest = text.utf8.dropFirst(Self.prefix.utf8.count)
        guard let end = rest.firstIndex(of: Topics.slash) else { throw .invalidSharedFilter }  // [MQTT5-4.8.2-2]
        let name = rest[..<end]
        let filter = rest[rest.index(after: end)...]
        if name.isEmpty || filter.isEmpty { throw .invalidSharedFilter }  // [MQTT5-4.8.2-1] [MQTT5-4.8.2-2]
        if name.contains(where: { $0 == Topics.plus || $0 == Topics.hash }) { throw .invalidSharedFilter }  // [MQTT5-4.8.2-2]
        shareName = String(Substring(name))
        self.filter = String(Substring(filter))
    }
}
