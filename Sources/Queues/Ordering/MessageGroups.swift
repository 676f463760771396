import HeapModule

/// The groups of a FIFO queue: of each, which messages wait, and how many are in flight.
///
/// A group gives out nothing while one of its messages is in flight, so that the next comes only after the one before is done with.
struct MessageGroups {
    private struct Group {
        /// Those that are not in flight; some that are gone may still be in it.
        var waiting = Heap<UInt64>()
        var inFlight = 0
    }

    private var groups: [String: Group] = [:]

    /// The groups that have messages.
    var count: Int { groups.count }

    /// A message has come, or has come back.
    mutating func add(_ sequence: UInt64, to group: String) { groups[group, default: Group()].waiting.insert(sequence) }

    /// A message that waits is received.
    mutating func take(_ sequence: UInt64, from group: String) {
        groups[group]?.inFlight += 1
        if groups[group]?.waiting.min == sequence { groups[group]?.waiting.removeMin() }
    }

    /// A message is not in flight any more.
    mutating func land(in group: String) { groups[group]?.inFlight -= 1 }

    /// Whether nothing of the group is in flight.
    func isFree(_ group: String) -> Bool { groups[group]?.inFlight ?? 0 == 0 }

    /// The first of those that wait, which may be gone.
    func first(of group: String) -> UInt64? { groups[group]?.waiting.min }

    mutating func dropFirst(of group: String) { groups[group]?.waiting.removeMin() }

    /// Forgets a group of which there is nothing.
    mutating func forgetIfEmpty(_ group: String) {
        if let state = groups[group], state.waiting.isEmpty, state.inFlight == 0 { groups[group] = nil }
    }
}
