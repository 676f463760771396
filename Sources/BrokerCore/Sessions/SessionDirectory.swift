import Synchronization

/// Which shard owns which client identifier: the one thing that a CONNECT must ask of all shards at once.
package final class SessionDirectory: Sendable {
    fileprivate struct Owner {
        var shard: ShardID
        var epoch: UInt64
        var principal: String?
        /// The number of the CONNECT that claimed it last; 0 for one that was there before the process.
        var attempt: UInt64 = 0
        /// Whether the store has the session, or is to have it.
        var isKept = false
    }

    fileprivate struct State {
        var owners: [ExactText: Owner] = [:]
        /// Sessions that have ended and would be there again after a crash: nobody has the identifier.
        var endings: [ExactText: Owner] = [:]
        var lastEpoch: UInt64 = 0
        var sessionsMax: Int
    }

    /// What a CONNECT learns.
    package enum Claim: Equatable, Sendable {
        /// The identifier was free, and is now the caller's under this epoch.
        case granted(epoch: UInt64)
        /// The caller's own shard holds a session under this epoch.
        case ownedHere(epoch: UInt64)
        /// The caller's own shard holds a session, which is to end: the next one has this epoch.
        case renewed(epoch: UInt64)
        /// Another shard holds a session that the client wants to resume: the connection goes there.
        case ownedBy(ShardID)
        /// Another shard held it; it is now the caller's, and that shard is to end what it has under `previous`, or to tell when that
        /// end is on disk.
        case taken(epoch: UInt64, from: ShardID, previous: UInt64)
        /// The session belongs to another principal.
        case refused
        /// A CONNECT that came later has claimed it already.
        case superseded
        /// The identifier is free, and there are as many sessions as there may be.
        case full
    }

    private let state: Mutex<State>
    private let attempts = Atomic<UInt64>(0)
    /// What the name of a connection that came without one is made of, by its number.
    let nameNumber: @Sendable (UInt64) -> UInt64

    /// Makes a directory without sessions.
    ///
    /// - Parameters:
    ///   - sessionsMax: Sessions that there may be.
    ///   - nameNumber: What names that the broker chooses are made of. Clients of MQTT 5 come back by a name that they were given, also to
    ///     the next process, which knows nothing of it: numbers that begin again there would be other clients' by then.
    package init(sessionsMax: Int = .max, nameNumber: @escaping @Sendable (UInt64) -> UInt64 = { connection in connection }) {
        state = Mutex(State(sessionsMax: sessionsMax))
        self.nameNumber = nameNumber
    }

    /// Takes another limit: sessions beyond it stay.
    package func take(sessionsMax: Int) { state.withLock { $0.sessionsMax = sessionsMax } }

    /// Numbers the CONNECTs in the order in which they came, whichever shard they came to.
    func nextAttempt() -> UInt64 { attempts.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Claims an identifier for the CONNECT with a number of `nextAttempt()`: one that came later keeps it.
    package func claim(_ clientID: String, for shard: ShardID, principal: String?, cleanStart: Bool, attempt: UInt64) -> Claim {
        state.withLock { state in
            if let owner = state.owners[ExactText(clientID)] {
                if owner.principal.map(ExactText.init) != principal.map(ExactText.init) { return .refused }
                if owner.attempt > attempt { return .superseded }
                state.owners[ExactText(clientID)]?.attempt = attempt
                if owner.shard == shard {
                    if !cleanStart { return .ownedHere(epoch: owner.epoch) }
                    // Another session, also for the store: what is still under way for the old one is not the new one's.
                    return .renewed(epoch: state.enter(clientID, shard: shard, principal: principal, attempt))
                }
                if !cleanStart { return .ownedBy(owner.shard) }
                let epoch = state.enter(clientID, shard: shard, principal: principal, attempt)
                return .taken(epoch: epoch, from: owner.shard, previous: owner.epoch)
            }
            if state.owners.count >= state.sessionsMax { return .full }
            let epoch = state.enter(clientID, shard: shard, principal: principal, attempt)
            if let ending = state.endings[ExactText(clientID)], ending.shard != shard {
                return .taken(epoch: epoch, from: ending.shard, previous: ending.epoch)
            }
            return .granted(epoch: epoch)
        }
    }

    /// There will be so many sessions, at least.
    package func reserve(_ count: Int) { state.withLock { $0.owners.reserveCapacity(count) } }

    /// Enters a session that was there before the process was; answers false when its client has one already.
    package func restore(_ clientID: String, for shard: ShardID, principal: String?, epoch: UInt64) -> Bool {
        state.withLock { state in
            state.lastEpoch = max(state.lastEpoch, epoch)
            if state.owners[ExactText(clientID)] != nil { return false }
            state.owners[ExactText(clientID)] = Owner(shard: shard, epoch: epoch, principal: principal, isKept: true)
            return true
        }
    }

    /// A session that was there, and has no owner any more: no other one is to have its number.
    package func noteEpoch(_ epoch: UInt64) { state.withLock { $0.lastEpoch = max($0.lastEpoch, epoch) } }

    package func isOwned(_ clientID: String) -> Bool { state.withLock { $0.owners[ExactText(clientID)] != nil } }

    /// The store is to have the session from now on, or to have it no more.
    func note(_ clientID: String, epoch: UInt64, isKept: Bool) {
        state.withLock { state in
            if state.owners[ExactText(clientID)]?.epoch == epoch { state.owners[ExactText(clientID)]?.isKept = isKept }
        }
    }

    /// Whether the store has a session of the client on whichever shard, be it one that has ended and that it has not forgotten yet.
    func isKept(_ clientID: String) -> Bool {
        state.withLock { $0.owners[ExactText(clientID)]?.isKept == true || $0.endings[ExactText(clientID)] != nil }
    }

    /// Frees the identifier, unless somebody else has taken it since.
    ///
    /// `isEnding`: until `forgetEnding(of:epoch:)` the store has a session under it.
    package func release(_ clientID: String, epoch: UInt64, isEnding: Bool = false) {
        state.withLock { state in
            guard let place = state.owners.index(forKey: ExactText(clientID)), state.owners[place].value.epoch == epoch else { return }
            let owner = state.owners.remove(at: place).value
            if isEnding { state.endings[ExactText(clientID)] = owner }
        }
    }

    /// The store has the session no more.
    func forgetEnding(of clientID: ExactText, epoch: UInt64) {
        state.withLock { state in
            if state.endings[clientID]?.epoch == epoch { state.endings[clientID] = nil }
        }
    }
}

extension SessionDirectory.State {
    fileprivate mutating func enter(_ clientID: String, shard: ShardID, principal: String?, _ attempt: UInt64) -> UInt64 {
        lastEpoch += 1
        owners[ExactText(clientID)] = SessionDirectory.Owner(shard: shard, epoch: lastEpoch, principal: principal, attempt: attempt)
        return lastEpoch
    }
}
