import BrokerCore
import EventBus
import HTTPExchange
import HTTPListening
import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import Queues

/// Answers every request of a listener for people: health, metrics, and the inspection API under `/api/v1/`.
///
/// It changes nothing, but for `POST /api/v1/reload`, which has the site's files read anew.
package struct InspectionResponder: HTTPResponder {
    package typealias Context = InspectionRequestContext

    let version: String
    let limits: InspectionLimits
    /// Whether the listener answers people whom it cannot tell apart.
    ///
    /// Otherwise only `/livez` and `/readyz` answer those who show nothing.
    let anonymous: Bool
    let administrators: AdministratorCheck?
    let hosts: HostGuard
    let readiness: Readiness
    let broker: any BrokerAccess
    let engine: EventEngine
    let queueStatistics: @Sendable () -> QueueStatistics
    let storeStatistics: @Sendable () -> StoreStatistics?
    /// Requests answered by the listeners for programs.
    let requestCounts: @Sendable () -> [RequestCount]
    let logLinesDropped: @Sendable () -> UInt64
    /// Reads the site's files anew; `nil` where there are none.
    let reload: (@Sendable () async -> ReloadDocument)?
    let tails: TailStreams
    let refusals: RefusalLog
    let log: Logger

    package func respond(to request: Request, context: Context) async -> Response {
        let response: Response
        do throws(InspectionError) {
            response = try await answer(request)
        } catch {
            var refusal = Self.json(error.status, ErrorDocument(error: error.message), allowing: error.allowedMethod)
            if error.status == .unauthorized { refusal.headers[.wwwAuthenticate] = "Bearer" }
            response = refusal
            refusals.report(
                RefusedRequest(
                    method: request.method.rawValue, target: request.head.path, status: error.status.code, reason: error.message,
                    peer: context.peer))
        }
        log.debug("Request answered", metadata: ["path": "\(path(of: request).debugDescription)", "status": "\(response.status.code)"])
        return response
    }

    private func path(of request: Request) -> Substring {
        (request.head.path ?? "/").prefix { $0 != "?" }
    }

    private func answer(_ request: Request) async throws(InspectionError) -> Response {
        let path = path(of: request)
        let isReload = path == "/api/v1/reload"
        let allowed: HTTPRequest.Method = isReload ? .post : .get
        guard request.method == allowed else { throw .methodNotAllowed(allowed: allowed.rawValue) }
        switch path {
        case "/livez": return Self.text(.ok, "live\n")
        case "/readyz":
            let state = readiness.state
            return Self.text(state == .ready ? .ok : .serviceUnavailable, "\(state)\n")
        default: break
        }
        guard hosts.admits(request.head.authority) else { throw .foreignHost(request.head.authority ?? "") }
        if !anonymous { try checkAdministrator(request) }
        if path == "/metrics" { return await metrics() }
        if isReload { return try await reloaded(request) }
        guard path.hasPrefix("/api/v1/") else { throw .notFound }
        let query = request.head.path?.firstIndex(of: "?").map { request.head.path?[$0...].dropFirst() ?? "" }
        return try await inspect(path.dropFirst("/api/v1/".count), query: query, request)
    }

    private func checkAdministrator(_ request: Request) throws(InspectionError) {
        guard let administrators else { throw .authenticationRequired }
        switch BearerToken(in: request.headers) {
        case .none: throw .unauthorized(nil)
        case .repeated: throw .unauthorized("`Authorization` stands twice")
        case .shown(let token): if let refusal = administrators(token) { throw .unauthorized(refusal) }
        }
    }

    private func inspect(_ call: Substring, query: Substring?, _ request: Request) async throws(InspectionError) -> Response {
        switch call {
        case "clients":
            let limit = try InspectionQuery(query, known: ["limit"]).limit(default: limits.listRowsMax, max: limits.listRowsMax)
            return Self.json(.ok, ListDocument(await broker.clients().map { ClientDocument($0) }, limit: limit))
        case "topics":
            let query = try InspectionQuery(query, known: ["filter", "limit"])
            let limit = try query.limit(default: 1_000, max: limits.listRowsMax)
            let topics = await broker.topics(matching: try query.filter(), limit: limit + 1)
            return Self.json(.ok, ListDocument(topics.map { TopicDocument($0) }, limit: limit))
        case "rules":
            _ = try InspectionQuery(query, known: [])
            let rules = engine.ruleStatistics().map { RuleDocument($0) }
            return Self.json(.ok, ListDocument(rules, limit: rules.count))
        case "archives":
            _ = try InspectionQuery(query, known: [])
            return Self.json(.ok, ArchivesDocument(engine))
        case "destinations":
            _ = try InspectionQuery(query, known: [])
            return Self.json(.ok, DestinationsDocument(engine))
        case "deadletters":
            let limit = try InspectionQuery(query, known: ["limit"]).limit(default: 100, max: limits.listRowsMax)
            return Self.json(.ok, ListDocument(engine.deadLetters(limit: limit + 1).map { DeadLetterDocument($0) }, limit: limit))
        case "statistics":
            _ = try InspectionQuery(query, known: [])
            return Self.json(.ok, StatisticsDocument(await broker.statistics(), engine.counters, storeStatistics()))
        case "version":
            _ = try InspectionQuery(query, known: [])
            return Self.json(.ok, VersionDocument(name: "crema", version: version))
        case "tail":
            return try tail(filter: InspectionQuery(query, known: ["filter"]).filter(), request)
        default: throw .notFound
        }
    }

    private func metrics() async -> Response {
        let page = MetricsPage(
            version: version, ready: readiness.state == .ready, broker: await broker.statistics(), events: engine.counters,
            rules: engine.ruleStatistics(), queues: queueStatistics(), store: storeStatistics(), requests: requestCounts(),
            logLinesDropped: logLinesDropped())
        return Self.response(.ok, PrometheusText.contentType, ResponseBody(byteBuffer: ByteBuffer(bytes: page.bytes)))
    }

    private func reloaded(_ request: Request) async throws(InspectionError) -> Response {
        try ChangeGuard.check(request.head)
        guard let reload else { throw .notFound }
        let document = await reload()
        return Self.json(document.reloaded ? .ok : .unprocessableContent, document)
    }

    private func tail(filter: String, _ request: Request) throws(InspectionError) -> Response {
        let body = TailBody(filter: filter, broker: broker, limits: limits, place: try tails.begin())
        var response = Self.response(
            .ok, "application/x-ndjson", ResponseBody { writer in try await body.write(to: &writer, for: request) })
        // Watching for the reader's going uses the connection up.
        response.headers[.connection] = "close"
        return response
    }

    // MARK: - Responses

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        response(status, "text/plain; charset=utf-8", ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private static func json(_ status: HTTPResponse.Status, _ document: some Encodable, allowing method: String? = nil) -> Response {
        guard let bytes = try? JSONAnswer.encode(document) else {
            // Nothing that is encoded here has values without a JSON form.
            return text(.internalServerError, "the answer has no JSON form\n")
        }
        var response = response(status, "application/json", ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        if let method { response.headers[.allow] = method }
        return response
    }

    private static func response(_ status: HTTPResponse.Status, _ type: String, _ body: ResponseBody) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        headers[values: .contentTypeOptions] = ["nosniff"]
        if let length = body.contentLength { headers[.contentLength] = String(length) }
        return Response(status: status, headers: headers, body: body)
    }
}

extension HTTPField.Name {
    /// Without it a browser may take an answer for a script or a page.
    fileprivate static let contentTypeOptions: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Content-Type-Options") else { preconditionFailure("not a header name") }
        return name
    }()
}
