import MQTTCodec
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
        package var options: SubscriptionOptions
    }

    /// One filter with everybody who wants it.
    package struct Entry {
        package var filter: ByteBuffer
        package var subscribers: [Subscriber] = []
        package var shards = ShardSet()
        /// Shared subscriptions with this filter.
        var groups: [SharedGroup] = []
        var hasRules = false
        /// The trie node that ends the filter; `nil` without wildcards.
        var node: Int?

        var isUnused: Bool { subscribers.isEmpty && shards.isEmpty && groups.isEmpty && !hasRules }
    }

    /// What other shards are to be told.
    package enum Change: Equatable {
        /// Of a filter: the shard begins or ceases to want it.
        case interest(filter: String, wanted: Bool)
        /// The members of a shared subscription are others now.
        case members(SharedGroup)
        case none

        package static func == (lhs: Change, rhs: Change) -> Bool {
            switch (lhs, rhs) {
            case (.interest(let filter, let wanted), .interest(let otherFilter, let otherWanted)):
                ExactText(filter) == ExactText(otherFilter) && wanted == otherWanted
            case (.members(let one), .members(let other)): one === other
            case (.none, .none): true
            default: false
            }
        }
    }

    private var entryOfFilter: [ByteBuffer: Int] = [:]
    private var groups: [ExactText: SharedGroup] = [:]
    private var entries: [Entry] = []
    private var freeEntries: [Int] = []
    private var trie = WildcardTrie()
    package private(set) var subscriptionCount = 0
    /// Of all subscriptions together.
    private(set) var levelCount = 0
    /// What matching has cost, in nodes.
    var visits: UInt64 { trie.visits }
    /// Changes whenever a route that was made before may be wrong.
    private(set) var generation: UInt64 = 1

    package init() {}

    /// Routes that were made before may lead to sessions that have ended.
    mutating func forgetRoutes() { generation &+= 1 }

    /// Enters or replaces a subscription [MQTT-3.8.4-3] [MQTT5-3.8.4-3].
    package mutating func subscribe(_ session: Session, to filter: String, options: SubscriptionOptions) -> Change {
        generation &+= 1
        if let existing = session.subscriptions[ExactText(filter)] {
            var options = options
            options.excludesParent = existing.options.excludesParent  // its place in the index stays
            session.subscriptions[ExactText(filter)]?.options = options
            if let group = existing.share {
                group.update(existing.position, options: options)
            } else {
                entries[existing.entry].subscribers[existing.position].options = options
            }
            return .none
        }
        subscriptionCount += 1
        let levels = Self.levels(of: filter)
        levelCount += levels
        session.filterLevels += levels
        let indexed = options.excludesParent ? Topics.withoutParent(filter) : filter
        if let shared = try? SharedFilter(parsing: indexed) {
            let group = group(named: indexed, filter: shared.filter)
            let position = group.add(session, options: options)
            session.subscriptions[ExactText(filter)] = Session.Subscription(options: options, entry: -1, position: position, share: group)
            session.sharedSubscriptions += 1
            return .members(group)
        }
        let entry = entryIndex(of: indexed)
        let position = entries[entry].subscribers.count
        entries[entry].subscribers.append(Subscriber(session: session, options: options))
        session.subscriptions[ExactText(filter)] = Session.Subscription(options: options, entry: entry, position: position, share: nil)
        return position == 0 ? .interest(filter: indexed, wanted: true) : .none
    }

    /// Answers `nil` when there was no such subscription.
    package mutating func unsubscribe(_ session: Session, from filter: String) -> Change? {
        guard let subscription = session.subscriptions.removeValue(forKey: ExactText(filter)) else { return nil }
        generation &+= 1
        subscriptionCount -= 1
        let levels = Self.levels(of: filter)
        levelCount -= levels
        session.filterLevels -= levels
        if let group = subscription.share {
            if let moved = group.remove(at: subscription.position) {
                let theirs = moved.options.excludesParent ? Self.withParent(group.name) : group.name
                moved.session.subscriptions[ExactText(theirs)]?.position = subscription.position
            }
            session.sharedSubscriptions -= 1
            dropIfUnused(group)
            return .members(group)
        }
        let entry = subscription.entry
        let last = entries[entry].subscribers.removeLast()
        if subscription.position < entries[entry].subscribers.count {
            entries[entry].subscribers[subscription.position] = last
            let text = String(buffer: entries[entry].filter)
            let theirs = last.options.excludesParent ? Self.withParent(text) : text
            last.session.subscriptions[ExactText(theirs)]?.position = subscription.position
        }
        let isLast = entries[entry].subscribers.isEmpty
        let indexed = String(buffer: entries[entry].filter)
        dropIfUnused(entry)
        return isLast ? .interest(filter: indexed, wanted: false) : Change.none
    }

    /// Nodes that a filter may take: one where there is no wildcard.
    static func levels(of filter: String) -> Int {
        let bytes = filter.utf8
        guard bytes.contains(UInt8(ascii: "+")) || bytes.last == UInt8(ascii: "#") else { return 1 }
        return bytes.count { $0 == UInt8(ascii: "/") } + 1
    }

    /// The filter as it was given, of one that was entered without its parent.
    static func withParent(_ filter: String) -> String {
        filter.utf8.suffix(4).elementsEqual("/+/#".utf8) ? filter.dropLast(3) + "#" : filter
    }

    // MARK: Shared subscriptions

    /// The shared subscription of this name, if it has members anywhere.
    func group(named name: String) -> SharedGroup? { groups[ExactText(name)] }

    /// This shard's members of all shared subscriptions.
    var sharedMemberCount: Int { groups.values.reduce(0) { $0 + $1.counts.all } }

    private mutating func group(named name: String, filter: String) -> SharedGroup {
        if let known = groups[ExactText(name)] { return known }
        let group = SharedGroup(name: name, filter: filter)
        groups[ExactText(name)] = group
        let entry = entryIndex(of: filter)
        group.position = entries[entry].groups.count
        entries[entry].groups.append(group)
        return group
    }

    /// Another shard's members are this many now.
    mutating func setMembers(_ counts: SharedGroup.Counts, of name: String, on shard: ShardID) {
        guard let shared = try? SharedFilter(parsing: name) else { return }
        generation &+= 1
        let group = group(named: name, filter: shared.filter)
        group.setCounts(counts, of: shard)
        dropIfUnused(group)
    }

    private mutating func dropIfUnused(_ group: SharedGroup) {
        guard group.isUnused else { return }
        groups[ExactText(group.name)] = nil
        let entry = entryIndex(of: group.filter)
        let last = entries[entry].groups.removeLast()
        if last !== group {
            entries[entry].groups[group.position] = last
            last.position = group.position
        }
        dropIfUnused(entry)
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
        // AWS IoT's `#` stands for one level or more.
        for filter in filters { entries[entryIndex(of: Topics.withoutParent(filter))].hasRules = true }
    }

    /// Calls `body` with every entry that matches a valid topic name, and with no other [MQTT5-3.3.2-3].
    package mutating func forEachMatch(_ topic: ByteBuffer, _ body: (borrowing Entry) -> Void) {
        if let exact = entryOfFilter[topic] { body(entries[exact]) }
        trie.forEachMatch(topic) { body(entries[$0]) }
    }

    /// The entry of exactly this filter, which names no group.
    func entry(of filter: String) -> Entry? { entryOfFilter[ByteBuffer(string: filter)].map { entries[$0] } }

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
