import BrokerCore
import HTTPTypes

extension AdminCall {
    private static var filter: CallParameter {
        CallParameter(name: "filter", kind: .filter, summary: "Only topics that match this filter; all when absent.")
    }

    /// What passes over which topics.
    static func topics(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .get, "topics", "Lists topics that carried a message since the start.",
                parameters: [filter, .limit(max: limits.listRowsMax)], answers: .document(.rows(TopicDocument.shape))
            ) { responder, request in
                let limit = request.query.limit(default: 1_000, max: limits.listRowsMax)
                let topics = await responder.broker.topics(matching: request.query.filter(), limit: limit + 1)
                return InspectionResponder.json(.ok, ListDocument(topics.map { TopicDocument($0) }, limit: limit))
            },
            AdminCall(
                .get, "tail", "Shows messages as they pass, until the reader goes.", parameters: [filter],
                answers: .stream(TailDocument.shape)
            ) { responder, request throws(InspectionError) in
                let (tail, bytesMax) = (responder.broker.tail(request.query.filter()), limits.tailPayloadBytesMax)
                return try responder.live(tail, for: request.request) {
                    try JSONAnswer.encode(TailDocument($0, payloadBytesMax: bytesMax))
                }
            },
        ]
    }
}

extension TopicDocument {
    static var shape: JSONShape {
        .object([
            .always("topic", .text), .always("messages", .integer), .always("bytes", .integer), .always("lastSeenSeconds", .integer),
            .always("retained", .flag),
        ])
    }
}

extension TailDocument {
    static var shape: JSONShape {
        .object([
            .always("topic", .text), .always("payload", .text), .always("encoding", .choice(["utf-8", "base64"])),
            .always("bytes", .integer), .always("truncated", .flag), .always("qos", .integer), .always("retain", .flag),
            .maybe("clientID", .text), .maybe("principal", .text), .always("skipped", .integer),
        ])
    }
}
