package import NIOCore

/// One name on a level of the tree of topics, with what is below it.
package struct TopicBranch: Sendable {
    /// The level's own text; empty in `a//b`.
    package var name: String
    /// From the root to here.
    package var topic: String
    /// Names one level below it: at least so many, where some of them carried messages and others have retained ones only.
    package var children = 0
    /// Topics that carried messages: below it, and itself where it is one.
    package var topics = 0
    /// Of all of them, as the three below.
    package var messages: UInt64 = 0
    package var bytes: UInt64 = 0
    package var messagesPerSecond = 0.0
    package var lastSeen: Instant?
    /// Whether it is a topic itself: one that carried a message, or has a retained one.
    package var isTopic = false
    package var retained = false
    /// Of the topic itself.
    package var sample: PayloadSample?

    package init(name: String, topic: String) {
        self.name = name
        self.topic = topic
    }
}

/// One level of the tree of topics, made of all topics of which there are statistics and those that have a retained message.
package struct TopicLevel {
    private let prefix: [UInt8]
    private let search: SearchedText?
    private var branches: [ByteBuffer: TopicBranch] = [:]
    private var childNames: [ByteBuffer: Set<ByteBuffer>] = [:]
    /// Names below each of them in the tree of retained topics.
    private var retainedChildren: [ByteBuffer: Int] = [:]

    /// - Parameters:
    ///   - parent: the topic, or the beginning of topics, whose level below is asked for, without the slash at its end; `nil` for the first
    ///     level.
    ///   - search: only topics in which this text stands.
    package init(under parent: String?, search: String?) {
        prefix = parent.map { Array($0.utf8) + [UInt8(ascii: "/")] } ?? []
        self.search = search.map { SearchedText($0) }
    }

    package mutating func add(_ topic: TopicSnapshot) {
        guard let rest = rest(of: topic.topic) else { return }
        add(rest) { branch, isTopic in
            branch.messages &+= topic.messages
            branch.bytes &+= topic.bytes
            branch.messagesPerSecond += topic.messagesPerSecond
            branch.lastSeen = max(branch.lastSeen ?? topic.lastSeen, topic.lastSeen)
            branch.topics += 1
            if isTopic { branch.sample = topic.sample }
        }
    }

    /// Adds a name of this level of the tree of retained topics.
    package mutating func add(retained child: RetainedChild) {
        touch(child.name)
        retainedChildren[child.name] = child.children
        if child.isTopic {
            branches[child.name]?.isTopic = true
            branches[child.name]?.retained = true
        }
    }

    /// Adds a topic of the tree of retained topics, wherever it is.
    package mutating func add(retained topic: ByteBuffer) {
        guard let rest = rest(of: topic) else { return }
        add(rest) { branch, isTopic in if isTopic { branch.retained = true } }
    }

    /// The names in the order of their bytes.
    package func rows(limit: Int) -> [TopicBranch] {
        branches.sorted { $0.key.readableBytesView.lexicographicallyPrecedes($1.key.readableBytesView) }.prefix(max(0, limit)).map {
            var branch = $0.value
            branch.children = max(childNames[$0.key]?.count ?? 0, retainedChildren[$0.key] ?? 0)
            return branch
        }
    }

    /// What follows the prefix; `nil` of a topic elsewhere, or in which the text does not stand.
    private func rest(of topic: ByteBuffer) -> ByteBuffer? {
        guard topic.readableBytesView.starts(with: prefix) else { return nil }
        if let search, !search.isIn(topic.readableBytesView) { return nil }
        return topic.getSlice(at: topic.readerIndex + prefix.count, length: topic.readableBytes - prefix.count)
    }

    private mutating func add(_ rest: ByteBuffer, _ change: (inout TopicBranch, _ isTopic: Bool) -> Void) {
        var levels = rest.topicLevels
        guard let name = levels.next() else { return }
        let child = levels.next()
        touch(name)
        if let child { childNames[name, default: []].insert(child) }
        if var branch = branches[name] {
            if child == nil { branch.isTopic = true }
            change(&branch, child == nil)
            branches[name] = branch
        }
    }

    private mutating func touch(_ name: ByteBuffer) {
        if branches[name] != nil { return }
        let text = String(buffer: name)
        branches[name] = TopicBranch(name: text, topic: String(decoding: prefix, as: UTF8.self) + text)
    }
}
