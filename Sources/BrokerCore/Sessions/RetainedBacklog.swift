import DequeModule
import MQTTCodec
import NIOCore

/// A retained message that is to be sent for a new subscription.
struct OwedRetained {
    let topic: ByteBuffer
    /// The filter that asked for it, and what it was granted.
    let filter: ExactText
    var options: SubscriptionOptions
    /// Of the retained messages when it asked: a topic that came since was delivered as it came.
    let version: UInt64
    /// What each shard had retained when it began to route by the subscription.
    let marks: RetainedMarks
    /// The message as it was when others on its topic were found to go first; otherwise it is looked up when it is sent.
    var kept: RetainedStore.Kept?
}

/// What a session is owed of retained messages: for each filter that asked for them, all that it matches.
///
/// Each filter gets its own copies, also filters of one SUBSCRIBE, which is handled as if each had come in a packet of its own
/// [MQTT-3.8.4-4] [MQTT5-3.8.4-5]. One filter is worked off after the other, and topics are known of that one only: a filter that waits
/// takes no more room than its text, however many messages it matches, and to ask again costs the same however much is owed.
struct RetainedBacklog {
    private struct Request {
        var options: SubscriptionOptions
        var version: UInt64
        var marks: RetainedMarks
        /// Of its place in the order.
        var number: UInt64
    }

    private var requests: [ExactText: Request] = [:]
    /// Oldest first; also places of what was given up.
    private var order = Deque<(filter: ExactText, number: UInt64)>()
    private var lastNumber: UInt64 = 0
    /// The filter whose turn it is, and what it matched when its turn came.
    private var current: ExactText?
    private var topics: ArraySlice<ByteBuffer> = []
    /// Those of them that go behind the others.
    private var later: ArraySlice<ByteBuffer> = []

    var isEmpty: Bool { requests.isEmpty }
    /// What the topics take that are known.
    var bytes: Int { (topics.count + later.count) * MemoryLayout<ByteBuffer>.size }
    /// Places kept, for tests of what a client can make the broker keep.
    var places: Int { order.count }

    /// A filter asks for all that it matches; one that asks again begins anew.
    mutating func ask(_ filter: ExactText, _ options: SubscriptionOptions, version: UInt64, marks: RetainedMarks) {
        if requests[filter] != nil {
            requests[filter]?.options = options
            requests[filter]?.version = version
            requests[filter]?.marks = marks
            if current == filter { leaveCurrent() }
            return
        }
        if order.count > 2 * requests.count + 16 { order.removeAll { requests[$0.filter]?.number != $0.number } }
        lastNumber += 1
        requests[filter] = Request(options: options, version: version, marks: marks, number: lastNumber)
        order.append((filter, lastNumber))
    }

    /// Another subscription has the filter now.
    mutating func renew(_ filter: ExactText, _ options: SubscriptionOptions) { requests[filter]?.options = options }

    mutating func giveUp(_ filter: ExactText) {
        guard requests.removeValue(forKey: filter) != nil else { return }
        if current == filter { leaveCurrent() }
        releaseIfEmpty()
    }

    mutating func giveUpAll(where shouldLeave: (SubscriptionOptions) -> Bool) {
        for (filter, request) in requests where shouldLeave(request.options) { giveUp(filter) }
    }

    /// The filter whose topics have to be looked up first; `nil` when they are known, or nothing is owed.
    mutating func filterToLookUp() -> ExactText? {
        if current != nil { return nil }
        while let first = order.first {
            if requests[first.filter]?.number == first.number { return first.filter }
            order.removeFirst()
        }
        return nil
    }

    /// What the filter matches whose turn it is.
    mutating func begin(_ filter: ExactText, _ topics: [ByteBuffer]) {
        current = filter
        self.topics = topics[...]
        if topics.isEmpty { finishCurrent() }
    }

    mutating func popFirst() -> OwedRetained? {
        guard let current, let request = requests[current], let topic = topics.popFirst() ?? later.popFirst() else { return nil }
        if topics.isEmpty, later.isEmpty { finishCurrent() }
        return OwedRetained(topic: topic, filter: current, options: request.options, version: request.version, marks: request.marks)
    }

    /// Lets the filter's other topics go before one that was taken; answers false when there are no others that have not been put back.
    mutating func putBack(_ owed: OwedRetained) -> Bool {
        guard current == owed.filter, !topics.isEmpty else { return false }
        later.append(owed.topic)
        return true
    }

    private mutating func finishCurrent() {
        if let current { requests[current] = nil }
        leaveCurrent()
        releaseIfEmpty()
    }

    /// Every client that subscribes has been owed something: what that took is not kept for as long as it stays.
    private mutating func releaseIfEmpty() {
        if requests.isEmpty { (requests, order) = ([:], Deque()) }
    }

    private mutating func leaveCurrent() {
        current = nil
        topics = []
        later = []
    }
}
