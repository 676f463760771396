import HeapModule

/// The groups of a FIFO queue: of each, which messages wait, and which are in flight.
///
/// What is in flight holds up what was sent after it, and nothing else: "When a message with a message group ID is in-flight, subsequent
/// messages in that group are not made available until the in-flight message is either deleted or the visibility timeout expires" (Amazon
/// SQS developer guide, "Amazon SQS visibility timeout"). So what comes back is given out again while later messages of its group are
/// still with somebody.
struct MessageGroups {
    private struct Group {
        /// Those that are not in flight; some that are gone may still be in it.
        var waiting = Heap<UInt64>()
        /// No more than one request takes: nobody else gets one that comes after these, and what comes before was among them.
        var inFlight: [UInt64] = []
    }

    private var groups: [String: Group] = [:]

    /// The groups that have messages.
    var count: Int { groups.count }

    /// A message has come, or has come back.
    mutating func add(_ sequence: UInt64, to group: String) { groups[group, default: Group()].waiting.insert(sequence) }

    /// A message that waits is received.
    mutating func take(_ sequence: UInt64, from group: String) {
        groups[group]?.inFlight.append(sequence)
        if groups[group]?.waiting.min == sequence { groups[group]?.waiting.removeMin() }
    }

    /// A message is not in flight any more.
    mutating func land(_ sequence: UInt64, in group: String) { groups[group]?.inFlight.removeAll { $0 == sequence } }

    /// Whether nothing that is in flight was sent before a message.
    ///
    /// - Parameters:
    ///   - sequence: the message's.
    ///   - last: what the same request has got of the group just before; that, and what it got before it, holds nothing up.
    ///   - group: the message's.
    /// - Returns: true also for a group of which nothing is known.
    func isFree(_ sequence: UInt64, after last: UInt64 = 0, in group: String) -> Bool {
        groups[group]?.inFlight.allSatisfy { $0 <= last || $0 >= sequence } ?? true
    }

    /// The first of those that wait, which may be gone.
    func first(of group: String) -> UInt64? { groups[group]?.waiting.min }

    mutating func dropFirst(of group: String) { groups[group]?.waiting.removeMin() }

    /// Forgets a group of which there is nothing.
    mutating func forgetIfEmpty(_ group: String) {
        if let state = groups[group], state.waiting.isEmpty, state.inFlight.isEmpty { groups[group] = nil }
    }
}
