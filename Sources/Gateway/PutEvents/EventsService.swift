import BrokerCore
import EventBus
import HTTPListening

/// EventBridge's API.
struct EventsService: JSONService {
    enum Operation: String {
        case putEvents = "PutEvents"
        case testEventPattern = "TestEventPattern"
        case putRule = "PutRule"
        case deleteRule = "DeleteRule"
        case describeRule = "DescribeRule"
        case listRules = "ListRules"
        case enableRule = "EnableRule"
        case disableRule = "DisableRule"
        case listRuleNamesByTarget = "ListRuleNamesByTarget"
        case putTargets = "PutTargets"
        case removeTargets = "RemoveTargets"
        case listTargetsByRule = "ListTargetsByRule"
        case createEventBus = "CreateEventBus"
        case deleteEventBus = "DeleteEventBus"
        case describeEventBus = "DescribeEventBus"
        case listEventBuses = "ListEventBuses"
        case updateEventBus = "UpdateEventBus"
        case tagResource = "TagResource"
        case untagResource = "UntagResource"
        case listTagsForResource = "ListTagsForResource"
        case createArchive = "CreateArchive"
        case updateArchive = "UpdateArchive"
        case deleteArchive = "DeleteArchive"
        case describeArchive = "DescribeArchive"
        case listArchives = "ListArchives"
        case startReplay = "StartReplay"
        case cancelReplay = "CancelReplay"
        case describeReplay = "DescribeReplay"
        case listReplays = "ListReplays"
        case createConnection = "CreateConnection"
        case updateConnection = "UpdateConnection"
        case deauthorizeConnection = "DeauthorizeConnection"
        case deleteConnection = "DeleteConnection"
        case describeConnection = "DescribeConnection"
        case listConnections = "ListConnections"
        case createAPIDestination = "CreateApiDestination"
        case updateAPIDestination = "UpdateApiDestination"
        case deleteAPIDestination = "DeleteApiDestination"
        case describeAPIDestination = "DescribeApiDestination"
        case listAPIDestinations = "ListApiDestinations"
        case putPermission = "PutPermission"
        case removePermission = "RemovePermission"

        /// Whether its answer promises something to outlive the process.
        var isKept: Bool {
            switch self {
            case .putRule, .deleteRule, .enableRule, .disableRule, .putTargets, .removeTargets, .createEventBus, .deleteEventBus,
                .updateEventBus, .tagResource, .untagResource, .createConnection, .updateConnection, .deauthorizeConnection,
                .deleteConnection, .createAPIDestination, .updateAPIDestination, .deleteAPIDestination, .putPermission, .removePermission,
                .createArchive, .updateArchive, .deleteArchive, .startReplay, .cancelReplay:
                true
            default: false
            }
        }
    }

    static let prefix = "AWSEvents"
    static let signingName = "events"
    static let mediaType = "application/x-amz-json-1.1"

    static func handler(of operation: Substring) -> GatewayCounters.Handler {
        operation == Operation.putEvents.rawValue ? .putEvents : .events
    }

    let limits: GatewayLimits
    let broker: any BrokerAccess
    let control: ControlPlane

    var bodyBytesMax: Int { limits.putEventsBodyBytesMax }

    func error(_ error: BodyReadError, _ operation: Operation) -> ServiceError {
        // The service measures entries, not bodies; a body this long cannot hold entries within its limit.
        if case .tooLong = error, operation == .putEvents { return ServiceError(PutEventsError.tooLarge) }
        return ServiceError(error)
    }

    func perform(_ operation: Operation, _ call: ServiceCall) async throws(ServiceError) -> [UInt8] {
        try authorize(operation, call)
        let answer = try await carryOut(operation, call)
        if operation.isKept {
            do throws(ControlError) { try await control.kept() } catch { throw ServiceError(error) }
        }
        return answer
    }

    private func carryOut(_ operation: Operation, _ call: ServiceCall) async throws(ServiceError) -> [UInt8] {
        switch operation {
        case .putEvents: try await putEvents(call)
        case .testEventPattern: try testEventPattern(call)
        case .putRule: try putRule(call)
        case .deleteRule: try deleteRule(call)
        case .describeRule: try describeRule(call)
        case .listRules: try listRules(call)
        case .enableRule: try setRule(call, enabled: true)
        case .disableRule: try setRule(call, enabled: false)
        case .listRuleNamesByTarget: try listRuleNamesByTarget(call)
        case .putTargets: try putTargets(call)
        case .removeTargets: try removeTargets(call)
        case .listTargetsByRule: try listTargetsByRule(call)
        case .createEventBus: try createEventBus(call)
        case .deleteEventBus: try deleteEventBus(call)
        case .describeEventBus: try describeEventBus(call)
        case .listEventBuses: try listEventBuses(call)
        case .updateEventBus: try updateEventBus(call)
        case .tagResource: try tagResource(call)
        case .untagResource: try untagResource(call)
        case .listTagsForResource: try listTagsForResource(call)
        case .createArchive: try createArchive(call)
        case .updateArchive: try updateArchive(call)
        case .deleteArchive: try deleteArchive(call)
        case .describeArchive: try describeArchive(call)
        case .listArchives: try listArchives(call)
        case .startReplay: try startReplay(call)
        case .cancelReplay: try cancelReplay(call)
        case .describeReplay: try describeReplay(call)
        case .listReplays: try listReplays(call)
        case .createConnection: try createConnection(call)
        case .updateConnection: try updateConnection(call)
        case .deauthorizeConnection: try deauthorizeConnection(call)
        case .deleteConnection: try deleteConnection(call)
        case .describeConnection: try describeConnection(call)
        case .listConnections: try listConnections(call)
        case .createAPIDestination: try createAPIDestination(call)
        case .updateAPIDestination: try updateAPIDestination(call)
        case .deleteAPIDestination: try deleteAPIDestination(call)
        case .describeAPIDestination: try describeAPIDestination(call)
        case .listAPIDestinations: try listAPIDestinations(call)
        case .putPermission: try putPermission(call)
        case .removePermission: try removePermission(call)
        }
    }

    /// The answer of an operation that has nothing to say.
    static let done = Array("{}".utf8)

    // MARK: - PutEvents

    private func putEvents(_ call: ServiceCall) async throws(ServiceError) -> [UInt8] {
        let request = try PutEventsRequest(parsing: call.body, limits: limits)
        try authorize(request.entries, call.caller)
        do throws(PutEventsError) { return PutEventsAnswer(results: try await put(request.entries)).json } catch {
            throw ServiceError(error)
        }
    }

    /// Puts events; returns when everything that they caused has been published and sent, in order, and what of it waits is kept.
    func put(_ entries: [PutEventsEntry]) async throws(PutEventsError) -> [PutEventsResult] {
        guard broker.admitsPublish() else { throw .throttled }
        let (results, messages) = try control.delivery.putEvents(entries)
        if !messages.isEmpty, await broker.publish(messages) != .kept { throw .notKept }
        do throws(ControlError) { try await control.kept() } catch { throw .notKept }
        return results
    }
}

extension ServiceError {
    init(_ error: PutEventsError) {
        let code: Code =
            switch error {
            case .notKept: .serviceUnavailable
            case .throttled: .throttling
            default: .validation
            }
        self.init(code, error.message)
    }
}
