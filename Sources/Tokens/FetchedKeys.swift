import Synchronization
import Trust

/// The keys at a URL, as they were fetched last, and when to fetch them again.
///
/// Decides only; whoever fetches asks ``isDue(at:)`` and says what became of it. What fails leaves the last good keys in force for
/// ``TokenLimits/tokenKeysKeptSecondsMax``; then, and until the first fetch, every token is refused.
package final class FetchedKeys: Sendable {
    /// `https://…`, or `http://…` of this machine.
    package let url: String
    private let limits: TokenLimits
    private let state = Mutex(State())

    private struct State {
        var keys: KeySet?
        /// How often they were replaced by others.
        var generation: UInt64 = 0
        var fetchedAt: Int64 = 0
        var attemptedAt: Int64?
        var failure: String?
        /// A token named a key that is not here.
        var isWanted = false
    }

    package init(url: String, limits: TokenLimits = TokenLimits()) {
        self.url = url
        self.limits = limits
    }

    /// Whether the keys are to be fetched now.
    package func isDue(at now: Int64) -> Bool {
        state.withLock { state in
            // A clock that was set back must not stop it.
            guard let last = state.attemptedAt, now >= last else { return true }
            let isUrgent = state.isWanted || state.failure != nil
            return now - last >= Int64(isUrgent ? limits.tokenKeysPauseSeconds : limits.tokenKeysRefreshSeconds)
        }
    }

    /// A fetch begins.
    package func fetchBegan(at now: Int64) {
        state.withLock { state in
            state.attemptedAt = now
            state.isWanted = false
        }
    }

    /// Takes the keys of a fetch.
    ///
    /// - Returns: whether a key is gone that was there before: tokens by it count no more.
    package func fetched(_ keys: KeySet, at now: Int64) -> Bool {
        state.withLock { state in
            let before = Set(state.keys?.entries.map(\.key.thumbprint) ?? [])
            let after = Set(keys.entries.map(\.key.thumbprint))
            state.keys = keys
            state.generation += 1
            state.fetchedAt = now
            state.failure = nil
            return !before.isSubset(of: after)
        }
    }

    /// A fetch failed.
    ///
    /// - Returns: whether the one before it had not: the first of a row is worth a line in the log.
    package func failed(_ reason: String, at now: Int64) -> Bool {
        state.withLock { state in
            defer { state.failure = reason }
            return state.failure == nil
        }
    }

    /// Why every token is refused; `nil` while there are keys.
    package func outage(at now: Int64) -> String? { outage(of: state.withLock { $0 }, at: now) }

    private func outage(of state: State, at now: Int64) -> String? {
        guard state.keys != nil else {
            return "its keys have not been fetched yet" + (state.failure.map { " (\($0))" } ?? "")
        }
        if now - state.fetchedAt <= Int64(limits.tokenKeysKeptSecondsMax) { return nil }
        return
            "its keys are older than \(limits.tokenKeysKeptSecondsMax) seconds (tokenKeysKeptSecondsMax), and newer ones cannot be fetched"
    }

    /// The keys, and a number that tells them from those before.
    func keys(at now: Int64) throws(TokenRefusal) -> (KeySet, generation: UInt64) {
        let known = state.withLock { $0 }
        if let outage = outage(of: known, at: now) { throw .noKeys(outage) }
        guard let keys = known.keys else { throw .noKeys("there are no keys") }
        return (keys, known.generation)
    }

    /// The last good ones, however old.
    var lastKeys: KeySet? { state.withLock { $0.keys } }

    /// A token named a key that is not among them: they may have changed.
    func wantOthers() { state.withLock { $0.isWanted = true } }
}
