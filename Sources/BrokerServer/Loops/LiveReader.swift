/// Somebody who reads what happens on one event loop as it happens, and whom the loop never waits for.
struct LiveReader<Element: Sendable> {
    /// Of a stream whose buffer is bounded.
    let continuation: AsyncStream<Element>.Continuation
    private var skipped: UInt64 = 0

    init(continuation: AsyncStream<Element>.Continuation) { self.continuation = continuation }

    /// Hands one over, made with the number of those that had no room before it; without room it is counted.
    mutating func offer(countingAlso others: UInt64 = 0, _ make: (_ skipped: UInt64) -> Element) {
        skipped &+= others
        switch continuation.yield(make(skipped)) {
        case .enqueued: skipped = 0
        case .dropped: skipped &+= 1
        default: break
        }
    }
}
