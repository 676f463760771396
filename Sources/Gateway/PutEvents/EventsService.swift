import BrokerCore
import EventBus

/// EventBridge's API.
struct EventsService: JSONService {
    enum Operation: String { case putEvents = "PutEvents" }

    static let prefix = "AWSEvents"
    static let mediaType = "application/x-amz-json-1.1"
    static let handler = GatewayCounters.Handler.putEvents

    let limits: GatewayLimits
    let broker: any BrokerAccess
    let delivery: RuleDelivery

    var bodyBytesMax: Int { limits.putEventsBodyBytesMax }

    func error(_ error: BodyReadError) -> ServiceError {
        // The service measures entries, not bodies; a body this long cannot hold entries within its limit.
        if case .tooLong = error { return ServiceError(PutEventsError.tooLarge) }
        return ServiceError(error)
    }

    func perform(_ operation: Operation, _ call: ServiceCall) async throws(ServiceError) -> [UInt8] {
        switch operation {
        case .putEvents:
            let request = try PutEventsRequest(parsing: call.body, limits: limits)
            do throws(PutEventsError) { return PutEventsAnswer(results: try await put(request.entries)).json } catch {
                throw ServiceError(error)
            }
        }
    }

    /// Puts events; returns when everything that they caused has been published and sent, in order.
    func put(_ entries: [PutEventsEntry]) async throws(PutEventsError) -> [PutEventsResult] {
        let (results, messages) = try delivery.putEvents(entries)
        if !messages.isEmpty { await broker.publish(messages) }
        return results
    }
}

extension ServiceError { init(_ error: PutEventsError) { self.init(.validation, error.message) } }
