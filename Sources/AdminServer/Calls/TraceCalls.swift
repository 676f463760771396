import BrokerCore
import HTTPTypes
import Hummingbird

extension AdminCall {
    /// What happens between the broker and one client.
    static func traces(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .get, "clients/{id}/trace",
                "Shows a client's packets and what is decided about them, without passwords and payloads; also of one that connects later.",
                parameters: [
                    clientParameter,
                    CallParameter(name: "seconds", kind: .integer(1...limits.traceSecondsMax), summary: "When it ends; 60 when absent."),
                    CallParameter(
                        name: "linesPerSecond", kind: .integer(1...limits.traceLinesPerSecondMax),
                        summary: "Lines of a second, 100 when absent; what is more is counted."),
                ],
                answers: .stream(TraceDocument.shape), refusals: [503]
            ) { responder, request throws(InspectionError) in
                let broker = responder.broker
                let steps = broker.trace(
                    request.clientID, seconds: request.query.integer("seconds") ?? min(60, limits.traceSecondsMax),
                    linesPerSecond: request.query.integer("linesPerSecond") ?? min(100, limits.traceLinesPerSecondMax))
                return try responder.live(steps, for: request.request, among: responder.traces) {
                    try JSONAnswer.encode(TraceDocument($0, now: broker.now))
                }
            }
        ]
    }
}

extension TraceDocument {
    static var shape: JSONShape {
        .object([
            .always("time", .text), .always("direction", .choice(["in", "out", "decision"])), .always("packet", .text),
            .always("detail", .map(.any)), .always("order", .list(.text)), .always("skipped", .integer),
        ])
    }
}
