import BrokerCore
import Documents
import EventBus
import HTTPTypes
import Queues
import Rules

/// Carries out what routes ask services for.
///
/// Every call goes the way that a call of the service's own API goes.
struct RouteServices: Sendable {
    let events: EventsService
    let queues: QueuesService

    /// Carries out what a route asks for.
    func answer(_ route: CompiledRoute, _ request: RouteRequest) async throws(RouteError) -> RouteAnswer {
        switch route.work {
        case .event(let route):
            let answer = try await put(try route.entry(for: request))
            return RouteAnswer(status: 200, mediaType: "application/json", body: answer.json)
        case .message(let route):
            let body = try route.call(for: request)
            do throws(ServiceError) {
                let answer = try await queues.perform(.sendMessage, ServiceCall(body: body, origin: Self.origin))
                return RouteAnswer(status: 200, mediaType: "application/json", body: answer)
            } catch {
                throw .eventRefused(code: error.code, message: error.message)
            }
        case .mapped(let route):
            let body = try route.body(for: request)
            return try route.answer(to: request, for: try await result(of: route, body, request))
        case .unserved(let service): throw .notServed(service)
        }
    }

    static let origin = "http://127.0.0.1"

    /// Puts the one event of a route.
    ///
    /// API Gateway answers 200 also when EventBridge took no event. Here that is a 4xx with the reason: nobody reads `FailedEntryCount`.
    private func put(_ entry: PutEventsEntry) async throws(RouteError) -> PutEventsAnswer {
        let results: [PutEventsResult]
        do {
            results = try await events.put([entry])
        } catch {
            throw .eventRefused(code: error.code, message: error.message)
        }
        if case .failed(let code, let message)? = results.first { throw .eventRefused(code: code, message: message) }
        return PutEventsAnswer(results: results)
    }

    // MARK: Mapped calls

    private func result(of route: MappedRoute, _ body: [UInt8], _ request: RouteRequest) async throws(RouteError) -> ServiceResult {
        switch route.integration.action {
        case .mock:
            let document = try? JSONDocument(parsing: body, limits: JSONLimits(bytesMax: body.count)).root
            guard let status = document?["statusCode"]?.scalarText.flatMap({ Int(String(decoding: $0, as: UTF8.self)) }) else {
                throw .failed("a mock integration's template must give {\"statusCode\": NUMBER}")
            }
            return ServiceResult(status: status, mediaType: "application/json", body: [])
        case .putEvents:
            do throws(ServiceError) {
                let answer = try await events.perform(.putEvents, ServiceCall(body: body, origin: Self.origin))
                return ServiceResult(status: 200, mediaType: EventsService.mediaType, body: answer)
            } catch {
                return Self.result(error, EventsService.mediaType)
            }
        case .sendMessage(let queue):
            do throws(ServiceError) { return try await send(route, queue, body, request) } catch {
                return Self.result(error, QueuesService.mediaType)
            }
        }
    }

    private static func result(_ error: ServiceError, _ mediaType: String) -> ServiceResult {
        ServiceResult(
            status: error.status.code, mediaType: mediaType, body: JSONText.object(["__type": error.type, "message": error.message]))
    }
}
