import Synchronization

/// How fast clients may connect: by address, by client identifier, and all together.
///
/// One object for all shards, with the room for what programs publish, which share nothing else of it: an address's connections are dealt to all of them, and a share for each would let
/// it through as many times. Held for one look-up at accept, and one at CONNECT; never for an address that is exempt, and never for a message.
/// A socket beyond a rate is closed where it was accepted, before TLS and before any shard hears of it.
package final class Admission: Sendable {
    private struct State {
        var addresses: AddressLedger
        var clients: RecentTable<Int, TokenBucket>
        var clientRate: Rate
        var turnedAway: [String: UInt64] = [:]
        var failures: UInt64 = 0
        var latest = Instant(nanoseconds: .min)

        /// A loop may have read the clock before another one was here: time goes forward all the same.
        mutating func time(_ now: Instant) -> Instant {
            latest = max(latest, now)
            return latest
        }
    }

    private let state: Mutex<State>
    /// Places that connections have taken, on all event loops.
    private let open = Atomic(0)
    private let openMax: Atomic<Int>
    package let publishRoom: PublishRoom
    package let checkRoom: CheckRoom

    package init(limits: BrokerLimits) {
        openMax = Atomic(limits.connectionsMax)
        publishRoom = PublishRoom(limits: limits)
        checkRoom = CheckRoom(limits: limits)
        state = Mutex(
            State(
                addresses: AddressLedger(limits: limits), clients: RecentTable(capacity: limits.clientIDsTrackedMax),
                clientRate: Self.clientRate(limits)))
    }

    private static func clientRate(_ limits: BrokerLimits) -> Rate {
        Rate(perSecond: limits.connectsPerSecondPerClientMax, burst: limits.connectBurstPerClientMax)
    }

    /// Takes other limits for what comes, as after a reload.
    package func take(_ limits: BrokerLimits) {
        state.withLock { state in
            state.addresses.take(limits)
            state.clientRate = Self.clientRate(limits)
        }
        openMax.store(limits.connectionsMax, ordering: .relaxed)
        publishRoom.take(limits)
        checkRoom.take(limits)
    }

    /// A socket was accepted: takes a place for it, or answers the name of the limit's counter when all are taken.
    ///
    /// Where it is accepted, not where it is served later: what comes while event loops are busy would be let in beyond the limit. Whoever took a place gives it back once, by ``leavePlace()``.
    package func takePlace() -> String? {
        var taken = open.load(ordering: .relaxed)
        while taken < openMax.load(ordering: .relaxed) {
            let (isExchanged, original) = open.weakCompareExchange(expected: taken, desired: taken + 1, ordering: .relaxed)
            if isExchanged { return nil }
            taken = original
        }
        let reason = "connections"
        state.withLock { $0.turnedAway[reason, default: 0] += 1 }
        return reason
    }

    /// The connection has ended, or was never served.
    package func leavePlace() { open.subtract(1, ordering: .relaxed) }

    /// A socket was accepted that is counted by its address, if that is limited: takes a place for it, or answers the name of the limit's counter when it is to be closed at once.
    package func takePlace(for address: PeerNetwork?, now: Instant) -> String? {
        if let refusal = takePlace() { return refusal }
        guard let refusal = address.flatMap({ connected($0, now: now) }) else { return nil }
        leavePlace()
        return refusal
    }

    /// A socket was accepted; answers the name of the limit's counter when it is to be closed at once.
    package func connected(_ address: PeerNetwork, now: Instant) -> String? {
        state.withLock { state in
            let time = state.time(now)
            guard let refusal = state.addresses.connected(address, at: time) else { return nil }
            state.turnedAway[refusal.rawValue, default: 0] += 1
            return refusal.rawValue
        }
    }

    /// Whether the address has failed too often: what it has open already is refused, too.
    package func isBlocked(_ address: PeerNetwork, now: Instant) -> Bool {
        state.withLock { state in
            let time = state.time(now)
            return state.addresses.isBlocked(address, at: time)
        }
    }

    /// A client failed to prove who it is; answers the seconds until it is told.
    package func failed(_ address: PeerNetwork?, now: Instant) -> Double {
        state.withLock { state in
            state.failures += 1
            let time = state.time(now)
            return address.map { state.addresses.failed($0, at: time) } ?? 0
        }
    }

    /// Whether a client that has proved who it is may connect under this identifier now.
    ///
    /// Counted by hash, with a seed of this process: two that meet share a rate, which nobody can bring about.
    func admits(_ clientID: String, principal: String?, now: Instant) -> Bool {
        var hasher = Hasher()
        hasher.combine(ExactText(clientID))
        hasher.combine(principal.map(ExactText.init))
        let key = hasher.finalize()
        return state.withLock { state in
            let (rate, time) = (state.clientRate, state.time(now))
            return state.clients.update(key, fresh: TokenBucket(fullAt: time)) { $0.take(rate, at: time) }
        }
    }

    /// Addresses and client identifiers that are remembered.
    var tracked: (addresses: Int, clientIDs: Int) { state.withLock { ($0.addresses.count, $0.clients.count) } }

    /// Adds what was counted here, once for all shards.
    package func count(into statistics: inout BrokerStatistics) {
        state.withLock { state in
            statistics.connectionsTurnedAway = state.turnedAway
            statistics.authenticationsFailed = state.failures
        }
        publishRoom.count(into: &statistics)
        checkRoom.count(into: &statistics)
    }
}
