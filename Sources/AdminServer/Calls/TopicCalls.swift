import BrokerCore
import HTTPTypes

extension AdminCall {
    private static let filter = CallParameter(
        name: "filter", kind: .filter, summary: "Only topics that match this filter; all when absent.")
    private static let search = CallParameter(
        name: "search", kind: .text, summary: "Only topics in whose names this text stands, in capital or small letters.")

    /// What passes over which topics.
    static func topics(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .get, "topics", "Lists topics that carried a message since the start.",
                parameters: [
                    filter, search,
                    CallParameter(
                        name: "sort", kind: .choice(TopicQuery.Order.allCases.map(\.rawValue)),
                        summary: "By topic when absent; otherwise the most messages, or the last seen, first."),
                    .limit(max: limits.listRowsMax),
                ], answers: .document(.rows(TopicDocument.shape))
            ) { responder, request in
                let limit = request.query.limit(default: 1_000, max: limits.listRowsMax)
                let topics = await responder.broker.topics(
                    TopicQuery(
                        filter: request.query.filter(), search: request.query.text("search"),
                        order: request.query.text("sort").flatMap { TopicQuery.Order(rawValue: $0) } ?? .topic, limit: limit + 1))
                return InspectionResponder.json(.ok, ListDocument(topics.map { TopicDocument($0) }, limit: limit))
            },
            tree(limits), tail(limits),
        ]
    }

    private static func tree(_ limits: InspectionLimits) -> AdminCall {
        AdminCall(
            .get, "topics/tree", "One level of the tree of topics.",
            parameters: [
                CallParameter(
                    name: "under", kind: .text,
                    summary:
                        "The beginning of topics whose next level is asked for, without the slash behind it; the first level when absent."),
                search, .limit(max: limits.listRowsMax),
            ], answers: .document(.rows(TopicBranchDocument.shape))
        ) { responder, request in
            let limit = request.query.limit(default: 1_000, max: limits.listRowsMax)
            let rows = await responder.broker.topicLevel(
                under: request.query.text("under"), search: request.query.text("search"), limit: limit + 1)
            let now = responder.broker.now
            return InspectionResponder.json(.ok, ListDocument(rows.map { TopicBranchDocument($0, now: now) }, limit: limit))
        }
    }

    private static func tail(_ limits: InspectionLimits) -> AdminCall {
        AdminCall(
            .get, "tail", "Shows messages as they pass, until the reader goes.",
            parameters: [
                filter,
                CallParameter(
                    name: "everyNth", kind: .integer(1...1_000_000), summary: "Of so many messages one is shown, on each event loop."),
            ],
            answers: .stream(TailDocument.shape)
        ) { responder, request throws(InspectionError) in
            let (tail, bytesMax) = (
                responder.broker.tail(request.query.filter(), every: request.query.integer("everyNth") ?? 1), limits.tailPayloadBytesMax
            )
            return try responder.live(tail, for: request.request) {
                try JSONAnswer.encode(TailDocument($0, payloadBytesMax: bytesMax))
            }
        }
    }
}

extension TopicDocument {
    static var shape: JSONShape {
        .object([
            .always("topic", .text), .always("messages", .integer), .always("bytes", .integer), .always("lastSeenSeconds", .integer),
            .always("retained", .flag), .always("messagesPerSecond", .number),
        ])
    }
}

extension TopicBranchDocument {
    static var shape: JSONShape {
        .object([
            .always("name", .text), .always("topic", .text), .always("children", .integer), .always("topics", .integer),
            .always("messages", .integer), .always("bytes", .integer), .always("messagesPerSecond", .number),
            .maybe("lastSeenSeconds", .integer), .always("isTopic", .flag), .always("retained", .flag), .maybe("lastPayload", .text),
            .maybe("encoding", .choice(["utf-8", "base64"])), .maybe("truncated", .flag), .maybe("payloadBytes", .integer),
            .maybe("messagesSince", .integer),
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
