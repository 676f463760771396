import EventBus
import HTTPTypes

extension AdminCall {
    /// What the rules did, and what became of what they could not deliver.
    static func rules(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(.get, "rules", "Lists rules with what they did since the start.", answers: .document(.rows(RuleDocument.shape))) {
                responder, _ in
                let rules = responder.engine.ruleStatistics().map { RuleDocument($0) }
                return InspectionResponder.json(.ok, ListDocument(rules, limit: rules.count))
            },
            AdminCall(
                .get, "deadletters", "Lists events that could not be delivered, the latest first.",
                parameters: [.limit(max: limits.listRowsMax)], answers: .document(.rows(DeadLetterDocument.shape))
            ) { responder, request in
                let limit = request.query.limit(default: 100, max: limits.listRowsMax)
                let letters = responder.engine.deadLetters(limit: limit + 1).map { DeadLetterDocument($0) }
                return InspectionResponder.json(.ok, ListDocument(letters, limit: limit))
            },
            AdminCall(.get, "destinations", "Lists connections and API destinations.", answers: .document(DestinationsDocument.shape)) {
                responder, _ in InspectionResponder.json(.ok, DestinationsDocument(responder.engine))
            },
        ]
    }
}

extension RuleDocument {
    static var shape: JSONShape {
        .object([
            .always("name", .text), .always("kind", .choice(["event", "topic"])), .maybe("bus", .text), .always("enabled", .flag),
            .always("definition", .text), .always("location", .text), .always("matched", .integer), .always("delivered", .integer),
            .always("failed", .integer), .maybe("retried", .integer), .maybe("pending", .integer), .maybe("lastError", .text),
            .maybe("pattern", .text), .maybe("schedule", .text), .maybe("sqlVersion", .text),
        ])
    }
}

extension DeadLetterDocument {
    static var shape: JSONShape {
        .object([
            .always("time", .text), .always("rule", .text), .maybe("bus", .text), .always("target", .text), .always("errorCode", .text),
            .always("errorMessage", .text), .maybe("retries", .integer), .maybe("exhausted", .text), .always("event", .text),
        ])
    }
}

extension DestinationsDocument {
    static var shape: JSONShape {
        .object([
            .always(
                "connections",
                .list(
                    .object([
                        .always("name", .text), .always("authorizationType", .text), .always("authorized", .flag),
                        .always("location", .text),
                    ]))),
            .always(
                "destinations",
                .list(
                    .object([
                        .always("name", .text), .always("active", .flag), .maybe("reason", .text), .always("method", .text),
                        .always("endpoint", .text), .always("connection", .text), .always("location", .text),
                    ]))),
        ])
    }
}
