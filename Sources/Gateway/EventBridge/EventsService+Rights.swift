import EventBus
import Rules

/// What a caller must be allowed for each operation.
extension EventsService {
    /// Asks the door before anything is done or told.
    ///
    /// What the body does not say stands for nothing that a policy names, so that only a caller who may everything is told what is missing.
    func authorize(_ operation: Operation, _ call: ServiceCall) throws(ServiceError) {
        guard let caller = call.caller, !caller.mayEverything, operation != .putEvents else { return }
        for resource in Self.resources(of: operation, CallMembers(call.body)) {
            let arn = resource.hasPrefix("arn:") ? resource : CallResource.arn(Self.signingName, resource)
            try caller.require("\(Self.signingName):\(operation.rawValue)", on: arn)
        }
    }

    /// Each bus of the entries, each once: a request with one that the caller may not write to puts nothing.
    func authorize(_ entries: [PutEventsEntry], _ caller: Caller?) throws(ServiceError) {
        guard let caller, !caller.mayEverything else { return }
        var asked: Set<String> = []
        for entry in entries {
            let bus = ResourceSet.busName(inReference: entry.eventBusName)
            guard asked.insert(bus).inserted else { continue }
            try caller.require("events:PutEvents", on: CallResource.arn(Self.signingName, "event-bus/\(bus)"))
        }
        // An empty request is no way to find out what is there.
        if asked.isEmpty { try caller.require("events:PutEvents", on: CallResource.arn(Self.signingName, "event-bus/default")) }
    }

    /// What follows the account in the ARNs, or whole ARNs; a list is asked for under `*`.
    private static func resources(of operation: Operation, _ body: CallMembers) -> [String] {
        switch operation {
        case .putEvents: []
        case .putRule, .deleteRule, .describeRule, .enableRule, .disableRule: [rule("Name", body)]
        case .putTargets, .removeTargets, .listTargetsByRule: [rule("Rule", body)]
        case .listRules, .listRuleNamesByTarget, .testEventPattern: ["rule/*"]
        case .createEventBus, .deleteEventBus, .describeEventBus, .updateEventBus:
            ["event-bus/\(ResourceSet.busName(inReference: body["Name"]))"]
        case .listEventBuses: ["event-bus/*"]
        case .putPermission, .removePermission: ["event-bus/\(ResourceSet.busName(inReference: body["EventBusName"]))"]
        case .tagResource, .untagResource, .listTagsForResource: [ResourceSet.plainARN(body.text("ResourceARN"))]
        case .createArchive:
            ["archive/\(body.text("ArchiveName"))", "event-bus/\(lastName(in: body.text("EventSourceArn"), after: ":event-bus/"))"]
        case .updateArchive, .deleteArchive, .describeArchive: ["archive/\(body.text("ArchiveName"))"]
        case .listArchives: ["archive/*"]
        case .startReplay:
            ["replay/\(body.text("ReplayName"))", "archive/\(lastName(in: body.text("EventSourceArn"), after: ":archive/"))"]
        case .cancelReplay, .describeReplay: ["replay/\(body.text("ReplayName"))"]
        case .listReplays: ["replay/*"]
        case .createConnection, .updateConnection, .deauthorizeConnection, .deleteConnection, .describeConnection:
            ["connection/\(body.text("Name"))"]
        case .listConnections: ["connection/*"]
        case .createAPIDestination, .updateAPIDestination, .deleteAPIDestination, .describeAPIDestination:
            ["api-destination/\(body.text("Name"))"]
        case .listAPIDestinations: ["api-destination/*"]
        }
    }

    /// A rule of the default bus is called by its name alone.
    private static func rule(_ member: String, _ body: CallMembers) -> String {
        let bus = ResourceSet.busName(inReference: body["EventBusName"])
        return bus == ResourceSet.defaultBusName ? "rule/\(body.text(member))" : "rule/\(bus)/\(body.text(member))"
    }
}

/// The texts of a call's body, as far as they name what it is about.
struct CallMembers {
    private let body: JSONView?

    init(_ bytes: [UInt8]) {
        body = try? JSONDocument(parsing: bytes.isEmpty ? Array("{}".utf8) : bytes, limits: JSONLimits(bytesMax: max(2, bytes.count))).root
    }

    subscript(name: String) -> String? { body?[name]?.stringValue }

    func text(_ name: String) -> String { self[name] ?? "" }
}
