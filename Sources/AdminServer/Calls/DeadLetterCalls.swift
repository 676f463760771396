import BrokerCore
import EventBus
import HTTPTypes
import Logging

/// The body of `POST /api/v1/deadletters/redrive`: some by their ids, or all of a rule.
private struct RedriveBody: Decodable {
    var ids: [String]?
    var rule: String?
    /// Tells rules of one name apart.
    var bus: String?
}

/// What became of dead letters that were to be delivered again.
package struct RedriveDocument: Codable, Sendable, Equatable {
    package struct Failure: Codable, Sendable, Equatable {
        package var id: String
        package var reason: String
    }

    /// Those that were handed to their targets; what fails again is a new dead letter.
    package var redriven: Int
    package var failed: [Failure]

    package init(redriven: Int, failed: [Failure]) { (self.redriven, self.failed) = (redriven, failed) }
}

/// Whether there was something to remove.
package struct RemovalDocument: Codable, Sendable, Equatable {
    package var removed: Bool
}

extension AdminCall {
    /// What could not be delivered, and what becomes of it.
    static func deadLetters(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .get, "deadletters", "Lists events that could not be delivered, the latest first.",
                parameters: [.limit(max: limits.listRowsMax)], answers: .document(.rows(DeadLetterDocument.shape))
            ) { responder, request in
                let limit = request.query.limit(default: 100, max: limits.listRowsMax)
                let letters = responder.engine.numberedDeadLetters(limit: limit + 1).map {
                    DeadLetterDocument($0.letter, number: $0.number)
                }
                return InspectionResponder.json(.ok, ListDocument(letters, limit: limit))
            },
            AdminCall(
                .post, "deadletters/redrive", "Delivers dead letters again: some by their ids, or all of a rule.",
                body: .either([
                    .object([.always("ids", .list(.text))]), .object([.always("rule", .text), .maybe("bus", .text)]),
                ]),
                answers: .document(RedriveDocument.shape)
            ) { responder, request throws(InspectionError) in
                let ids = try ids(of: try await request.document(RedriveBody.self, limits), responder.engine)
                return InspectionResponder.json(.ok, await redrive(ids, responder, peer: request.peer))
            }.kept(),
            AdminCall(
                .delete, "deadletters/{id}", "Removes a dead letter.", answers: .document(.object([.always("removed", .flag)])),
                refusals: [404]
            ) { responder, request throws(InspectionError) in
                let id = request.segment("id")
                guard let number = UInt64(id), responder.delivery.removeDeadLetter(number) else { throw .noSuch("dead letter '\(id)'") }
                responder.log.info("dead letter removed", metadata: ["id": "\(number)", "by": "\(request.peer)"])
                return InspectionResponder.json(.ok, RemovalDocument(removed: true))
            }.kept(),
        ]
    }

    private static func ids(of body: RedriveBody, _ engine: EventEngine) throws(InspectionError) -> [String] {
        switch (body.ids, body.rule) {
        case (let ids?, nil):
            if body.bus != nil { throw .invalidBody("'bus' goes with 'rule'") }
            return ids
        case (nil, let rule?):
            // The oldest first, as they came.
            return engine.numberedDeadLetters(limit: .max)
                .filter { $0.letter.rule == rule && (body.bus == nil || $0.letter.bus == body.bus) }
                .reversed().map { "\($0.number)" }
        default: throw .invalidBody("it has either 'ids' or a 'rule'")
        }
    }

    private static func redrive(_ ids: [String], _ responder: InspectionResponder, peer: String) async -> RedriveDocument {
        var document = RedriveDocument(redriven: 0, failed: [])
        for id in ids {
            do throws(RedriveError) {
                guard let number = UInt64(id) else { throw .gone }
                try await responder.delivery.redrive(number, now: responder.broker.now) { await responder.broker.publish($0) }
                document.redriven += 1
            } catch {
                document.failed.append(.init(id: id, reason: "\(error)"))
            }
        }
        responder.log.info(
            "dead letters delivered again",
            metadata: ["redriven": "\(document.redriven)", "failed": "\(document.failed.count)", "by": "\(peer)"])
        return document
    }
}

extension DeadLetterDocument {
    static var shape: JSONShape {
        .object([
            .maybe("id", .text), .always("time", .text), .always("rule", .text), .maybe("bus", .text), .always("target", .text),
            .always("errorCode", .text), .always("errorMessage", .text), .maybe("retries", .integer), .maybe("exhausted", .text),
            .always("event", .text), .maybe("traceID", .text),
        ])
    }
}

extension RedriveDocument {
    static var shape: JSONShape {
        .object([
            .always("redriven", .integer),
            .always("failed", .list(.object([.always("id", .text), .always("reason", .text)]))),
        ])
    }
}
