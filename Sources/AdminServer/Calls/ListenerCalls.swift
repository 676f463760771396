import BrokerCore
import EventBus
import HTTPTypes

/// A row of the answer to `GET /api/v1/listeners`.
package struct ListenerDocument: Codable, Sendable, Equatable {
    package var listener: String
    package var `protocol`: String
    package var bind: String
    package var tls: Bool
    package var authentication: String
    package var connected: Int
    package var accepted: UInt64
    /// How often it had as many connections as it may; absent where the broker counts those that it turns away.
    package var timesFull: UInt64?
    /// PUBLISH packets of its clients.
    package var messagesReceived: UInt64
    /// Of MQTT, without TLS and HTTP.
    package var bytesReceived: UInt64
    package var bytesSent: UInt64
    /// Absent without TLS.
    package var handshakesCompleted: UInt64?
    package var handshakesFailed: UInt64?
    /// When its certificate ends (RFC 3339); absent without TLS.
    package var certificateNotAfter: String?
    /// The same in seconds since 1970.
    package var certificateNotAfterSeconds: Int64?

    init(_ listener: OpenedListener, _ figures: ListenerFigures) {
        self.listener = listener.name
        self.protocol = listener.protocol
        bind = listener.address
        tls = listener.isTLS
        authentication = listener.authentication
        connected = listener.connections?.open ?? figures.connected
        accepted = listener.connections?.accepted ?? figures.accepted
        timesFull = listener.connections?.timesFull
        messagesReceived = figures.messagesReceived
        bytesReceived = figures.bytesReceived
        bytesSent = figures.bytesSent
        guard listener.isTLS else { return }
        handshakesCompleted = figures.handshakesCompleted
        handshakesFailed = figures.handshakesFailed
        certificateNotAfterSeconds = listener.certificateNotAfter
        certificateNotAfter = listener.certificateNotAfter.map { timestamp(milliseconds: $0 * 1_000) }
    }

    static var shape: JSONShape {
        .object([
            .always("listener", .text), .always("protocol", .text), .always("bind", .text), .always("tls", .flag),
            .always("authentication", .text), .always("connected", .integer), .always("accepted", .integer),
            .maybe("timesFull", .integer), .always("messagesReceived", .integer), .always("bytesReceived", .integer),
            .always("bytesSent", .integer),
            .maybe("handshakesCompleted", .integer), .maybe("handshakesFailed", .integer), .maybe("certificateNotAfter", .text),
            .maybe("certificateNotAfterSeconds", .integer),
        ])
    }
}

extension AdminCall {
    /// Where clients and people are let in, and how the broker does this second.
    static func listeners(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .get, "listeners", "Lists listeners that are open, with what came through each.",
                answers: .document(.rows(ListenerDocument.shape))
            ) { responder, _ in
                let rows = await responder.listenerDocuments()
                return InspectionResponder.json(.ok, ListDocument(rows, limit: rows.count))
            },
            AdminCall(
                .get, "live", "Tells once a second how the broker does, until the reader goes.",
                answers: .stream(LiveDocument.shape)
            ) { responder, request throws(InspectionError) in
                try responder.live(responder.pulse.documents(of: responder), for: request.request) { $0 }
            },
        ]
    }
}

extension InspectionResponder {
    /// What is known of each listener now.
    func listenerDocuments() async -> [ListenerDocument] { listenerDocuments(await broker.statistics()) }

    func listenerDocuments(_ statistics: BrokerStatistics) -> [ListenerDocument] {
        site.listeners().map { ListenerDocument($0, statistics.listeners[$0.name] ?? ListenerFigures()) }
    }
}
