import Rules
import Synchronization

/// Storage for matching events, lent to whoever matches one and kept for the next.
///
/// Held for taking and giving back only.
final class SearchPool: Sendable {
    /// More are let go: as many are in use at once as there are event loops.
    private static let keptMax = 64
    private let searches = Mutex<[EventSearch]>([])

    func withSearch<Result>(_ body: (inout EventSearch) -> Result) -> Result {
        var search = searches.withLock { $0.popLast() } ?? EventSearch()
        let result = body(&search)
        searches.withLock { if $0.count < Self.keptMax { $0.append(search) } }
        return result
    }
}
