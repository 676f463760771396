import BrokerCore
import HTTPTypes
import Hummingbird
import Logging

extension AdminCall {
    /// Who is connected, and which sessions wait.
    static func clients(_ limits: InspectionLimits) -> [AdminCall] {
        [
            listing(limits),
            AdminCall(
                .get, "clients/{id}", "One client with its subscriptions.", parameters: [clientParameter],
                answers: .document(ClientDocument.shape), refusals: [404]
            ) {
                responder, request throws(InspectionError) in
                guard let client = await responder.broker.client(request.clientID) else { throw noClient(request) }
                return InspectionResponder.json(.ok, ClientDocument(client.summary, subscriptions: client.subscriptions))
            },
            kick,
        ]
    }

    private static func listing(_ limits: InspectionLimits) -> AdminCall {
        AdminCall(
            .get, "clients", "Lists connected clients and offline sessions.",
            parameters: [
                CallParameter(
                    name: "search", kind: .text, summary: "Only those with this text in identifier, principal, user name or address."),
                CallParameter(name: "state", kind: .choice(["connected", "offline"]), summary: "Only these; all when absent."),
                CallParameter(
                    name: "sort", kind: .choice(ClientQuery.Order.allCases.map(\.rawValue)),
                    summary: "By identifier when absent; otherwise the greatest first, by `slow` those that do not keep up."),
                .limit(max: limits.listRowsMax),
            ],
            answers: .document(.rows(ClientDocument.shape))
        ) { responder, request in
            let limit = request.query.limit(default: limits.listRowsMax, max: limits.listRowsMax)
            let query = ClientQuery(
                search: request.query.text("search"), state: request.query.text("state").flatMap { ClientQuery.State(rawValue: $0) },
                order: request.query.text("sort").flatMap { ClientQuery.Order(rawValue: $0) } ?? .id, limit: limit + 1)
            let clients = await responder.broker.clients(query)
            return InspectionResponder.json(.ok, ListDocument(clients.map { ClientDocument($0) }, limit: limit))
        }
    }

    private static var kick: AdminCall {
        AdminCall(
            .delete, "clients/{id}", "Closes a client's connection; of MQTT 5 it is told 0x98.",
            parameters: [
                clientParameter,
                CallParameter(name: "session", kind: .choice(["remove", "keep"]), summary: "`remove` ends its session, too."),
            ],
            answers: .document(KickDocument.shape), refusals: [404]
        ) { responder, request throws(InspectionError) in
            let (clientID, endsSession) = (request.clientID, request.query.text("session") == "remove")
            guard let outcome = await responder.broker.kick(clientID, endingSession: endsSession) else { throw noClient(request) }
            responder.log.notice(
                "client kicked",
                metadata: [
                    "client_id": .string(LoggedText.escaping(clientID)), "by": .string(request.peer),
                    "session_removed": .string("\(outcome.sessionRemoved)"),
                ])
            return InspectionResponder.json(
                .ok, KickDocument(closed: outcome.wasConnected, sessionRemoved: outcome.sessionRemoved))
        }.kept()
    }

    private static func noClient(_ request: AdminRequest) -> InspectionError {
        .noSuch("client '\(request.clientID)', neither connected nor with a session that waits for it")
    }

    /// Who subscribed to what.
    static func subscriptions(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .get, "subscriptions", "Lists subscriptions, or who gets a topic.",
                parameters: [
                    CallParameter(name: "client", kind: .text, summary: "Only those of this client."),
                    CallParameter(
                        name: "filter", kind: .subscription, summary: "Only those with exactly this filter, shared ones with their group."),
                    CallParameter(name: "topic", kind: .topic, summary: "Only those that match this topic's name."),
                    .limit(max: limits.listRowsMax),
                ],
                answers: .document(.rows(SubscriptionDocument.shape))
            ) { responder, request throws(InspectionError) in
                let limit = request.query.limit(default: 1_000, max: limits.listRowsMax)
                let rows = await responder.broker.subscriptions(
                    SubscriptionQuery(
                        clientID: request.query.text("client"), filter: request.query.text("filter"),
                        topic: request.query.text("topic"), limit: limit + 1))
                return InspectionResponder.json(.ok, ListDocument(rows.map { SubscriptionDocument($0) }, limit: limit))
            }
        ]
    }
}

extension ClientDocument {
    static var shape: JSONShape {
        .object([
            .always("clientID", .text), .always("connected", .flag), .maybe("principal", .text), .maybe("userName", .text),
            .maybe("peer", .text), .maybe("listener", .text),
            .maybe("tls", .object([.always("version", .text), .maybe("cipher", .text), .maybe("certificate", .text)])),
            .always("protocolVersion", .text), .always("cleanSession", .flag),
            .always("keepAliveSeconds", .integer), .always("connectedSeconds", .integer), .maybe("connectedAt", .text),
            .always("subscriptions", .integer), .always("queued", .integer), .always("queuedBytes", .integer), .always("slow", .flag),
            .always("inFlight", .integer), .always("dropped", .integer), .always("drops", .map(.integer)),
            .always("refusals", .list(RefusalDocument.shape)), .maybe("subscriptionList", .list(SubscriptionDocument.shape)),
        ])
    }
}

extension RefusalDocument {
    static var shape: JSONShape {
        .object([.always("kind", .text), .always("resource", .text), .always("reason", .text), .always("count", .integer)])
    }
}

extension SubscriptionDocument {
    static var shape: JSONShape {
        .object([
            .always("clientID", .text), .always("connected", .flag), .always("filter", .text), .always("qos", .integer),
            .always("noLocal", .flag), .always("retainAsPublished", .flag), .maybe("retainHandling", .integer),
            .maybe("subscriptionIdentifier", .integer), .maybe("share", .text),
        ])
    }
}

extension KickDocument {
    static var shape: JSONShape { .object([.always("closed", .flag), .always("sessionRemoved", .flag)]) }
}

extension AdminCall {
    /// Names a client that a path cannot.
    static var clientParameter: CallParameter {
        CallParameter(
            name: "id", kind: .text,
            summary: "The identifier, in place of the path's, which cannot hold `.` and `..`: those are steps to every browser.")
    }
}

extension AdminRequest {
    /// Which client the query names, or else the path.
    var clientID: String { query.text("id") ?? segment("id") }
}
