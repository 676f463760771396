package import BrokerCore
import Synchronization

/// Remembers the spans that it is told, and gives names in order: `aaaaaaaaaaaaaa01` is the first.
package final class StagedRecorder: SpanRecorder {
    private let state = Mutex((spans: [Span](), last: 0))

    package init() {}

    /// What was told, in order.
    package var spans: [Span] { state.withLock { $0.spans } }
    package var nowNanoseconds: Int64 { 5 }

    package func makeSpanID() -> String {
        state.withLock { state in
            state.last += 1
            return "aaaaaaaaaaaaaa" + (state.last < 10 ? "0" : "") + "\(state.last)"
        }
    }

    package func takes(traceID: String) -> Bool { true }
    package func record(_ span: Span) { state.withLock { $0.spans.append(span) } }

    /// The names of a span and of those above it that were told, the span's own first.
    package func way(to spanID: String) -> [String] {
        let told = Dictionary(spans.map { ($0.spanID, $0) }, uniquingKeysWith: { $1 })
        var names: [String] = []
        var next = told[spanID]
        while let span = next {
            names.append(span.name)
            next = told[span.parentID]
        }
        return names
    }
}
