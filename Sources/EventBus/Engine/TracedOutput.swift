import BrokerCore

extension RuleOutput {
    /// The same as steps of a trace: what rules made of something that belongs to it.
    ///
    /// Below the step in which the rules were looked at, each message and each call is one of its own.
    func traced(below context: TraceContext, began: Int64) -> RuleOutput {
        guard !isEmpty else { return self }
        let rules = context.child()
        var output = self
        for index in output.messages.indices {
            let step = rules.child()
            output.messages[index] = output.messages[index].traced(step)
            step.ended(
                "publish", .producer, below: rules.parent, began: began,
                attributes: [("messaging.system", "mqtt"), ("messaging.destination.name", output.messages[index].topicName)])
        }
        for index in output.calls.indices { output.calls[index].begin(rules.child(), below: rules.parent) }
        rules.ended(
            "rules", .internal, below: context.parent, began: began,
            attributes: [
                ("crema.messages", "\(messages.count)"), ("crema.calls", "\(calls.count)"), ("crema.queue_sends", "\(sends.count)"),
            ])
        return output
    }
}

/// The step of a trace that a call is.
struct CallTrace: Sendable {
    let context: TraceContext
    let above: TraceParent
    let began: Int64
}

extension RuleCall {
    /// Makes the call a step of a trace: its header says so, in place of one that the rule may have.
    fileprivate mutating func begin(_ context: TraceContext, below above: TraceParent) {
        trace = CallTrace(context: context, above: above, began: context.recorder.nowNanoseconds)
        let others = invocation.headers.filter { $0.name.lowercased() != TraceContext.name }
        invocation = HTTPInvocation(
            kind: invocation.kind, method: invocation.method, endpoint: invocation.endpoint, target: invocation.target,
            headers: others + [(TraceContext.name, context.parent.text)], body: invocation.body, isTrusted: invocation.isTrusted)
    }

    /// An attempt of it has ended; one that is tried again is told once more.
    func attemptEnded(_ failure: DeliveryFailure?) {
        guard let trace else { return }
        trace.context.ended(
            "call", .client, below: trace.above, began: trace.began,
            attributes: [("http.request.method", invocation.method), ("server.address", invocation.endpoint.host)], failure: failure?.code)
    }
}
