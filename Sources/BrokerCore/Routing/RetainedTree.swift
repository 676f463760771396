import HeapModule
package import NIOCore

/// One name on a level of the tree of retained topics.
package struct RetainedChild: Sendable {
    package var name: ByteBuffer
    /// Whether it is a topic with a message itself.
    package var isTopic: Bool
    /// Names one level below it.
    package var children: Int
}

/// The tree of retained topics, and what counts for whom.
extension RetainedStore.State {
    init(_ limits: BrokerLimits) {
        self.init(totalMax: RetainedStore.Share(), shareMax: RetainedStore.Share())
        take(limits)
    }

    mutating func take(_ limits: BrokerLimits) {
        totalMax = RetainedStore.Share(
            messages: limits.retainedMessagesMax, bytes: limits.retainedBytesMax, levels: limits.retainedLevelsMax)
        shareMax = RetainedStore.Share(
            messages: limits.retainedMessagesPerClientMax, bytes: limits.retainedBytesPerClientMax,
            levels: limits.retainedLevelsPerClientMax)
    }

    /// While the disk takes nothing, topics that come and go would gather without end: each has to be told to it, also that it is gone.
    ///
    /// There is always room for some: a turn of a broker that keeps few messages may change more of them than it keeps.
    var owesStoreTooMuch: Bool {
        changed.count >= max(totalMax.messages, Self.changedAlways) || changedBytes >= max(totalMax.bytes, Self.changedBytesAlways)
    }

    private static let changedAlways = 4_096
    private static let changedBytesAlways = 1 << 20

    mutating func count(_ kept: RetainedStore.Kept) {
        let size = RetainedStore.Share(kept.message)
        total = total + size
        if let owner = kept.owner { shares[owner] = (shares[owner] ?? .init()) + size }
    }

    mutating func uncount(_ kept: RetainedStore.Kept) {
        let size = RetainedStore.Share(kept.message)
        total = total - size
        guard let owner = kept.owner, let share = shares[owner] else { return }
        shares[owner] = share.messages <= size.messages ? nil : share - size
    }

    /// A topic that is published again and again would leave a time behind with each message: they are thrown out before they are more than
    /// those that count.
    mutating func noteExpiry(of topic: ByteBuffer, at time: Instant) {
        if expiries.count > 2 * messages.count + 16 {
            expiries = Heap(
                messages.compactMap { topic, kept in kept.message.properties?.expiresAt.map { RetainedStore.Expiry(at: $0, topic: topic) } }
            )
        }
        expiries.insert(RetainedStore.Expiry(at: time, topic: topic))
    }

    mutating func remove(_ topic: ByteBuffer) {
        guard let old = messages.removeValue(forKey: topic) else { return }
        uncount(old)
        version &+= 1
        var node = 0
        for level in topic.topicLevels {
            guard let next = nodes[node].children[level] else { return }
            node = next
        }
        nodes[node].topic = nil
        while node != 0, nodes[node].topic == nil, nodes[node].children.isEmpty {
            let parent = nodes[node].parent
            nodes[parent].children[nodes[node].name] = nil
            nodes[node] = RetainedStore.Node(parent: -1, name: ByteBuffer())
            freeNodes.append(node)
            node = parent
        }
    }

    mutating func insertPath(of topic: ByteBuffer) {
        version &+= 1
        var node = 0
        for level in topic.topicLevels {
            if let next = nodes[node].children[level] {
                node = next
                continue
            }
            lastSerial &+= 1
            // A name lasts as long as any topic below it: it must not keep a far longer one alive, which is gone.
            let isSmallPart = topic.readableBytes > 256 && level.readableBytes < topic.readableBytes / 4
            let name = isSmallPart ? ByteBuffer(bytes: level.readableBytesView) : level
            let new = RetainedStore.Node(parent: node, name: name, serial: lastSerial)
            let index: Int
            if let free = freeNodes.popLast() {
                nodes[free] = new
                index = free
            } else {
                index = nodes.count
                nodes.append(new)
            }
            nodes[node].children[level] = index
            node = index
        }
        nodes[node].topic = topic
    }

    func topics(matching filter: ByteBuffer, counting levels: inout Int) -> [ByteBuffer] {
        if !filter.readableBytesView.contains(UInt8(ascii: "+")) && filter.readableBytesView.last != UInt8(ascii: "#") {
            return messages[filter] == nil ? [] : [filter]
        }
        var found: [ByteBuffer] = []
        var frontier = [0]
        var isFirst = true
        for level in filter.topicLevels {
            if level.isSingleByte(UInt8(ascii: "#")) {
                collectBelow(frontier, skippingSystemTopics: isFirst, into: &found, counting: &levels)
                return found
            }
            var next: [Int] = []
            for node in frontier {
                if level.isSingleByte(UInt8(ascii: "+")) {
                    for (name, child) in nodes[node].children where !(isFirst && RetainedStore.isSystem(name)) { next.append(child) }
                } else if let child = nodes[node].children[level] {
                    next.append(child)
                }
            }
            levels += frontier.count + next.count
            frontier = next
            isFirst = false
        }
        for node in frontier { if let topic = nodes[node].topic { found.append(topic) } }
        return found
    }

    private func collectBelow(_ start: [Int], skippingSystemTopics: Bool, into found: inout [ByteBuffer], counting levels: inout Int) {
        var pending: [Int] = []
        for node in start {
            if node != 0, let topic = nodes[node].topic { found.append(topic) }
            for (name, child) in nodes[node].children where !(skippingSystemTopics && RetainedStore.isSystem(name)) {
                pending.append(child)  // [MQTT-4.7.2-1] [MQTT5-4.7.2-1]
            }
        }
        while let node = pending.popLast() {
            levels += 1
            if let topic = nodes[node].topic { found.append(topic) }
            pending.append(contentsOf: nodes[node].children.values)
        }
    }
}
