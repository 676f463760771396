import BrokerCore
import EventBus
import HTTPExchange
package import Hummingbird
import Logging
import NIOCore
import Rules

/// Answers every request of a listener for programs: PutEvents in the AWS JSON protocol at `POST /`, API routes everywhere else.
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
    let broker: any BrokerAccess
    let engine: EventEngine
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
        let response: Response
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
        let target = request.head.path ?? "/"
        let path = target.prefix { $0 != "?" }
        if path == "/", request.method == .post, let operation = request.headers[.amazonTarget] {
            do throws(ServiceError) {
                let answer = try await perform(operation, request)
                return Answer(handler: .putEvents, response: Self.response(.ok, .amazonJSON, answer.json, requestID))
            } catch {
                let text = "\(error.code.rawValue): \(error.message)"
                return Answer(handler: .putEvents, response: Self.response(error, requestID), refusal: text)
            }
        }
        var handler = GatewayCounters.Handler.unmatched
        do throws(RouteError) {
            guard anonymous else { throw .authenticationRequired }
            switch routes.value.match(method: request.method.rawValue, path: path) {
            case .none: throw webSocketPath.map { path == $0 } ?? false ? .upgradeRequired : .notFound
            case .malformedPath: throw .malformedPath
            case .route(let route, let parameters):
                handler = .route
                let query = target.utf8.count > path.utf8.count ? target.dropFirst(path.count + 1) : nil
                let answer = try await put(
                    request, by: route, query: query, pathParameters: parameters, requestID: requestID,
                    sourceAddress: context.sourceAddress)
                return Answer(handler: handler, response: Self.response(.ok, .json, answer.json, requestID))
            }
        } catch {
            return Answer(handler: handler, response: Self.response(error, requestID), refusal: error.message)
        }
    }

    // MARK: - AWS JSON protocol

    private func perform(_ operation: String, _ request: Request) async throws(ServiceError) -> PutEventsAnswer {
        guard anonymous else {
            throw ServiceError(
                .missingAuthenticationToken,
                "Crema cannot check request signatures yet. Only a listener that says `anonymous: true` takes requests.")
        }
        guard operation == "AWSEvents.PutEvents" else {
            throw ServiceError(.unknownOperation, "The operation \(operation) is not supported by Crema; AWSEvents.PutEvents is.")
        }
        let contentType = request.headers[.contentType] ?? ""
        guard contentType.lowercased().prefix(while: { $0 != ";" && $0 != " " }) == "application/x-amz-json-1.1" else {
            throw ServiceError(.unsupportedMediaType, "Content-Type must be application/x-amz-json-1.1, not '\(contentType)'.")
        }
        let body: ByteBuffer
        do {
            body = try await request.readBody(upTo: limits.putEventsBodyBytesMax, seconds: limits.httpBodySecondsMax)
        } catch {
            throw ServiceError(error)
        }
        let call = try PutEventsRequest(parsing: Array(body.readableBytesView), limits: limits)
        do {
            return PutEventsAnswer(results: try await put(call.entries))
        } catch {
            throw ServiceError(error)
        }
    }

    private func put(_ entries: [PutEventsEntry]) async throws(PutEventsError) -> [PutEventsResult] {
        let outcome = try engine.putEvents(entries)
        if !outcome.messages.isEmpty { await broker.publish(outcome.messages) }
        return outcome.results
    }

    // MARK: - API routes

    /// Puts the one event of a route.
    ///
    /// API Gateway answers 200 also when EventBridge took no event. Here that is a 4xx with the reason: nobody reads `FailedEntryCount`.
    private func put(
        _ request: Request, by route: EventRoute, query: Substring?, pathParameters: [String: String], requestID: String,
        sourceAddress: String?
    ) async throws(RouteError) -> PutEventsAnswer {
        let body: ByteBuffer
        do {
            body = try await request.readBody(upTo: limits.httpBodyBytesMax, seconds: limits.httpBodySecondsMax)
        } catch {
            throw RouteError(error)
        }
        let bytes = Array(body.readableBytesView)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformedBody("not UTF-8") }
        let parts = RouteRequest(
            method: request.method.rawValue, path: String(request.head.path?.prefix { $0 != "?" } ?? "/"), routePath: route.path,
            headers: request.headers, query: query, pathParameters: pathParameters, body: text,
            json: route.readsJSONBody ? try Self.parse(bytes) : nil, requestID: requestID, sourceAddress: sourceAddress,
            timeMilliseconds: source.nowMilliseconds())
        let entry = try route.entry(for: parts)
        let results: [PutEventsResult]
        do {
            results = try await put([entry])
        } catch {
            throw .eventRefused(code: error.code, message: error.message)
        }
        if case .failed(let code, let message)? = results.first { throw .eventRefused(code: code, message: message) }
        return PutEventsAnswer(results: results)
    }

    private static func parse(_ bytes: [UInt8]) throws(RouteError) -> JSONView {
        do {
            return try JSONDocument(parsing: bytes, limits: JSONLimits(bytesMax: bytes.count)).root
        } catch {
            throw .malformedBody("\(error)")
        }
    }

    // MARK: - Responses

    private static func response(_ error: ServiceError, _ requestID: String) -> Response {
        let body = JSONText.object(["__type": error.code.rawValue, "message": error.message])
        var response = response(error.status, .amazonJSON, body, requestID)
        response.headers[.amazonErrorType] = error.code.rawValue
        return response
    }

    private static func response(_ error: RouteError, _ requestID: String) -> Response {
        var response = response(error.status, .json, JSONText.object(["message": error.message]), requestID)
        if error == .upgradeRequired {
            response.headers[.upgrade] = "websocket"  // RFC 9110, section 15.5.22
            response.headers[.secWebSocketVersion] = "13"  // RFC 6455, section 4.4
        }
        return response
    }

    private enum MediaType: String {
        case json = "application/json"
        case amazonJSON = "application/x-amz-json-1.1"
    }

    private static func response(
        _ status: HTTPResponse.Status, _ type: MediaType, _ body: [UInt8], _ requestID: String
    ) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = type.rawValue
        headers[.contentLength] = String(body.count)
        headers[.amazonRequestID] = requestID
        headers[.contentTypeOptions] = "nosniff"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
