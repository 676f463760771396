import BrokerCore
import EventBus
import HTTPTypes

extension AdminCall {
    /// The broker as a whole.
    static func site(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(.get, "statistics", "Counters and gauges of the broker.", answers: .document(StatisticsDocument.shape)) {
                responder, _ in
                InspectionResponder.json(
                    .ok,
                    StatisticsDocument(await responder.broker.statistics(), responder.engine.counters, responder.storeStatistics()))
            },
            AdminCall(
                .get, "version", "Which program this is.",
                answers: .document(.object([.always("name", .text), .always("version", .text)]))
            ) { responder, _ in InspectionResponder.json(.ok, VersionDocument(name: "crema", version: responder.version)) },
            AdminCall(
                .post, "reload", "Reads the site's files anew.", body: .object([]), answers: .outcome(ReloadDocument.shape), refusals: [404]
            ) { responder, request throws(InspectionError) in
                _ = try await request.document([String: String].self, limits)
                guard let reload = responder.reload else { throw .notFound }
                let document = await reload()
                return InspectionResponder.json(document.reloaded ? .ok : .unprocessableContent, document)
            },
            AdminCall(.get, "openapi.json", "This description.", answers: .document(.map(.any))) { responder, _ in
                InspectionResponder.json(.ok, responder.apiDescription.node)
            },
        ]
    }
}

extension StatisticsDocument {
    static var shape: JSONShape {
        .object([.always("broker", .map(.any)), .always("events", .map(.any)), .maybe("store", .map(.any))])
    }
}

extension ReloadDocument {
    static var shape: JSONShape {
        .object([
            .always("reloaded", .flag), .always("changed", .list(.text)), .always("needsRestart", .list(.text)),
            .always("warnings", .list(.text)), .always("problems", .list(.text)), .always("connectionsClosed", .integer),
        ])
    }
}
