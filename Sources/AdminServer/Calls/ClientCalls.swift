import BrokerCore
import HTTPTypes

extension AdminCall {
    /// Who is connected, and which sessions wait.
    static func clients(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .get, "clients", "Lists connected clients and offline sessions.", parameters: [.limit(max: limits.listRowsMax)],
                answers: .document(.rows(ClientDocument.shape))
            ) { responder, request in
                let limit = request.query.limit(default: limits.listRowsMax, max: limits.listRowsMax)
                return InspectionResponder.json(
                    .ok, ListDocument(await responder.broker.clients().map { ClientDocument($0) }, limit: limit))
            }
        ]
    }
}

extension ClientDocument {
    static var shape: JSONShape {
        .object([
            .always("clientID", .text), .always("connected", .flag), .maybe("principal", .text), .maybe("userName", .text),
            .maybe("peer", .text), .maybe("listener", .text), .always("protocolVersion", .text), .always("cleanSession", .flag),
            .always("keepAliveSeconds", .integer), .always("connectedSeconds", .integer), .always("subscriptions", .integer),
            .always("queued", .integer), .always("inFlight", .integer), .always("dropped", .integer), .always("drops", .map(.integer)),
            .always("refusals", .list(RefusalDocument.shape)),
        ])
    }
}

extension RefusalDocument {
    static var shape: JSONShape {
        .object([.always("kind", .text), .always("resource", .text), .always("reason", .text), .always("count", .integer)])
    }
}
