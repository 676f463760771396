package import MQTTCodec
package import NIOCore

/// Which sessions and which other shards want a topic.
///
/// Filters without wildcards are found by one look-up of the topic's bytes. Filters with wildcards stand in a trie whose edges lie in one
/// table keyed by (node, level), so that a million filters are a few flat arrays: no object per level, no recursion on input.
///
/// Matching `a/b` walks the trie level by level with the set of nodes reached so far. From the root, level `a` leads to the nodes of `a`
/// and `+`; from each of these, level `b` leads on in the same way. A node's `#` child matches at once, whatever follows, and also when
/// nothing follows. The work is bounded by the number of nodes that prefix the topic, never by the number of filters.
package struct TopicIndex {
    package struct Subscriber {
        package let session: Session
        package var qos: QoS
    }

    /// One filter with everybody who wants it.
    package struct Entry {
        package var filter: ByteBuffer
        package var subscribers: [Subscriber] = []
        package var shards = ShardSet()
        var hasRules = false
        /// The trie node that ends the filter; `nil` without wildcards.
        var node: Int?

        var isUnused: Bool { subscribers.isEmpty && shards.isEmpty && !hasRules }
    }

    private var entryOfFilter: [ByteBuffer: Int] = [:]
    private var entries: [Entry] = []
    private var freeEntries: [Int] = []
    private var trie = WildcardTrie()
    package private(set) var subscriptionCount = 0
    /// Changes whenever a route that was made before may be wrong.
    private(set) var generation: UInt64 = 1

    package init() {}

    /// Enters or replaces a subscription [MQTT-3.8.4-3].
    ///
    /// Answers true when it is the shard's first to this filter.
    package mutating func subscribe(_ session: Session, to filter: String, qos: QoS) -> Bool {
        generation &+= 1
        if let existing = session.subscriptions[ExactText(filter)] {
            entries[existing.entry].subscribers[existing.position].qos = qos
            session.subscriptions[ExactText(filter)]?.qos = qos
            return false
        }
        let entry = entryIndex(of: filter)
        let position = entries[entry].subscribers.count
        entries[entry].subscribers.append(Subscriber(session: session, qos: qos))
        session.subscriptions[ExactText(filter)] = Session.Subscription(qos: qos, entry: entry, position: position)
        subscriptionCount += 1
        return position == 0
    }

    /// Answers true when it was the shard's last to this filter, nil when there was none.
    package mutating func unsubscribe(_ session: Session, from filter: String) -> Bool? {
        guard let subscription = session.subscriptions.removeValue(forKey: ExactText(filter)) else { return nil }
        generation &+= 1
        subscriptionCount -= 1
        let entry = subscription.entry
        let last = entries[entry].subscribers.removeLast()
        if subscription.position < entries[entry].subscribers.count {
            entries[entry].subscribers[subscription.position] = last
            last.session.subscriptions[ExactText(filter)]?.position = subscription.position
        }
        let isLast = entries[entry].subscribers.isEmpty
        dropIfUnused(entry)
        return isLast
    }

    /// Another shard begins or ceases to want a filter.
    package mutating func setShard(_ shard: ShardID, wants filter: String, _ wanted: Bool) {
        generation &+= 1
        let entry = entryIndex(of: filter)
        if wanted { entries[entry].shards.insert(shard) } else { entries[entry].shards.remove(shard) }
        dropIfUnused(entry)
    }

    /// The filters that device rules look at; replaces those given before.
    mutating func setRules(_ filters: [String]) {
        generation &+= 1
        for entry in entries.indices where entries[entry].hasRules {
            entries[entry].hasRules = false
            dropIfUnused(entry)
        }
        for filter in filters { entries[entryIndex(of: filter)].hasRules = true }
    }

    /// Calls `body` with every entry that matches a valid topic name.
    package mutating func forEachMatch(_ topic: ByteBuffer, _ body: (borrowing Entry) -> Void) {
        if let exact = entryOfFilter[topic] { body(entries[exact]) }
        trie.forEachMatch(topic) { body(entries[$0]) }
    }

    private mutating func entryIndex(of filter: String) -> Int {
        let key = ByteBuffer(string: filter)
        if let known = entryOfFilter[key] { return known }
        let index: Int
        if let free = freeEntries.popLast() {
            index = free
            entries[index] = Entry(filter: key)
        } else {
            index = entries.count
            entries.append(Entry(filter: key))
        }
        entryOfFilter[key] = index
        if filter.utf8.contains(UInt8(ascii: "+")) || filter.utf8.last == UInt8(ascii: "#") {
            entries[index].node = trie.insert(key, entry: index)
        }
        return index
    }

    private mutating func dropIfUnused(_ index: Int) {
        guard entries[index].isUnused else { return }
        entryOfFilter[entries[index].filter] = nil
        if let node = entries[index].node { trie.remove(endingAt: node, filter: entries[index].filter) }
        entries[index] = Entry(filter: ByteBuffer())
        freeEntries.append(index)
    }
}
