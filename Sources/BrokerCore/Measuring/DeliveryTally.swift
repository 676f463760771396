/// What leaves for clients in one turn, by when it was accepted, until the turn's end says how long that took.
///
/// What is sent in one turn was mostly accepted in one turn, so there is a comparison and an addition for each message, and no clock.
struct DeliveryTally {
    /// Times of acceptance that are told apart in one turn; then those so far are counted as of now.
    private static let runsMax = 64

    /// What gathers now: by itself, because it is met by each message.
    private var current = (time: AcceptTime.unknown, messages: UInt64(0))
    /// Those before it.
    private var runs: [(time: AcceptTime, messages: UInt64)] = []
    private(set) var latency = LatencyHistogram()

    /// Messages were handed to a client that is connected.
    mutating func delivered(_ time: AcceptTime, messages: UInt64 = 1, now: Instant) {
        if current.time == time {
            current.messages &+= messages
        } else if time.isKnown {
            begin(time, messages, now: now)
        }
    }

    private mutating func begin(_ time: AcceptTime, _ messages: UInt64, now: Instant) {
        if runs.count == Self.runsMax { endTurn(now: now) }
        if current.time.isKnown { runs.append(current) }
        current = (time, messages)
    }

    /// All that gathered is on its way.
    mutating func endTurn(now: Instant) {
        // What has no time gathers nowhere.
        guard current.time.isKnown else {
            current.messages = 0
            return
        }
        latency.record(nanoseconds: current.time.age(at: now), times: current.messages)
        current = (.unknown, 0)
        guard !runs.isEmpty else { return }
        for run in runs { latency.record(nanoseconds: run.time.age(at: now), times: run.messages) }
        runs.removeAll(keepingCapacity: true)
    }
}
