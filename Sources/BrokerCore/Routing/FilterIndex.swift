package import NIOCore

/// Which of a fixed number of topic filters match a topic, found as subscriptions are: by a look-up and the trie.
package struct FilterIndex: Sendable {
    private var exact: [ByteBuffer: [Int]] = [:]
    private var wildcards = WildcardTrie()
    /// The positions of equal filters with wildcards, by the entry that the trie knows.
    private var entries: [[Int]] = []

    /// - Parameter filters: valid ones; `nil` matches nothing.
    package init(_ filters: [String?]) {
        var entryOfFilter: [ByteBuffer: Int] = [:]
        for (position, filter) in filters.enumerated() {
            guard let filter else { continue }
            let key = ByteBuffer(string: filter)
            guard filter.utf8.contains(UInt8(ascii: "+")) || filter.utf8.last == UInt8(ascii: "#") else {
                exact[key, default: []].append(position)
                continue
            }
            if let known = entryOfFilter[key] {
                entries[known].append(position)
            } else {
                _ = wildcards.insert(key, entry: entries.count)
                entryOfFilter[key] = entries.count
                entries.append([position])
            }
        }
    }

    /// The positions of the filters that match, in order.
    package func matches(_ topic: ByteBuffer) -> [Int] {
        var found = exact[topic] ?? []
        // A walk needs room of its own; the trie itself is shared.
        var walk = wildcards
        walk.forEachMatch(topic) { found += entries[$0] }
        return found.sorted()
    }
}
