import BrokerCore
import Documents
import EventBus
import HTTPExchange
package import Hummingbird
import Logging
import NIOCore
import Rules

/// Answers every request of a listener for programs: AWS services in their JSON protocol at `POST /`, AWS IoT's APIs for topic rules and for
/// messages at their paths, API routes everywhere else.
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
    /// Whether the listener takes unsigned requests.
    ///
    /// A signature that comes all the same is not looked at: AWS SDKs always sign.
    let anonymous: Bool
    let tokens: CurrentTokens
    let events: EventsService
    let queues: QueuesService
    let topicRules: TopicRulesService
    let dataPlane: DataPlaneService
    /// Where the listener serves MQTT over WebSocket.
    let webSocketPath: String?
    let counters: GatewayCounters
    let refusals: RefusalLog
    /// The time, and the identifiers of requests.
    let source: EventSource
    let log: Logger

    /// An answer, and what the log tells of it.
    private struct Answer {
        let handler: GatewayCounters.Handler
        var response: Response
        /// Why nothing was done; `nil` for an answer with status 200.
        var refusal: String?
    }

    package func respond(to request: Request, context: Context) async -> Response {
        let requestID = source.makeID()
        let started = ContinuousClock.now
        let answer = await answer(request, context, requestID: requestID)
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
        let query = target.utf8.count > path.utf8.count ? target.dropFirst(path.count + 1) : nil
        if TopicRulesCall.isSigned(request) {
            return await answer(request, context, TopicRulesCall(request.method, path: path), path: path, query: query, requestID)
        }
        let isDataPlane = DataPlaneCall.isSigned(request)
        if isDataPlane || isUnroutedPublish(request, path: path) {
            guard isDataPlane || anonymous else { return await route(request, context, path: path, requestID: requestID) }
            return await answer(request, DataPlaneCall(request.method, path: path), path: path, query: query, requestID)
        }
        var answer = await route(request, context, path: path, requestID: requestID)
        if let origin = request.headers[.origin], let policy = routes.value.crossOriginPolicy(path: path) {
            answer.response.headers.append(contentsOf: policy.fields(for: origin))
        }
        return answer
    }

    private func route(_ request: Request, _ context: Context, path: Substring, requestID: String) async -> Answer {
        let table = routes.value
        let target = request.head.path ?? "/"
        var handler = GatewayCounters.Handler.unmatched
        do throws(RouteError) {
            let isOpen = isAdmitted(context) || !tokens.value.taken.isEmpty && table.judgesCallers(of: request, path: path)
            guard isOpen else { throw .authenticationRequired }
            switch table.match(method: request.method.rawValue, path: path) {
            case .none:
                if let preflight = table.crossOriginPolicy(path: path)?.preflight(request) {
                    return Answer(handler: .route, response: Self.response(preflight, requestID))
                }
                if webSocketPath.map({ path == $0 }) ?? false { throw .upgradeRequired }
                if Self.isQueryCall(request, path: path) { throw .queryProtocol }
                throw table.isREST ? .missingAuthenticationToken : .notFound
            case .malformedPath: throw .malformedPath
            case .route(let route, let parameters):
                handler = .route
                if case .unserved(let service) = route.work { throw .notServed(service) }
                let query = target.utf8.count > path.utf8.count ? target.dropFirst(path.count + 1) : nil
                let caller = try authorizedCaller(of: request, for: route, query: query)
                var parts = try await read(request, for: route, query: query, parameters, requestID, context.sourceAddress)
                parts.claims = caller?.claims
                let services = RouteServices(events: events, queues: queues)
                return Answer(handler: handler, response: Self.response(try await services.answer(route, parts), requestID))
            }
        } catch {
            return Answer(handler: handler, response: Self.response(error, requestID), refusal: error.reason)
        }
    }

    /// Whether a form is posted to where older SDKs post theirs: to the service, or to the queue's own URL.
    private static func isQueryCall(_ request: Request, path: Substring) -> Bool {
        let form = "application/x-www-form-urlencoded"
        guard request.method == .post, request.headers[.contentType]?.lowercased().hasPrefix(form) ?? false else { return false }
        let parts = path.split(separator: "/")
        let isQueue =
            parts.count == 2 && parts[0].utf8.count == 12 && parts[0].utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        return parts.isEmpty || isQueue
    }

    // MARK: - Callers

    /// Who shows a token to the listener; `nil` where a route's authorizer judges the request, or nobody does.
    private func caller(of request: Request) throws(RouteError) -> TokenCaller? {
        let path = (request.head.path ?? "/").prefix { $0 != "?" }
        if routes.value.judgesCallers(of: request, path: path), request.headers[.amazonTarget] == nil { return nil }
        return try callerTokens.caller(of: request)
    }

    /// Who shows a token to a route's authorizer; `nil` for a route without one.
    private func authorizedCaller(of request: Request, for route: CompiledRoute, query: Substring?) throws(RouteError) -> TokenCaller? {
        guard let authorizer = route.route.authorizer else { return nil }
        return try callerTokens.caller(of: request, for: authorizer) { name in QueryParameters(query)[name] }
    }

    private var callerTokens: CallerTokens {
        CallerTokens(tokens: tokens.value, anonymous: anonymous, now: source.nowMilliseconds() / 1_000)
    }

    /// Whether the listener takes the request, as far as no signature is needed for that.
    private func isAdmitted(_ context: Context) -> Bool { anonymous || context.caller != nil }

    // MARK: - AWS JSON protocol

    /// Answers a call of `PREFIX.OPERATION`, by the service that has the prefix.
    private func answer(_ request: Request, _ context: Context, target: String, requestID: String) async -> Answer {
        // What an API allows the pages of others to send to its routes is not meant for the services.
        guard request.headers[.origin] == nil else {
            let response = Self.response(Self.fromPage, EventsService.mediaType, requestID)
            return Answer(handler: .unmatched, response: response, refusal: "\(Self.fromPage.code): \(Self.fromPage.message)")
        }
        let prefix = target.prefix { $0 != "." }
        let operation = target.dropFirst(prefix.count + 1)
        switch prefix {
        case EventsService.prefix[...]: return await answer(request, context, operation, by: events, requestID)
        case QueuesService.prefix[...]: return await answer(request, context, operation, by: queues, requestID)
        default:
            let error = isAdmitted(context) ? ServiceError.unknownOperation(target) : Self.unsigned
            return Answer(
                handler: .unmatched, response: Self.response(error, EventsService.mediaType, requestID),
                refusal: "\(error.code): \(error.message)")
        }
    }

    private func answer<Service: JSONService>(
        _ request: Request, _ context: Context, _ operation: Substring, by service: Service, _ requestID: String
    ) async -> Answer {
        let handler = Service.handler(of: operation)
        do throws(ServiceError) {
            guard isAdmitted(context) else { throw Self.unsigned }
            let body = try await service.answer(operation, request, context.departure, bodySecondsMax: limits.httpBodySecondsMax)
            return Answer(handler: handler, response: Self.response(.ok, Service.mediaType, body, requestID))
        } catch {
            let text = "\(error.code): \(error.message)"
            return Answer(handler: handler, response: Self.response(error, Service.mediaType, requestID), refusal: text)
        }
    }

    // MARK: - AWS IoT

    /// Answers a call, which is nil for an operation that is not there.
    private func answer(
        _ request: Request, _ context: Context, _ call: TopicRulesCall?, path: Substring, query: Substring?, _ requestID: String
    ) async -> Answer {
        do throws(ServiceError) {
            guard isAdmitted(context) else { throw Self.unsigned }
            guard let call else { throw .unknownOperation("\(request.method) \(path) of AWS IoT") }
            let body = try await topicRules.answer(call, request, query: query)
            return Answer(handler: .topicRules, response: Self.response(.ok, Self.json, body, requestID))
        } catch {
            let text = "\(error.code): \(error.message)"
            return Answer(handler: .topicRules, response: Self.response(error, Self.json, requestID), refusal: text)
        }
    }

    /// Whether a program without a signature asks for the data plane, at a path that no route has.
    private func isUnroutedPublish(_ request: Request, path: Substring) -> Bool {
        guard request.headers[.origin] == nil, DataPlaneCall(request.method, path: path) != nil else { return false }
        if case .none = routes.value.match(method: request.method.rawValue, path: path) { return true }
        return false
    }

    /// Answers a call of the data plane, which is nil for an operation that is not there.
    private func answer(
        _ request: Request, _ call: DataPlaneCall?, path: Substring, query: Substring?, _ requestID: String
    ) async -> Answer {
        do throws(DataPlaneError) {
            guard anonymous else { throw .unsigned }
            guard let call else { throw .unknownOperation("\(request.method) \(path)") }
            let body = try await dataPlane.answer(call, request, query: query, requestID: requestID)
            return Answer(handler: .dataPlane, response: Self.response(.ok, Self.json, body, requestID))
        } catch {
            let body = AnswerDocument.object(["message": .text(error.message), "traceId": .text(requestID)]).json
            var response = Self.response(error.status, Self.json, body, requestID)
            response.headers[.amazonErrorType] = error.code
            return Answer(handler: .dataPlane, response: response, refusal: "\(error.code): \(error.message)")
        }
    }

    private static let fromPage = ServiceError(
        .accessDenied, "Calls of services are not taken from web pages, which send an Origin: Crema cannot check request signatures yet.")

    private static let unsigned = ServiceError(
        .missingAuthenticationToken,
        "Crema cannot check request signatures yet. Only a listener that says `anonymous: true` takes requests.")

    // MARK: - API routes

    /// Reads a request to its end.
    private func read(
        _ request: Request, for route: CompiledRoute, query: Substring?, _ pathParameters: [String: String], _ requestID: String,
        _ sourceAddress: String?
    ) async throws(RouteError) -> RouteRequest {
        let body: ByteBuffer
        do {
            body = try await request.readBody(upTo: limits.httpBodyBytesMax, seconds: limits.httpBodySecondsMax)
        } catch {
            throw RouteError(error)
        }
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

    private static func response(_ error: ServiceError, _ mediaType: String, _ requestID: String) -> Response {
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
        if let challenge = error.challenge { response.headers[.wwwAuthenticate] = challenge }
        if error == .missingAuthenticationToken { response.headers[.amazonErrorType] = "MissingAuthenticationTokenException" }
        if error == .upgradeRequired {
            response.headers[.upgrade] = "websocket"  // RFC 9110, section 15.5.22
            response.headers[.secWebSocketVersion] = "13"  // RFC 6455, section 4.4
        }
        return response
    }

    private static let json = "application/json"

    private static func response(
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
