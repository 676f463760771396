import BrokerCore
import Synchronization

/// Spans that wait to be told to a collector.
///
/// Safe from any thread; never waits. What is too much is dropped, and counted.
final class SpanQueue: SpanRecorder {
    /// Spans that wait; further ones are dropped.
    static let spansMax = 4_096

    private let waiting = Mutex<[Span]>([])
    private let droppedInAll = Atomic<UInt64>(0)
    private let sentInAll = Atomic<UInt64>(0)
    /// The collector did not take the last batch.
    private let isRefused = Atomic<Bool>(false)
    /// Traces whose last 56 bits are below this are told.
    private let bound: UInt64
    /// Whether anybody is told at all.
    private let isRead: Bool

    /// - Parameters:
    ///   - sample: which part of the traces is told.
    ///   - isRead: whether there is a collector.
    init(sample: Double, isRead: Bool) {
        bound = UInt64(max(0, min(1, sample)) * Double(UInt64(1) << 56))
        self.isRead = isRead
    }

    var dropped: UInt64 { droppedInAll.load(ordering: .relaxed) }
    var sent: UInt64 { sentInAll.load(ordering: .relaxed) }

    var nowNanoseconds: Int64 { WallNanoseconds.now }

    /// By the random part of the trace's identifier, as OpenTelemetry samples, so that each node of a system takes the same ones.
    func takes(traceID: String) -> Bool {
        guard isRead, let random = UInt64(traceID.suffix(14), radix: 16) else { return false }
        return random < bound
    }

    func record(_ span: Span) {
        let isTaken = waiting.withLock { waiting in
            guard waiting.count < Self.spansMax else { return false }
            waiting.append(span)
            return true
        }
        if !isTaken { droppedInAll.add(1, ordering: .relaxed) }
    }

    func take(atMost count: Int) -> [Span] {
        waiting.withLock { waiting in
            let taken = Array(waiting.prefix(count))
            waiting.removeFirst(taken.count)
            return taken
        }
    }

    /// Notes what became of a batch; answers whether that is another thing than of the last one.
    func ended(_ count: Int, isTaken: Bool) -> Bool {
        if isTaken { sentInAll.add(UInt64(count), ordering: .relaxed) } else { droppedInAll.add(UInt64(count), ordering: .relaxed) }
        return isRefused.exchange(!isTaken, ordering: .relaxed) == isTaken
    }
}
