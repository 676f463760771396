import BrokerCore
import EventBus
import HTTPExchange
import HTTPListening
import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import Queues

/// Answers every request of a listener for people: health, metrics, and the admin API under `/api/v1/`.
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
    let broker: any OperatorAccess
    let delivery: RuleDelivery
    /// Returns when what was done so far outlives a crash, as far as the durability says so; false when the disk does not take it.
    let kept: @Sendable () async -> Bool
    /// What TLS listeners use now.
    let certificates: @Sendable () -> [CertificateDocument]
    let queueStatistics: @Sendable () -> QueueStatistics
    let storeStatistics: @Sendable () -> StoreStatistics?
    /// What `/readyz` says beside being ready.
    private static let storeTrouble = "the store cannot write, and what needs it is refused"
    /// Requests answered by the listeners for programs.
    let requestCounts: @Sendable () -> [RequestCount]
    let logLinesDropped: @Sendable () -> UInt64
    /// Reads the site's files anew; `nil` where there are none.
    let reload: (@Sendable () async -> ReloadDocument)?
    /// What is known of the program around the broker.
    let site: SiteFigures
    let tails: TailStreams
    let traces: TailStreams
    let pulse = LivePulse()
    let refusals: RefusalLog
    let log: Logger
    let routes: AdminRoutes

    /// The admin API, in the order of its description.
    static func calls(_ limits: InspectionLimits) -> [AdminCall] {
        AdminCall.site(limits) + AdminCall.listeners(limits) + AdminCall.log(limits) + AdminCall.clients(limits)
            + AdminCall.traces(limits) + AdminCall.subscriptions(limits) + AdminCall.topics(limits) + AdminCall.retained(limits)
            + AdminCall.publishing(limits) + AdminCall.rules(limits) + AdminCall.deadLetters(limits) + AdminCall.archives(limits)
            + AdminCall.certificates(limits)
    }

    var engine: EventEngine { delivery.engine }

    /// What the admin API says of itself.
    var apiDescription: OpenAPIDocument { OpenAPIDocument(version: version, authenticated: !anonymous, calls: routes.calls) }

    package func respond(to request: Request, context: Context) async -> Response {
        var response: Response
        do throws(InspectionError) {
            response = try await answer(request, context)
        } catch {
            var refusal = Self.json(error.status, ErrorDocument(error: error.message), allowing: error.allowedMethod)
            if error.status == .unauthorized { refusal.headers[.wwwAuthenticate] = "Bearer" }
            response = refusal
            refusals.report(
                RefusedRequest(
                    method: request.method.rawValue, target: request.head.path, status: error.status.code, reason: error.message,
                    peer: context.peer))
        }
        // As for GET, with the length of the body, and without it: many balancers probe so (RFC 9110 section 9.3.2).
        if request.method == .head { response = response.createHeadResponse() }
        log.debug("Request answered", metadata: ["path": "\(path(of: request).debugDescription)", "status": "\(response.status.code)"])
        return response
    }

    private func path(of request: Request) -> Substring {
        (request.head.path ?? "/").prefix { $0 != "?" }
    }

    private func answer(_ request: Request, _ context: Context) async throws(InspectionError) -> Response {
        let path = path(of: request)
        if let page = ConsoleTable.pages.file(at: path), request.method == .get || request.method == .head {
            try checkHost(request)
            return page.answer(request.head)
        }
        if !path.hasPrefix(AdminRoutes.prefix), request.method != .get, request.method != .head {
            throw .methodNotAllowed(allowed: "GET, HEAD")
        }
        switch path {
        case "/livez": return Self.text(.ok, "live\n")
        case "/readyz":
            let state = readiness.state
            // Reads, and what need not be on disk, go on: a balancer that sent clients away would take that from them, too.
            let trouble = state == .ready && storeStatistics()?.isFailing == true ? "; \(Self.storeTrouble)" : ""
            return Self.text(state == .ready ? .ok : .serviceUnavailable, "\(state)\(trouble)\n")
        default: break
        }
        try checkHost(request)
        if !anonymous { try checkAdministrator(request) }
        if path == "/metrics" { return await metrics(request) }
        guard path.hasPrefix(AdminRoutes.prefix) else { throw .notFound }
        return try await perform(request, at: path, context)
    }

    /// Finds the call and has it answer, when the request may have come from where it says.
    private func perform(_ request: Request, at path: Substring, _ context: Context) async throws(InspectionError) -> Response {
        let (call, segments) = try routes.find(request.method, path)
        if call.changes { try ChangeGuard.check(request.head) }
        let text = request.head.path?.firstIndex(of: "?").map { request.head.path?[$0...].dropFirst() ?? "" }
        let query = try InspectionQuery(text, of: call.parameters)
        let request = AdminRequest(
            request: request, segments: segments, query: query, members: call.body?.memberNames ?? [], peer: context.peer)
        let answer = try await call.action(self, request)
        if call.isKept, await !kept() { throw .notKept }
        return answer
    }

    /// Refuses a host whose name may lead a page of elsewhere here (rebinding).
    ///
    /// Where administrators show a secret, which no page elsewhere has, any name will do, but on loopback, which nobody names from elsewhere.
    private func checkHost(_ request: Request) throws(InspectionError) {
        let isProved = !anonymous && administrators != nil && !hosts.isOnLoopback
        guard isProved || hosts.admits(request.head.authority) else { throw .foreignHost(HostGuard.host(of: request.head.authority ?? "")) }
    }

    private func checkAdministrator(_ request: Request) throws(InspectionError) {
        guard let administrators else { throw .authenticationRequired }
        switch BearerToken(in: request.headers) {
        case .none: throw .unauthorized(nil)
        case .repeated: throw .unauthorized("`Authorization` stands twice")
        case .shown(let token): if let refusal = administrators(token) { throw .unauthorized(refusal) }
        }
    }

    private func metrics(_ request: Request) async -> Response {
        let page = MetricsPage(
            version: version, ready: readiness.state == .ready, broker: await broker.statistics(), events: engine.counters,
            rules: engine.ruleStatistics(), queues: queueStatistics(), store: storeStatistics(), requests: requestCounts(),
            logLinesDropped: logLinesDropped(), listeners: await listenerDocuments(), process: site.process(), reloads: site.reloads(),
            spans: site.spans())
        let format = PrometheusText.Format(accepted: request.headers[.accept])
        return Self.response(.ok, format.contentType, ResponseBody(byteBuffer: ByteBuffer(bytes: page.bytes(as: format))))
    }

    /// An answer that goes on until its source ends, its reader goes, or the listener shuts down; one of `tailStreamsMax`, unless it counts
    /// among others.
    func live<Element: Sendable>(
        _ source: AsyncStream<Element>, for request: Request, among streams: TailStreams? = nil,
        encode: @escaping @Sendable (Element) throws -> [UInt8]
    ) throws(InspectionError) -> Response {
        let body = LiveBody(
            source: source, format: LiveFormat(for: request), heartbeatSeconds: limits.tailHeartbeatSeconds,
            place: try (streams ?? tails).begin(), encode: encode)
        var response = Self.response(
            .ok, body.format.contentType, ResponseBody { writer in try await body.write(to: &writer, for: request) })
        // Watching for the reader's going uses the connection up.
        response.headers[.connection] = "close"
        return response
    }

    // MARK: - Responses

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        response(status, "text/plain; charset=utf-8", ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    static func json(_ status: HTTPResponse.Status, _ document: some Encodable, allowing method: String? = nil) -> Response {
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
