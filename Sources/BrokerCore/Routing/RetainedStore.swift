import HeapModule
package import NIOCore
import Synchronization

/// The last retained message of each topic, shared by all shards.
///
/// Held for one look-up at a time.
package final class RetainedStore: Sendable {
    struct Node {
        var children: [ByteBuffer: Int] = [:]
        var parent: Int
        var name: ByteBuffer
        /// Tells it from what the same place in the tree's storage held before; 0 of the root alone.
        var serial: UInt64 = 0
        /// The full topic, where a message is retained.
        var topic: ByteBuffer?
    }

    /// Whom messages count for: an identifier alone could be that of another principal's client, once that has gone.
    struct Owner: Hashable {
        let clientID: ExactText
        let principal: ExactText?

        /// `nil` for the broker itself.
        init?(_ publisher: Publisher) {
            guard let clientID = publisher.clientID else { return nil }
            self.clientID = ExactText(clientID)
            principal = publisher.principal.map(ExactText.init)
        }
    }

    /// A message, and whom it counts for: the client that published it last; nobody for what the broker itself did.
    struct Kept {
        var message: Message
        var owner: Owner?
        /// The store's version with which the topic came.
        var since: UInt64
        /// When it was retained; long ago for what a store had.
        var at = Instant(nanoseconds: .min)
        /// `nil` for what a store had.
        var mark: RetainedMark?

        func isOf(_ session: Session) -> Bool {
            owner.map { $0.clientID == ExactText(session.clientID) && $0.principal?.text == session.principal } ?? false
        }

        var publisher: Publisher { Publisher(clientID: owner?.clientID.text, principal: owner?.principal?.text) }
    }

    /// What messages take; levels stand for the store's own tree of topics.
    struct Share {
        var messages = 0
        var bytes = 0
        var levels = 0

        init(messages: Int = 0, bytes: Int = 0, levels: Int = 0) {
            (self.messages, self.bytes, self.levels) = (messages, bytes, levels)
        }

        /// Of one message.
        ///
        /// The broker's own topics count for nobody, not even in all: clients would fill what they need.
        init(_ message: Message) {
            if RetainedStore.isSystem(message.topic) {
                self.init()
                return
            }
            self.init(messages: 1, bytes: message.size, levels: message.topic.topicLevels.reduce(0) { count, _ in count + 1 })
        }

        static func + (lhs: Share, rhs: Share) -> Share {
            Share(messages: lhs.messages + rhs.messages, bytes: lhs.bytes + rhs.bytes, levels: lhs.levels + rhs.levels)
        }

        static func - (lhs: Share, rhs: Share) -> Share {
            Share(messages: lhs.messages - rhs.messages, bytes: lhs.bytes - rhs.bytes, levels: lhs.levels - rhs.levels)
        }

        func isWithin(_ most: Share) -> Bool { messages <= most.messages && bytes <= most.bytes && levels <= most.levels }
    }

    struct Expiry: Comparable {
        let at: Instant
        let topic: ByteBuffer

        static func < (lhs: Expiry, rhs: Expiry) -> Bool { lhs.at < rhs.at }
        static func == (lhs: Expiry, rhs: Expiry) -> Bool { lhs.at == rhs.at }
    }

    struct State {
        var messages: [ByteBuffer: Kept] = [:]
        /// What counts for each client, of those that have any.
        var shares: [Owner: Share] = [:]
        /// When messages expire; those that were replaced since are found out when their time comes.
        var expiries = Heap<Expiry>()
        /// What all messages take together.
        var total = Share()
        /// Topics whose message the store has not got yet, and the bytes of their names.
        var changed: Set<ByteBuffer> = []
        var changedBytes = 0
        var nodes = [Node(parent: -1, name: ByteBuffer())]
        var freeNodes: [Int] = []
        var lastSerial: UInt64 = 0
        /// What all messages may take, and those of one client.
        var totalMax: Share
        var shareMax: Share
        var version: UInt64 = 0
    }

    /// Times of expiry that are looked at before other shards, and this one's clients, have their turn.
    static let expiriesPerSweep = 4_096

    private let state: Mutex<State>
    /// Whether there is a store that wants to know what changes.
    private let isKept: Bool

    package init(limits: BrokerLimits = BrokerLimits(), isKept: Bool = false) {
        self.isKept = isKept
        state = Mutex(State(limits))
    }

    /// Takes other limits for what comes: what is there stays.
    package func take(_ limits: BrokerLimits) { state.withLock { $0.take(limits) } }

    package var count: Int { state.withLock { $0.messages.count } }
    /// Bytes of topics and payloads, but for the broker's own.
    package var bytes: Int { state.withLock { $0.total.bytes } }
    /// Times at which messages expire, those of replaced messages among them: bounded by what is there.
    package var expiryCount: Int { state.withLock { $0.expiries.count } }

    package func message(for topic: ByteBuffer) -> Message? { state.withLock { $0.messages[topic]?.message } }

    /// The message of a topic that was there already when the store had this version.
    func kept(for topic: ByteBuffer, sinceVersion version: UInt64) -> Kept? {
        state.withLock { state in state.messages[topic].flatMap { $0.since <= version ? $0 : nil } }
    }

    /// Keeps a message that asks for it [MQTT-3.3.1-5] [MQTT5-3.3.1-5], or with an empty payload forgets the topic's
    /// [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT5-3.3.1-6] [MQTT5-3.3.1-7].
    ///
    /// Answers false when a limit is reached: then the topic has no retained message, for an older one is never sent in its place.
    ///
    /// Limits bound what is new: what was kept before, and told so, comes back though they were lowered (`isBounded: false`).
    package func update(
        _ message: Message, by publisher: Publisher = Publisher(clientID: nil, principal: nil),
        at time: Instant = Instant(nanoseconds: .min),
        isBounded: Bool = true
    ) -> Bool {
        update(message, by: publisher, at: time, isBounded: isBounded, mark: nil)
    }

    /// As ``update(_:by:at:isBounded:)``, of a message that a shard accepts.
    func update(_ message: Message, by publisher: Publisher, at time: Instant, isBounded: Bool = true, mark: RetainedMark?) -> Bool {
        guard message.retain else { return true }  // neither keeps nor forgets [MQTT-3.3.1-12] [MQTT5-3.3.1-8]
        let owner = Owner(publisher)
        return state.withLock { state in
            let wasThere = state.messages[message.topic] != nil
            if message.payload.readableBytes == 0 {
                if wasThere { note(ByteBuffer(bytes: message.topic.readableBytesView), in: &state) }
                state.remove(message.topic)
                return true
            }
            let isWaitedForByStore = !wasThere && isKept && !state.changed.contains(message.topic) && state.owesStoreTooMuch
            guard !isBounded || !isWaitedForByStore && hasRoom(for: message, of: owner, in: state) else {
                if wasThere { note(ByteBuffer(bytes: message.topic.readableBytesView), in: &state) }
                state.remove(message.topic)  // the last one counts, also one that is not kept [MQTT-3.3.1-7]
                return false
            }
            let since = state.messages[message.topic]?.since ?? state.version &+ 1
            let kept = Kept(message: message, owner: owner, since: since, at: time, mark: mark)
            // Of a topic that is there the key stays, and outlives its first message: it must not be a slice of that one's storage.
            let topic = ByteBuffer(bytes: message.topic.readableBytesView)
            let old = state.messages.updateValue(kept, forKey: topic)
            if let old { state.uncount(old) }
            state.count(kept)
            if old == nil { state.insertPath(of: topic) }
            if let expiry = message.properties?.expiresAt { state.noteExpiry(of: topic, at: expiry) }
            note(topic, in: &state)
            return true
        }
    }

    /// Whether ``update(_:by:)`` would keep the message.
    func hasRoom(for message: Message, by publisher: Publisher) -> Bool {
        let owner = Owner(publisher)
        return state.withLock { hasRoom(for: message, of: owner, in: $0) }
    }

    private func hasRoom(for message: Message, of owner: Owner?, in state: borrowing State) -> Bool {
        if message.payload.readableBytes == 0 || Self.isSystem(message.topic) { return true }
        let old = state.messages[message.topic]
        let freed = old.map { Share($0.message) } ?? Share()
        guard (state.total - freed + Share(message)).isWithin(state.totalMax) else { return false }
        guard let owner else { return true }
        let share = state.shares[owner] ?? Share()
        return (share - (old?.owner == owner ? freed : Share()) + Share(message)).isWithin(state.shareMax)
    }

    static func isSystem(_ topic: ByteBuffer) -> Bool { topic.readableBytesView.first == UInt8(ascii: "$") }

    /// Forgets messages that have expired, as many as there is time for at once; answers how many, and when the next one does, or has
    /// [MQTT5-3.3.2-5].
    func removeExpired(at now: Instant) -> (removed: Int, next: Instant?) {
        state.withLock { state in
            var (removed, looks) = (0, 0)
            while let first = state.expiries.min, first.at <= now, looks < Self.expiriesPerSweep {
                _ = state.expiries.popMin()
                looks += 1
                guard state.messages[first.topic]?.message.isExpired(at: now) == true else { continue }
                state.remove(first.topic)
                note(first.topic, in: &state)
                removed += 1
            }
            return (removed, state.expiries.min?.at)
        }
    }

    /// The topics with a retained message that a valid filter matches.
    ///
    /// Adds to `levels` how many levels of topics were looked at for it, all at once: for subscribers, who pay for it by waiting. What nobody
    /// waits for takes a ``RetainedWalk``.
    package func topics(matching filter: ByteBuffer, counting levels: inout Int) -> [ByteBuffer] {
        state.withLock { $0.topics(matching: filter, counting: &levels) }
    }

    /// A topic's message, when it was retained, and by whom.
    package func dated(_ topic: ByteBuffer) -> (message: Message, at: Instant, publisher: Publisher)? {
        state.withLock { state in state.messages[topic].map { ($0.message, $0.at, $0.publisher) } }
    }

    /// For the walks, which are elsewhere.
    func withState<Answer>(_ look: (borrowing State) -> Answer) -> Answer { state.withLock { look($0) } }

    /// Changes whenever a topic comes or goes.
    var version: UInt64 { state.withLock { $0.version } }
}

// MARK: - The store

extension RetainedStore {
    /// What the topics that changed since the last call hold now: for the store, which writes it together with what led to it.
    package func takeChanges() -> [RetainedChange] {
        state.withLock { state in
            var changes: [RetainedChange] = []
            changes.reserveCapacity(state.changed.count)
            for topic in state.changed {
                let kept = state.messages[topic]
                let publisher = kept?.publisher ?? Publisher(clientID: nil, principal: nil)
                changes.append(RetainedChange(topic: topic, message: kept?.message, publisher: publisher))
            }
            state.changed.removeAll(keepingCapacity: true)
            state.changedBytes = 0
            return changes
        }
    }

    /// The store could not write these: they are to be taken again.
    package func putBack(_ changes: [RetainedChange]) {
        state.withLock { state in
            for change in changes where state.changed.insert(change.topic).inserted { state.changedBytes += change.topic.readableBytes }
        }
    }

    /// The store has not got this yet; the broker's own figures are nothing to keep.
    private func note(_ topic: ByteBuffer, in state: inout State) {
        guard isKept, topic.readableBytesView.first != UInt8(ascii: "$"), state.changed.insert(topic).inserted else { return }
        state.changedBytes += topic.readableBytes
    }

    /// What a store had, as ``restore(_:)`` takes it over: made on any thread, while others are about other things.
    package struct Restored: Sendable {
        var state = State(BrokerLimits())

        package init(_ kept: [RetainedChange]) {
            state.messages.reserveCapacity(kept.count)
            for change in kept {
                guard let message = change.message else { continue }
                let entry = Kept(message: message, owner: Owner(change.publisher), since: 1)
                let topic = ByteBuffer(bytes: change.topic.readableBytesView)
                guard state.messages.updateValue(entry, forKey: topic) == nil else { continue }
                state.count(entry)
                state.insertPath(of: topic)
                if let expiry = message.properties?.expiresAt { state.noteExpiry(of: topic, at: expiry) }
            }
        }
    }

    /// Takes over what the store had, before there is anything else.
    package func restore(_ restored: Restored) {
        state.withLock { state in
            let (totalMax, shareMax) = (state.totalMax, state.shareMax)
            state = restored.state
            (state.totalMax, state.shareMax) = (totalMax, shareMax)
        }
    }
}
