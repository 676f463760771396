/// One step of Crema's in somebody's trace, which what it sends on is a child of.
package struct TraceContext: Sendable {
    /// The name of the header, and of the user property.
    package static let name = "traceparent"
    package static let stateName = "tracestate"

    /// Of the call over HTTP that a task answers.
    @TaskLocal package static var current: TraceContext?

    /// The trace, and Crema's span in it.
    package let parent: TraceParent
    package let recorder: any SpanRecorder

    /// Begins a span below one that came from outside.
    package init(below parent: TraceParent, recorder: any SpanRecorder) {
        self.parent = TraceParent(traceID: parent.traceID, spanID: recorder.makeSpanID(), flags: parent.flags)
        self.recorder = recorder
    }

    /// A span below this one.
    package func child() -> TraceContext { TraceContext(below: parent, recorder: recorder) }

    /// Tells of this span, which is over.
    ///
    /// - Parameters:
    ///   - name: what was done, the same for all of a kind.
    ///   - kind: in whose name.
    ///   - above: the span that it is below.
    ///   - began: by ``SpanRecorder/nowNanoseconds``.
    ///   - attributes: what else is known, no secret among it.
    ///   - failure: why it failed; `nil` when it did not.
    package func ended(
        _ name: String, _ kind: Span.Kind, below above: TraceParent, began: Int64, attributes: [(String, String)], failure: String? = nil
    ) {
        guard parent.isSampled, recorder.takes(traceID: parent.traceID) else { return }
        recorder.record(
            Span(
                traceID: parent.traceID, spanID: parent.spanID, parentID: above.spanID, name: name, kind: kind, began: began,
                ended: max(began, recorder.nowNanoseconds), attributes: attributes, failure: failure))
    }
}

/// What is told of one step.
package struct Span: Sendable {
    /// With OpenTelemetry's numbers.
    package enum Kind: Int, Sendable {
        case `internal` = 1
        case server = 2
        case client = 3
        case producer = 4
        case consumer = 5
    }

    package let traceID: String
    package let spanID: String
    package let parentID: String
    package let name: String
    package let kind: Kind
    /// Nanoseconds since 1970.
    package let began: Int64
    package let ended: Int64
    package let attributes: [(String, String)]
    package let failure: String?
}

/// Takes spans, and gives them their names: the port through which they leave.
///
/// Never waits; what is too much is dropped, and counted.
package protocol SpanRecorder: Sendable {
    /// 16 hexadecimal digits that nobody else has.
    func makeSpanID() -> String
    /// Since 1970.
    var nowNanoseconds: Int64 { get }
    /// Whether the spans of a trace are wanted: a part of all traces, the same one on each node.
    func takes(traceID: String) -> Bool
    func record(_ span: Span)
}

extension SpanRecorder {
    package func makeSpanID() -> String {
        let number = UInt64.random(in: 1 ... .max)
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
