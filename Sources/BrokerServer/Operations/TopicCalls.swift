package import BrokerCore
import MQTTCodec
import NIOCore

/// What operators ask about topics and retained messages: the shards give what they have, all else is done on the caller's thread.
extension Broker {
    /// Retained messages that are removed before what waits is looked at again.
    private static let removalsAtOnce = 256

    // MARK: Topics

    package func topics(matching filter: String, limit: Int) async -> [TopicSummary] {
        await topics(TopicQuery(filter: filter, limit: limit))
    }

    package func topics(_ query: TopicQuery) async -> [TopicSummary] {
        let search = query.search.map { SearchedText($0) }
        var found = await topicSnapshots().filter { topic in
            if query.filter != "#", !Topics.matches(name: String(buffer: topic.topic), filter: query.filter) { return false }
            return search?.isIn(topic.topic.readableBytesView) ?? true
        }
        found.sort { query.order.precedes($0, $1) }
        let now = Instant.now
        return found.prefix(max(0, query.limit)).map { topic in
            var summary = TopicSummary(
                topic: String(buffer: topic.topic), messages: topic.messages, bytes: topic.bytes,
                lastSeenSeconds: now.seconds(since: topic.lastSeen), retained: retained.message(for: topic.topic) != nil)
            summary.messagesPerSecond = topic.messagesPerSecond
            return summary
        }
    }

    package func topicLevel(under parent: String?, search: String?, limit: Int) async -> [TopicBranch] {
        var level = TopicLevel(under: parent, search: search)
        for topic in await topicSnapshots() { level.add(topic) }
        if search == nil {
            var walk = RetainedWalk(below: parent.map { ByteBuffer(string: $0) })
            while !walk.isOver {
                for name in retained.names(on: &walk) { level.add(retained: name) }
                await Task.yield()
            }
        } else {
            for topic in await retainedTopics(matching: parent.map { $0 + "/#" } ?? "#") { level.add(retained: topic) }
        }
        let sampleBytesMax = limits.current.topicSampleBytesMax
        return level.rows(limit: limit).map { branch in
            guard branch.isTopic, branch.sample == nil, let message = retained.message(for: ByteBuffer(string: branch.topic)) else {
                return branch
            }
            var branch = branch
            let payload = message.payload
            let part = payload.getSlice(at: payload.readerIndex, length: min(payload.readableBytes, sampleBytesMax))
            branch.sample = PayloadSample(bytes: part ?? ByteBuffer(), payloadBytes: payload.readableBytes)
            return branch
        }
    }

    private func topicSnapshots() async -> [TopicSnapshot] {
        var parts: [[TopicSnapshot]] = Array(repeating: [], count: shards.count)
        await lookAtTopics { parts[$0] += $1 }
        return TopicSnapshot.merged(parts)
    }

    /// Looks at all topics of all event loops, one loop after the other, a part at a time: clients are served in between.
    ///
    /// Nothing once the broker drains. `take` gets each part with the number of its loop, off the loops.
    func lookAtTopics(take: (Int, [TopicSnapshot]) -> Void) async {
        if isDraining { return }
        for (number, shard) in shards.enumerated() {
            var walk = TopicWalk()
            // A loop that has ended meanwhile has nothing to say.
            while !walk.isOver, let next = try? await Self.topics(after: walk, on: shard) {
                take(number, next.topics)
                walk = next.walk
            }
        }
    }

    private static func topics(
        after walk: TopicWalk, on shard: NIOLoopBoundBox<ShardDriver>
    ) async throws -> (topics: [TopicSnapshot], walk: TopicWalk) {
        try await shard.eventLoop.submit {
            var walk = walk
            shard.value.bringUpToDate()
            let topics = shard.value.shard.topicSnapshots(on: &walk)
            return (topics, walk)
        }.get()
    }

    // MARK: Retained messages

    package func retainedMessages(
        from first: String, limit: Int, where isWanted: @Sendable (String) -> Bool
    ) async -> (rows: [RetainedSummary], next: String?) {
        var page = TopicPage(from: ByteBuffer(string: first), limit: limit)
        var walk = RetainedWalk(filter: ByteBuffer(string: "#"))
        while !walk.isOver {
            page.add(retained.topics(on: &walk), where: isWanted)
            await Task.yield()
        }
        let (topics, next) = page.finished()
        let rows = topics.compactMap { topic in retained.dated(topic).map { summary($0.message, since: $0.at, by: $0.publisher) } }
        return (rows, next.map { String(buffer: $0) })
    }

    package func retainedMessages(_ query: RetainedQuery, limit: Int) async -> (rows: [RetainedSummary], matched: Int) {
        var rows: [RetainedSummary] = []
        var matched = 0
        for topic in await retainedTopics(query) {
            guard let summary = retainedSummary(topic, query) else { continue }
            matched += 1
            if rows.count < limit { rows.append(summary) }
        }
        return (rows, matched)
    }

    package func removeRetained(_ query: RetainedQuery) async -> RetainedRemoval {
        var result = RetainedRemoval(matched: 0, removed: 0, topics: [])
        var rest = await retainedTopics(query).filter { !Self.isOwn($0) }[...]
        while !rest.isEmpty {
            // Looked at again just before: what came meanwhile is younger.
            let batch = rest.prefix(Self.removalsAtOnce).filter { retainedSummary($0, query) != nil }
            rest = rest.dropFirst(Self.removalsAtOnce)
            result.matched += batch.count
            if isDraining { continue }
            let removals = batch.map { Message(topic: $0, payload: ByteBuffer(), qos: .atLeastOnce, retain: true) }
            switch await publish(removals) {
            case .kept: break
            case .notKept: result.isKept = false
            case .refused: continue
            }
            result.removed += batch.count
            result.topics += batch.prefix(RetainedRemoval.topicsNamedMax - result.topics.count).map { String(buffer: $0) }
        }
        return result
    }

    /// In the order of their bytes.
    private func retainedTopics(_ query: RetainedQuery) async -> [ByteBuffer] {
        await retainedTopics(matching: query.filter)
            .sorted { $0.readableBytesView.lexicographicallyPrecedes($1.readableBytesView) }
    }

    /// In no order, with the store held for a part of them at a time.
    private func retainedTopics(matching filter: String) async -> [ByteBuffer] {
        var walk = RetainedWalk(filter: ByteBuffer(string: filter))
        var topics: [ByteBuffer] = []
        while !walk.isOver {
            topics += retained.topics(on: &walk)
            await Task.yield()
        }
        return topics
    }

    private static func isOwn(_ topic: ByteBuffer) -> Bool { topic.readableBytesView.first == UInt8(ascii: "$") }

    private func retainedSummary(_ topic: ByteBuffer, _ query: RetainedQuery) -> RetainedSummary? {
        guard let kept = retained.dated(topic) else { return nil }
        let summary = summary(kept.message, since: kept.at, by: kept.publisher)
        if let least = query.olderThanSeconds, summary.ageMilliseconds / 1_000 < least { return nil }
        return summary
    }
}

extension TopicQuery.Order {
    /// Equal ones stand in the order of their topics.
    fileprivate func precedes(_ one: TopicSnapshot, _ other: TopicSnapshot) -> Bool {
        switch self {
        case .topic: break
        case .messages: if one.messages != other.messages { return one.messages > other.messages }
        case .lastSeen: if one.lastSeen != other.lastSeen { return one.lastSeen > other.lastSeen }
        }
        return one.topic.readableBytesView.lexicographicallyPrecedes(other.topic.readableBytesView)
    }
}
