import Synchronization

/// The sets of keys that are fetched, one for each URL, which entries of `tokens` share and which outlive a reload.
package final class FetchedKeySets: Sendable {
    private let limits: TokenLimits
    private let sets = Mutex<[String: FetchedKeys]>([:])

    package init(limits: TokenLimits = TokenLimits()) { self.limits = limits }

    /// Keeps the sets of these URLs, and begins with those that are new; the others are given up.
    package func keep(urls: Set<String>) {
        sets.withLock { sets in
            sets = sets.filter { urls.contains($0.key) }
            for url in urls where sets[url] == nil { sets[url] = FetchedKeys(url: url, limits: limits) }
        }
    }

    /// The set of a URL.
    package func set(of url: String) -> FetchedKeys {
        sets.withLock { sets in
            let set = sets[url] ?? FetchedKeys(url: url, limits: limits)
            sets[url] = set
            return set
        }
    }

    /// Those that are to be fetched now.
    package func due(at now: Int64) -> [FetchedKeys] { sets.withLock { Array($0.values) }.filter { $0.isDue(at: now) } }
}
