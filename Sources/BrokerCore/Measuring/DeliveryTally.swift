/// What leaves for clients in one turn, by when it was accepted, until the turn's end says how long that took.
///
/// What is sent in one turn was mostly accepted in one turn, so there is a comparison and an addition for each message, and no clock.
struct DeliveryTally {
    /// Times of acceptance that are told apart in one turn; then those so far are counted as of now.
    private static let runsMax = 64

    private var runs: [(time: AcceptTime, messages: UInt64)] = []
    private(set) var latency = LatencyHistogram()

    /// Messages were handed to a client that is connected.
    mutating func delivered(_ time: AcceptTime, messages: UInt64 = 1, now: Instant) {
        if let last = runs.indices.last, runs[last].time == time {
            runs[last].messages &+= messages
            return
        }
        guard time.isKnown else { return }
        if runs.count == Self.runsMax { endTurn(now: now) }
        runs.append((time, messages))
    }

    /// All that gathered is on its way.
    mutating func endTurn(now: Instant) {
        guard !runs.isEmpty else { return }
        for run in runs { latency.record(nanoseconds: run.time.age(at: now), times: run.messages) }
        runs.removeAll(keepingCapacity: true)
    }
}
