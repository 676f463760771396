import EventBus
import HTTPTypes

/// The body of `POST /api/v1/rules/test`.
private struct RuleTestBody: Decodable {
    /// The name of a rule in force; or a pattern.
    var rule: String?
    /// As JSON text.
    var pattern: String?
    /// JSON text as EventBridge delivers it, or a message's payload for a topic rule.
    var event: String
    /// Where the message was published, for a topic rule.
    var topic: String?
}

extension AdminCall {
    /// What the rules did, and why one would or would not.
    static func rules(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(.get, "rules", "Lists rules with what they did since the start.", answers: .document(.rows(RuleDocument.shape))) {
                responder, _ in
                let rules = responder.engine.ruleStatistics().map { RuleDocument($0) }
                return InspectionResponder.json(.ok, ListDocument(rules, limit: rules.count))
            },
            AdminCall(
                .post, "rules/test", "Says field by field why a rule or a pattern matches an event, or misses it; delivers nothing.",
                body: .either([
                    .object([.always("rule", .text), .always("event", .text), .maybe("topic", .text)]),
                    .object([.always("pattern", .text), .always("event", .text)]),
                ]),
                answers: .document(RuleTrialDocument.shape), refusals: [404]
            ) { responder, request throws(InspectionError) in
                let body = try await request.document(RuleTestBody.self, limits)
                return InspectionResponder.json(.ok, try trial(body, responder.engine))
            },
            AdminCall(.get, "destinations", "Lists connections and API destinations.", answers: .document(DestinationsDocument.shape)) {
                responder, _ in InspectionResponder.json(.ok, DestinationsDocument(responder.engine))
            },
        ]
    }

    private static func trial(_ body: RuleTestBody, _ engine: EventEngine) throws(InspectionError) -> RuleTrialDocument {
        do throws(RuleTrialError) {
            switch (body.rule, body.pattern) {
            case (let rule?, nil):
                return RuleTrialDocument(try engine.tryRule(rule, event: Array(body.event.utf8), topic: body.topic))
            case (nil, let pattern?):
                return RuleTrialDocument(try engine.tryPattern(pattern, event: Array(body.event.utf8)))
            default: break
            }
        } catch .unknownRule(let rule, _) {
            throw .noSuch("rule called \(rule)")
        } catch {
            // What was asked for is answered: with this event, or this pattern, nothing matches.
            return RuleTrialDocument(rule: body.rule ?? EventEngine.triedPattern, cannotBeTried: "\(error)")
        }
        throw .invalidBody("it has either a 'rule' or a 'pattern'")
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

extension RuleTrialDocument {
    static var shape: JSONShape {
        let field = JSONShape.object([
            .always("path", .text), .always("met", .flag), .always("wanted", .list(.text)), .always("found", .list(.text)),
            .always("text", .text),
        ])
        let alternative = JSONShape.object([
            .always("matches", .flag), .always("needsTwoElements", .flag), .always("fields", .list(field)),
        ])
        return .object([
            .always("rule", .text), .maybe("bus", .text), .always("enabled", .flag), .always("matches", .flag),
            .maybe("alternatives", .list(alternative)), .maybe("reason", .text), .maybe("selected", .text),
        ])
    }
}

extension DestinationsDocument {
    static var shape: JSONShape {
        let connection = JSONShape.object([
            .always("name", .text), .always("authorizationType", .text), .always("authorized", .flag), .always("location", .text),
        ])
        let destination = JSONShape.object([
            .always("name", .text), .always("active", .flag), .maybe("reason", .text), .always("method", .text),
            .always("endpoint", .text), .always("connection", .text), .always("location", .text),
        ])
        return .object([.always("connections", .list(connection)), .always("destinations", .list(destination))])
    }
}
