import BrokerCore
import Queues
import Records

/// A step of a trace that is under way: what is made in it is below it, and it is told once it is over.
struct TraceStep: Sendable {
    let context: TraceContext
    let above: TraceParent
    let began: Int64

    /// Begins a step.
    init(below above: TraceParent, recorder: any SpanRecorder) {
        context = TraceContext(below: above, recorder: recorder)
        self.above = above
        began = recorder.nowNanoseconds
    }

    init(below context: TraceContext) { self.init(below: context.parent, recorder: context.recorder) }

    /// By which others are below it.
    var parent: TraceParent { context.parent }

    func ended(_ name: String, _ kind: Span.Kind, _ attributes: [(String, String)], failure: String? = nil) {
        context.ended(name, kind, below: above, began: began, attributes: attributes, failure: failure)
    }
}

extension EventEngine {
    /// Begins a step below one that was kept; `nil` where that belonged to no trace, and where traces are not looked at.
    func step(below parent: TraceParent?) -> TraceStep? {
        guard let spans, let parent else { return nil }
        return TraceStep(below: parent, recorder: spans)
    }
}

extension RuleOutput {
    /// The same as steps of a trace: each message, call and send is one below that in which rules made them.
    ///
    /// - Parameters:
    ///   - step: in which the rules were at work; it is over. `nil` for what belongs to no trace.
    ///   - name: what they were at work for.
    /// - Returns: the same, with traces.
    func traced(_ step: TraceStep?, as name: String) -> RuleOutput {
        guard let step, !isEmpty || isReferredTo else { return self }
        var output = self
        for index in output.messages.indices {
            let own = TraceStep(below: step.context)
            output.messages[index] = output.messages[index].traced(own.context)
            own.ended(
                "publish", .producer,
                [("messaging.system", "mqtt"), ("messaging.destination.name", output.messages[index].topicName)])
        }
        for index in output.calls.indices { output.calls[index].begin(TraceStep(below: step.context)) }
        for index in output.sends.indices { output.sends[index].begin(TraceStep(below: step.context)) }
        step.ended(
            name, .internal,
            [("crema.messages", "\(messages.count)"), ("crema.calls", "\(calls.count)"), ("crema.queue_sends", "\(sends.count)")])
        return output
    }
}

extension RuleCall {
    /// Makes the call a step of a trace: its header says so, in place of one that the rule may have.
    fileprivate mutating func begin(_ step: TraceStep) {
        trace = step
        let others = invocation.headers.filter { $0.name.lowercased() != TraceContext.name }
        invocation = HTTPInvocation(
            kind: invocation.kind, method: invocation.method, endpoint: invocation.endpoint, target: invocation.target,
            headers: others + [(TraceContext.name, step.parent.text)], body: invocation.body, isTrusted: invocation.isTrusted)
    }

    /// An attempt of it has ended.
    func attemptEnded(_ failure: DeliveryFailure?) {
        trace?.ended(
            "call", .client, [("http.request.method", invocation.method), ("server.address", invocation.endpoint.host)],
            failure: failure?.code)
    }
}

extension QueueSend {
    /// Makes the send a step of a trace: the message says so to whoever receives it, as AWS X-Ray writes it.
    fileprivate mutating func begin(_ step: TraceStep) {
        trace = step
        message.traceHeader = step.parent.xRayText
    }

    /// As of a call.
    func attemptEnded(_ failure: DeliveryFailure?) {
        trace?.ended(
            "send", .producer, [("messaging.system", "aws_sqs"), ("messaging.destination.name", queue)], failure: failure?.code)
    }
}

extension PendingDelivery {
    /// The same for another attempt, which is a step of its own beside the one before.
    var tried: PendingDelivery {
        let former: TraceStep? =
            switch work {
            case .send(let send): send.trace
            case .call(let call): call.trace
            }
        return traced(former.map { TraceStep(below: $0.above, recorder: $0.context.recorder) })
    }

    /// The same as a step of a trace, of a delivery that was made again.
    func traced(_ step: TraceStep?) -> PendingDelivery {
        guard let step else { return self }
        switch work {
        case .send(var send):
            send.begin(step)
            return PendingDelivery(work: .send(send), number: number)
        case .call(var call):
            call.begin(step)
            return PendingDelivery(work: .call(call), number: number)
        }
    }
}

extension RecordWriter {
    /// Adds the place in a trace, where there is one; a record without has an older version, which an older Crema can read.
    mutating func add(trace: TraceParent?) {
        if let trace { add(trace.text) }
    }
}

extension RecordReader {
    /// The place in a trace, which records have from a version on.
    mutating func trace(since first: UInt8) throws(UnreadableRecord) -> TraceParent? {
        version < first ? nil : TraceParent(try text().utf8)
    }
}
