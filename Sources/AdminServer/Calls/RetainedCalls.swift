import BrokerCore
import HTTPTypes
import Hummingbird
import Logging

extension AdminCall {
    private static let olderThan = CallParameter(
        name: "olderThanSeconds", kind: .integer(0...Int(Int32.max)), summary: "Only those that were retained so long ago, at least.")

    /// What is retained.
    static func retained(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .get, "retained", "Lists retained messages.",
                parameters: [
                    CallParameter(name: "filter", kind: .filter, summary: "Only topics that match this filter; all when absent."),
                    olderThan, .limit(max: limits.listRowsMax),
                ],
                answers: .document(.rows(RetainedDocument.shape))
            ) { responder, request in
                let limit = request.query.limit(default: 1_000, max: limits.listRowsMax)
                let (rows, _) = await responder.broker.retainedMessages(query(request), limit: limit + 1)
                let now = responder.broker.now
                let documents = rows.map { RetainedDocument($0, now: now, payloadBytesMax: limits.tailPayloadBytesMax) }
                return InspectionResponder.json(.ok, ListDocument(documents, limit: limit))
            },
            AdminCall(
                .delete, "retained", "Removes retained messages, as clients' empty retained messages do.",
                parameters: [
                    CallParameter(
                        name: "filter", kind: .ordinaryFilter, summary: "Topics that match this filter; not the broker's own.",
                        required: true), olderThan,
                    CallParameter(name: "preview", kind: .flag, summary: "Whether to say only what would be removed."),
                ],
                answers: .document(RetainedRemovalDocument.shape), refusals: [503]
            ) { responder, request throws(InspectionError) in try await remove(responder, request) }.kept(),
        ]
    }

    private static func query(_ request: AdminRequest) -> RetainedQuery {
        RetainedQuery(filter: request.query.filter(), olderThanSeconds: request.query.integer("olderThanSeconds"))
    }

    private static func remove(_ responder: InspectionResponder, _ request: AdminRequest) async throws(InspectionError) -> Response {
        let query = query(request)
        if request.query.flag("preview") {
            let (rows, matched) = await responder.broker.retainedMessages(query, limit: RetainedRemoval.topicsNamedMax)
            return InspectionResponder.json(
                .ok, RetainedRemovalDocument(matched: matched, removed: 0, topics: rows.map(\.message.topicName)))
        }
        guard responder.broker.admitsPublish() else { throw PublishedTopic.noRoom }
        let removal = await responder.broker.removeRetained(query)
        var metadata: Logger.Metadata = [
            "filter": .string(LoggedText.escaping(query.filter)), "matched": "\(removal.matched)", "removed": "\(removal.removed)",
            "by": .string(request.peer),
        ]
        if let seconds = query.olderThanSeconds { metadata["older_than_seconds"] = "\(seconds)" }
        responder.log.notice("retained messages removed", metadata: metadata)
        if !removal.isKept { throw .notKept }
        return InspectionResponder.json(
            .ok, RetainedRemovalDocument(matched: removal.matched, removed: removal.removed, topics: removal.topics))
    }
}

extension RetainedDocument {
    static var shape: JSONShape {
        .object([
            .always("topic", .text), .always("payload", .text), .always("encoding", .choice(["utf-8", "base64"])),
            .always("truncated", .flag), .always("bytes", .integer), .always("qos", .integer), .always("ageSeconds", .integer),
            .maybe("expiresSeconds", .integer), .maybe("publisher", .text),
        ])
    }
}

extension RetainedRemovalDocument {
    static var shape: JSONShape {
        .object([.always("matched", .integer), .always("removed", .integer), .always("topics", .list(.text))])
    }
}
