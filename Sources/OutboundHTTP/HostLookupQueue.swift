/// Decides which host is looked up next, on few threads of which no kind of host may take all.
struct HostLookupQueue {
    /// Threads of all lookups.
    static let threads = 16
    /// Hosts of which it is remembered how their last lookup ended, found ones and slow ones each.
    static let rememberedMax = 1_024

    struct Waiter: Hashable, Sendable {
        let number: UInt64
    }

    /// What is known of a host; in the order of how many threads there are for its kind.
    enum Standing: Int, CaseIterable {
        /// Its last lookup took too long.
        case slow
        case unknown
        /// It was found in time.
        case found

        var threadsMax: Int {
            switch self {
            case .slow: HostLookupQueue.threads / 4
            case .unknown: HostLookupQueue.threads / 2
            case .found: HostLookupQueue.threads
            }
        }
    }

    private struct Lookup {
        var waiters: [Waiter]
        var run: Run?
        /// It has run for longer than it may.
        var hangs = false
    }

    /// A lookup that has a thread.
    struct Run: Equatable, Sendable {
        let host: String
        let number: UInt64
    }

    private var lookups: [String: Lookup] = [:]
    private var queue: [Standing: [String]] = [:]
    private var found: Set<String> = []
    private var slow: Set<String> = []
    private var lastRun: UInt64 = 0

    func standing(of host: String) -> Standing { found.contains(host) ? .found : slow.contains(host) ? .slow : .unknown }

    /// Adds somebody who waits for a host; answers false while a lookup of it hangs.
    mutating func wait(_ waiter: Waiter, for host: String) -> Bool {
        guard var lookup = lookups[host] else {
            lookups[host] = Lookup(waiters: [waiter])
            queue[standing(of: host), default: []].append(host)
            return true
        }
        guard !lookup.hangs else { return false }
        lookup.waiters.append(waiter)
        lookups[host] = lookup
        return true
    }

    /// Whether a lookup of a host has a thread: then its own time decides.
    func isRunning(_ host: String) -> Bool { lookups[host]?.run != nil }

    /// Takes out somebody who does not wait any more; nobody is looked up for nobody.
    mutating func giveUp(_ waiter: Waiter, of host: String) {
        guard var lookup = lookups[host], let position = lookup.waiters.firstIndex(of: waiter) else { return }
        lookup.waiters.remove(at: position)
        lookups[host] = lookup
        guard lookup.run == nil, lookup.waiters.isEmpty else { return }
        lookups[host] = nil
        for standing in Standing.allCases { queue[standing]?.removeAll { $0 == host } }
    }

    /// The lookup that begins now; nil when none may.
    mutating func next() -> Run? {
        for standing in Standing.allCases.reversed() {
            guard let host = queue[standing]?.first, hasThread(for: standing) else { continue }
            queue[standing]?.removeFirst()
            lastRun += 1
            let run = Run(host: host, number: lastRun)
            lookups[host]?.run = run
            return run
        }
        return nil
    }

    /// Whether those of a standing, with all of a lower one, leave a thread for one more.
    private func hasThread(for standing: Standing) -> Bool {
        let running = lookups.lazy.filter { $0.value.run != nil }.map(\.key)
        guard running.count < Self.threads else { return false }
        return running.filter { self.standing(of: $0).rawValue <= standing.rawValue }.count < standing.threadsMax
    }

    /// A lookup has taken as long as it may, and keeps its thread; answers who waits for it no longer.
    mutating func tookTooLong(_ run: Run) -> [Waiter] {
        guard var lookup = lookups[run.host], lookup.run == run else { return [] }
        let waiters = lookup.waiters
        (lookup.hangs, lookup.waiters) = (true, [])
        lookups[run.host] = lookup
        remember(run.host, .slow)
        return waiters
    }

    /// A lookup is over; answers who waits for it.
    mutating func ended(_ run: Run, found isFound: Bool) -> [Waiter] {
        guard let lookup = lookups[run.host], lookup.run == run else { return [] }
        lookups[run.host] = nil
        if !lookup.hangs { remember(run.host, isFound ? .found : .unknown) }
        return lookup.waiters
    }

    private mutating func remember(_ host: String, _ standing: Standing) {
        found.remove(host)
        slow.remove(host)
        switch standing {
        case .found: Self.add(host, to: &found)
        case .slow: Self.add(host, to: &slow)
        case .unknown: break
        }
    }

    /// Forgets some other host where there is no room: it counts as new the next time.
    private static func add(_ host: String, to hosts: inout Set<String>) {
        if hosts.count >= rememberedMax { hosts.removeFirst() }
        hosts.insert(host)
    }
}
