/// How fast replays go: no faster than what they cause is taken.
///
/// What waited before they began, for targets that may be dead for hours, does not hold them up.
package struct ReplayPace: Sendable {
    private let pendingMax: Int
    /// The fewest deliveries that waited since the replays that run now began; nil while none does.
    private var fewest: Int?

    package init(_ limits: EventBusLimits) {
        pendingMax = limits.replayPendingMax
    }

    /// Says whether the running replays may put further events.
    ///
    /// - Parameter pending: deliveries that wait or are under way.
    /// - Returns: false while too many wait that did not before.
    package mutating func admits(pending: Int) -> Bool {
        let least = min(fewest ?? pending, pending)
        fewest = least
        return pending - least < pendingMax
    }

    /// No replay runs.
    package mutating func end() { fewest = nil }
}
