import BrokerCore
import Documents
import EventBus
import HTTPExchange
import HTTPListening
package import Hummingbird
import Logging
import NIOCore
import Rules
import Trust

/// Answers every request of a listener for programs: AWS services in their JSON protocol at `POST /`, queues also in forms, AWS IoT's APIs for
/// topic rules and for messages at their paths, API routes everywhere else, and files for browsers where no route is.
///
/// A request that names AWS IoT in its signature, as AWS SDKs write it, is for AWS IoT's API, and for rules no other is: routes keep their
/// paths, and no page in a browser reaches rules without the browser's asking first, since a request with a signature is no simple one.
/// Messages may also be published without one where no route has the path, but not by a page.
///
/// An answer with status 200 leaves after every message that its events caused has been published, in order.
package struct GatewayResponder: HTTPResponder {
    package typealias Context = GatewayRequestContext

    let routes: CurrentRoutes
    let limits: GatewayLimits
    /// Who calls.
    ///
    /// Where the listener takes no signed requests, a signature that comes all the same is not looked at: AWS SDKs always sign.
    let callers: CallerCheck
    /// By which names those who prove nothing may ask for the services.
    let hosts: HostGuard
    let tokens: CurrentTokens
    let pages: CurrentPages
    let events: EventsService
    let queues: QueuesService
    let topicRules: TopicRulesService
    let things: ThingsService
    let dataPlane: DataPlaneService
    /// Where the listener serves MQTT over WebSocket.
    let webSocketPath: String?
    let counters: GatewayCounters
    let refusals: RefusalLog
    /// The time, and the identifiers of requests.
    let source: EventSource
    /// Takes the steps of traces; `nil` where requests' traces are not looked at.
    let spans: (any SpanRecorder)?
    let log: Logger

    /// An answer, and what the log tells of it.
    struct Answer {
        let handler: GatewayCounters.Handler
        var response: Response
        /// Why nothing was done; `nil` for an answer with status 200.
        var refusal: String?
    }

    package func respond(to request: Request, context: Context) async -> Response {
        let requestID = source.makeID()
        let started = ContinuousClock.now
        let answer = await answerInTrace(request, context, requestID: requestID)
        let status = answer.response.status.code
        counters.record(answer.handler, status: status)
        if let reason = answer.refusal {
            refusals.report(
                RefusedRequest(
                    method: request.method.rawValue, target: request.head.path, status: status, reason: reason, peer: context.peer))
        }
        log.debug(
            "Request answered",
            metadata: [
                "method": "\(request.method)", "path": "\(LoggedText.escaping(request.head.path ?? "/"))", "status": "\(status)",
                "handler": "\(answer.handler.rawValue)", "request_id": "\(requestID)", "duration": "\(ContinuousClock.now - started)",
            ])
        return answer.response
    }

    /// As a step in the trace that the request says it belongs to; as any other if it says none, or what is none.
    private func answerInTrace(_ request: Request, _ context: Context, requestID: String) async -> Answer {
        guard let spans, let above = TraceParent(request.headers) else {
            return await answer(request, context, requestID: requestID)
        }
        let (step, began) = (TraceContext(below: above, recorder: spans), spans.nowNanoseconds)
        let answer = await TraceContext.$current.withValue(step) { await self.answer(request, context, requestID: requestID) }
        let status = answer.response.status.code
        step.ended(
            answer.handler.rawValue, .server, below: above, began: began,
            attributes: [("http.request.method", request.method.rawValue), ("http.response.status_code", "\(status)")],
            failure: status >= 500 ? "status \(status)" : nil)
        return answer
    }

    private func answer(_ request: Request, _ context: Context, requestID: String) async -> Answer {
        var context = context
        do throws(RouteError) { context.caller = try caller(of: request) } catch {
            return Answer(handler: .unmatched, response: Self.response(error, requestID), refusal: error.reason)
        }
        let target = request.head.path ?? "/"
        let path = target.prefix { $0 != "?" }
        if path == "/", request.method == .post, let target = request.headers[.amazonTarget] {
            return await answer(request, context, target: target, requestID: requestID)
        }
        if isQueueForm(request, path: path) { return await answerQueueForm(request, context, path: path, requestID: requestID) }
        let query = target.utf8.count > path.utf8.count ? target.dropFirst(path.count + 1) : nil
        if TopicRulesCall.isSigned(request) {
            if let call = ThingsCall(request.method, path: path) { return await answer(request, context, call, query: query, requestID) }
            return await answer(request, context, TopicRulesCall(request.method, path: path), path: path, query: query, requestID)
        }
        let isDataPlane = DataPlaneCall.isSigned(request)
        if !isDataPlane, let page = page(for: request, path: path) { return Answer(handler: .page, response: page.answer(request.head)) }
        if isDataPlane || isUnroutedPublish(request, path: path) {
            guard isDataPlane || !isClosed else { return await route(request, context, path: path, requestID: requestID) }
            return await answer(request, context, DataPlaneCall(request.method, path: path), path: path, query: query, requestID)
        }
        var answer = await route(request, context, path: path, requestID: requestID)
        if let origin = request.headers[.origin], let policy = routes.value.crossOriginPolicy(path: path) {
            answer.response.headers.append(contentsOf: policy.fields(for: origin))
        }
        return answer
    }

    /// The file that is asked for at a path that no route has.
    private func page(for request: Request, path: Substring) -> PageFile? {
        guard request.method == .get || request.method == .head, let page = pages.value.file(at: path) else { return nil }
        guard case .none = routes.value.match(method: request.method.rawValue, path: path) else { return nil }
        return page
    }

    private func route(_ request: Request, _ context: Context, path: Substring, requestID: String) async -> Answer {
        let table = routes.value
        let target = request.head.path ?? "/"
        var handler = GatewayCounters.Handler.unmatched
        do throws(RouteError) {
            if isClosed { throw .authenticationRequired }
            if let preflight = Self.preflight(request, table, path) {
                return Answer(handler: .route, response: Self.response(preflight, requestID))
            }
            var unfinished = try begin(request, context, table, path)
            switch table.match(method: request.method.rawValue, path: path) {
            case .none:
                if unfinished.isSigned { try Self.check(unfinished, try await body(of: request)) }
                if webSocketPath.map({ path == $0 }) ?? false { throw .upgradeRequired }
                throw table.isREST ? .missingAuthenticationToken : .notFound
            case .malformedPath: throw .malformedPath
            case .route(let route, let parameters):
                handler = .route
                if case .unserved(let service) = route.work { throw .notServed(service) }
                let query = target.utf8.count > path.utf8.count ? target.dropFirst(path.count + 1) : nil
                let tokenCaller = try authorizedCaller(of: request, for: route, query: query)
                if let tokenCaller { unfinished.shown = tokenCaller }
                let body = try await body(of: request)
                try Self.authorize(request, path: path, isREST: route.route.isREST, by: unfinished, body)
                var parts = try read(request, body, for: route, query: query, parameters, requestID, context.sourceAddress)
                parts.claims = tokenCaller?.claims
                let services = RouteServices(events: events, queues: queues)
                return Answer(handler: handler, response: Self.response(try await services.answer(route, parts), requestID))
            }
        } catch {
            return Answer(handler: handler, response: Self.response(error, requestID), refusal: error.reason)
        }
    }

    /// What a page's question before its request is answered, which nobody signs; `nil` for what is none, and what a route takes itself.
    private static func preflight(_ request: Request, _ table: RouteTable, _ path: Substring) -> RouteAnswer? {
        guard request.method == .options, case .none = table.match(method: request.method.rawValue, path: path) else { return nil }
        return table.crossOriginPolicy(path: path)?.preflight(request)
    }

    // MARK: - Callers

    /// Who shows a token to the listener; `nil` where a route's authorizer judges the request, or nobody does.
    private func caller(of request: Request) throws(RouteError) -> TokenCaller? {
        let path = (request.head.path ?? "/").prefix { $0 != "?" }
        if routes.value.judgesCallers(of: request, path: path), request.headers[.amazonTarget] == nil { return nil }
        if callers.judges(request) { return nil }
        return try callerTokens.caller(of: request)
    }

    /// Who shows a token to a route's authorizer; `nil` for a route without one.
    private func authorizedCaller(of request: Request, for route: CompiledRoute, query: Substring?) throws(RouteError) -> TokenCaller? {
        guard let authorizer = route.route.authorizer else { return nil }
        return try callerTokens.caller(of: request, for: authorizer) { name in QueryParameters(query)[name] }
    }

    private var callerTokens: CallerTokens {
        CallerTokens(tokens: tokens.value, anonymous: callers.anonymous, now: source.nowMilliseconds() / 1_000)
    }

    /// Whether nobody is ever let in.
    private var isClosed: Bool { callers.isClosed && tokens.value.taken.isEmpty }

    /// Looks at who asks for a route, before the body; for one with an authorizer that judges, at a signature alone.
    private func begin(
        _ request: Request, _ context: Context, _ table: RouteTable, _ path: Substring
    ) throws(RouteError) -> CallerCheck.Unfinished {
        let isJudged = !tokens.value.taken.isEmpty && table.judgesCallers(of: request, path: path)
        if isJudged, !callers.judges(request) { return callers.unproved(from: context.sourceAddress) }
        do throws(SignatureFailure) {
            return try callers.begin(request, for: "execute-api", shown: context.caller, from: context.sourceAddress)
        } catch {
            throw .signature(error)
        }
    }

    // MARK: - AWS JSON protocol

    /// Answers a call of `PREFIX.OPERATION`, by the service that has the prefix.
    private func answer(_ request: Request, _ context: Context, target: String, requestID: String) async -> Answer {
        // What an API allows the pages of others to send to its routes is not meant for the services.
        guard !request.isFromPage else {
            let response = Self.response(Self.fromPage, EventsService.mediaType, requestID)
            return Answer(handler: .unmatched, response: response, refusal: "\(Self.fromPage.code): \(Self.fromPage.message)")
        }
        let prefix = target.prefix { $0 != "." }
        let operation = target.dropFirst(prefix.count + 1)
        switch prefix {
        case EventsService.prefix[...]: return await answer(request, context, operation, by: events, requestID)
        case QueuesService.prefix[...]: return await answer(request, context, operation, by: queues, requestID)
        default:
            var error = ServiceError.unknownOperation(target)
            do throws(ServiceError) { _ = try begin(request, context, for: nil) } catch let refusal { error = refusal }
            return Answer(
                handler: .unmatched, response: Self.response(error, EventsService.mediaType, requestID), refusal: error.reason)
        }
    }

    private func answer<Service: JSONService>(
        _ request: Request, _ context: Context, _ operation: Substring, by service: Service, _ requestID: String
    ) async -> Answer {
        let handler = Service.handler(of: operation)
        do throws(ServiceError) {
            let unfinished = try begin(request, context, for: Service.signingName)
            let body = try await service.answer(
                operation, request, by: unfinished, context.departure, bodySecondsMax: limits.httpBodySecondsMax)
            return Answer(handler: handler, response: Self.response(.ok, Service.mediaType, body, requestID))
        } catch {
            let named = Service.hasOlderNames ? error.withOlderName : error
            return Answer(handler: handler, response: Self.response(named, Service.mediaType, requestID), refusal: error.reason)
        }
    }

    /// Looks at who calls a service, before the body.
    func begin(_ request: Request, _ context: Context, for service: String?) throws(ServiceError) -> CallerCheck.Unfinished {
        if isClosed { throw Self.closed }
        let unfinished: CallerCheck.Unfinished
        do throws(SignatureFailure) {
            unfinished = try callers.begin(request, for: service, shown: context.caller, from: context.sourceAddress)
        } catch {
            throw ServiceError(error)
        }
        if let refusal = foreignHost(request, unfinished) { throw ServiceError(.accessDenied, refusal) }
        return unfinished
    }

    // MARK: - AWS IoT

    /// Answers a call, which is nil for an operation that is not there.
    private func answer(
        _ request: Request, _ context: Context, _ call: TopicRulesCall?, path: Substring, query: Substring?, _ requestID: String
    ) async -> Answer {
        do throws(ServiceError) {
            let unfinished = try begin(request, context, for: "iot")
            guard let call else { throw .unknownOperation("\(request.method) \(path) of AWS IoT") }
            let body = try await topicRules.answer(call, request, query: query, by: unfinished)
            return Answer(handler: .topicRules, response: Self.response(.ok, Self.json, body, requestID))
        } catch {
            return Answer(handler: .topicRules, response: Self.response(error, Self.json, requestID), refusal: error.reason)
        }
    }

    /// Whether a program without a signature asks for the data plane, at a path that no route has.
    private func isUnroutedPublish(_ request: Request, path: Substring) -> Bool {
        guard !request.isFromPage, DataPlaneCall(request.method, path: path) != nil else { return false }
        if case .none = routes.value.match(method: request.method.rawValue, path: path) { return true }
        return false
    }

    /// Answers a call of the data plane, which is nil for an operation that is not there.
    private func answer(
        _ request: Request, _ context: Context, _ call: DataPlaneCall?, path: Substring, query: Substring?, _ requestID: String
    ) async -> Answer {
        do throws(DataPlaneError) {
            if isClosed { throw .forbidden(RouteError.authenticationRequired.message) }
            let unfinished: CallerCheck.Unfinished
            do throws(SignatureFailure) {
                unfinished = try callers.begin(request, for: "iotdata", shown: context.caller, from: context.sourceAddress)
            } catch {
                throw .signature(error)
            }
            if let refusal = foreignHost(request, unfinished) { throw .forbidden(refusal) }
            guard let call else { throw .unknownOperation("\(request.method) \(path)") }
            let body = try await dataPlane.answer(call, request, query: query, by: unfinished, requestID: requestID)
            return Answer(handler: .dataPlane, response: Self.response(.ok, Self.json, body, requestID))
        } catch {
            let body = AnswerDocument.object(["message": .text(error.message), "traceId": .text(requestID)]).json
            var response = Self.response(error.status, Self.json, body, requestID)
            response.headers[.amazonErrorType] = error.code
            return Answer(handler: .dataPlane, response: response, refusal: error.reason)
        }
    }

    static let fromPage = ServiceError(
        .accessDenied, "Calls of services are not taken from web pages, which send an Origin or a Sec-Fetch-Site.")

    private static let closed = ServiceError(.missingAuthenticationToken, RouteError.authenticationRequired.message)

    // MARK: - API routes

    /// Asks whether the caller may invoke the route, now that the body is there.
    private static func authorize(
        _ request: Request, path: Substring, isREST: Bool, by unfinished: CallerCheck.Unfinished, _ body: ByteBuffer
    ) throws(RouteError) {
        let caller = try check(unfinished, body)
        if caller.mayEverything { return }
        let arn = CallResource.route(isREST: isREST, method: request.method.rawValue, path: path)
        do throws(ServiceError) { try caller.require("execute-api:Invoke", on: arn) } catch {
            throw .accessDenied(error.message, reason: error.logged ?? "")
        }
    }

    @discardableResult
    private static func check(_ unfinished: CallerCheck.Unfinished, _ body: ByteBuffer) throws(RouteError) -> Caller {
        do throws(SignatureFailure) { return try unfinished.finish(body) } catch { throw .signature(error) }
    }

    /// Reads a request to its end.
    private func body(of request: Request) async throws(RouteError) -> ByteBuffer {
        do { return try await request.readBody(upTo: limits.httpBodyBytesMax, seconds: limits.httpBodySecondsMax) } catch {
            throw RouteError(error)
        }
    }

    private func read(
        _ request: Request, _ body: ByteBuffer, for route: CompiledRoute, query: Substring?, _ pathParameters: [String: String],
        _ requestID: String, _ sourceAddress: String?
    ) throws(RouteError) -> RouteRequest {
        let bytes = Array(body.readableBytesView)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformedBody("not UTF-8") }
        return RouteRequest(
            method: request.method.rawValue, path: String(request.head.path?.prefix { $0 != "?" } ?? "/"), routePath: route.path,
            isREST: route.route.isREST, authority: request.head.authority ?? "", headers: request.headers, query: query,
            pathParameters: pathParameters, body: text, json: route.readsJSONBody ? try Self.parse(bytes) : nil, requestID: requestID,
            sourceAddress: sourceAddress, timeMilliseconds: source.nowMilliseconds())
    }

    private static func parse(_ bytes: [UInt8]) throws(RouteError) -> JSONView {
        do {
            return try JSONDocument(parsing: bytes, limits: JSONLimits(bytesMax: bytes.count)).root
        } catch {
            throw .malformedBody("\(error)")
        }
    }

    // MARK: - Responses

    static func response(_ error: ServiceError, _ mediaType: String, _ requestID: String) -> Response {
        let body = JSONText.object(["__type": error.type, "message": error.message])
        var response = response(error.status, mediaType, body, requestID)
        response.headers[.amazonErrorType] = error.code
        if let code = error.olderCode { response.headers[.amazonQueryError] = "\(code);Sender" }
        return response
    }

    private static func response(_ answer: RouteAnswer, _ requestID: String) -> Response {
        var response = response(HTTPResponse.Status(code: answer.status), answer.mediaType, answer.body, requestID)
        for field in answer.headers { response.headers[field.name] = field.value }
        // RFC 9110, section 8.6: no length where there is no body.
        if answer.status == 204 { response.headers[.contentLength] = nil }
        return response
    }

    private static func response(_ error: RouteError, _ requestID: String) -> Response {
        var response = response(error.status, json, JSONText.object(["message": error.message]), requestID)
        if let code = error.code { response.headers[.amazonErrorType] = code }
        if let challenge = error.challenge { response.headers[.wwwAuthenticate] = challenge }
        if error == .upgradeRequired {
            response.headers[.upgrade] = "websocket"  // RFC 9110, section 15.5.22
            response.headers[.secWebSocketVersion] = "13"  // RFC 6455, section 4.4
        }
        return response
    }

    static let json = "application/json"

    static func response(
        _ status: HTTPResponse.Status, _ mediaType: String, _ body: [UInt8], _ requestID: String
    ) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = mediaType
        headers[.contentLength] = String(body.count)
        headers[.amazonRequestID] = requestID
        headers[.contentTypeOptions] = "nosniff"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
