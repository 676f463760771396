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

    private static let origin = "http://127.0.0.1"

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

    /// In the queues' JSON protocol, or as a form with what the integration puts into the query.
    private func send(
        _ route: MappedRoute, _ queue: String?, _ body: [UInt8], _ request: RouteRequest
    ) async throws(ServiceError) -> ServiceResult {
        var query: [(name: String, value: String)] = []
        var isForm = queue != nil
        for (target, source) in route.integration.requestParameters {
            switch target {
            case .header("content-type"): isForm = source == .constant("application/x-www-form-urlencoded")
            case .header: break
            case .queryString(let name):
                isForm = true
                if let value = request.mapped(source) { query.append((name, value)) }
            }
        }
        guard isForm else {
            let answer = try await queues.perform(.sendMessage, ServiceCall(body: body, origin: Self.origin))
            return ServiceResult(status: 200, mediaType: QueuesService.mediaType, body: answer)
        }
        // With fields in the query alone, the body that passed through is no form.
        let written = query.isEmpty || !route.requestTemplates.isEmpty ? String(decoding: body, as: UTF8.self) : ""
        var form = try QueryForm(parsing: written[...], fieldsMax: queues.formFieldsMax)
        for (name, value) in query { form.set(name, value) }
        if let action = form["Action"], action != QueuesService.Operation.sendMessage.rawValue {
            throw .unknownOperation("\(QueuesService.prefix).\(action)")
        }
        if let queue {
            // The integration names the queue, and whoever calls the route has no say in it.
            if let url = form["QueueUrl"], QueueName(url: url) != QueueName(url: queue) {
                throw ServiceError(.invalid(QueryForm.shown(url), "QueueUrl", "The route goes to another queue."))
            }
            form.set("QueueUrl", queue)
        }
        let call = ServiceCall(body: try QueueFormReader(operation: .sendMessage).json(form), origin: Self.origin)
        let answer = try await queues.perform(.sendMessage, call)
        let text = #"{"SendMessageResponse":{"ResponseMetadata":{"RequestId":"\#(request.requestID)"},"SendMessageResult":"#
        return ServiceResult(status: 200, mediaType: "application/json", body: Array(text.utf8) + answer + Array("}}".utf8))
    }
}
