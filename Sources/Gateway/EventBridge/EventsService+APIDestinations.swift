import EventBus

/// The operations on API destinations.
extension EventsService {
    /// In the order in which the service names them.
    private static let methods = ["HEAD", "POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS"]
    private static let requestMembers = [
        "Name", "Description", "ConnectionArn", "InvocationEndpoint", "HttpMethod", "InvocationRateLimitPerSecond",
    ]

    func createAPIDestination(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let request = try Self.destinationRequest(call, .createAPIDestination)
        for (value, name) in [
            (request.connectionARN, "connectionArn"), (request.endpoint, "invocationEndpoint"), (request.method, "httpMethod"),
        ] where value == nil { throw .constraint(nil, at: name, "Member must not be null") }
        return Self.summary(try ask { (control) throws(ControlError) in try control.createDestination(request) })
    }

    func updateAPIDestination(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let request = try Self.destinationRequest(call, .updateAPIDestination)
        return Self.summary(try ask { (control) throws(ControlError) in try control.updateDestination(request) })
    }

    func deleteAPIDestination(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.name(call, .deleteAPIDestination)
        try ask { (control) throws(ControlError) in try control.deleteDestination(name) }
        return Self.done
    }

    func describeAPIDestination(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.name(call, .describeAPIDestination)
        return Self.document(try ask { (control) throws(ControlError) in try control.destination(name) }, isWhole: true).json
    }

    func listAPIDestinations(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .listAPIDestinations, ["NamePrefix", "ConnectionArn", "Limit", "NextToken"])
        let prefix = try members.text("NamePrefix", .ruleName) ?? ""
        let connection = try members.text("ConnectionArn", .connectionARN)
        let all = try ask { (control) throws(ControlError) in try control.destinations(withPrefix: prefix) }
        let (page, next) = try Self.page(all.filter { connection == nil || connection == $0.connectionARN }, members, name: \.name)
        return AnswerDocument.object(["ApiDestinations": .list(page.map { Self.document($0) }), "NextToken": next]).json
    }

    // MARK: - What these operations need

    private static func destinationRequest(_ call: ServiceCall, _ operation: Operation) throws(ServiceError) -> APIDestinationRequest {
        let members = try members(call, operation, Self.requestMembers)
        let rate = try members.integer("InvocationRateLimitPerSecond")
        if let rate, rate < 1 {
            throw .constraint("\(rate)", at: "invocationRateLimitPerSecond", "Member must have value greater than or equal to 1")
        }
        return APIDestinationRequest(
            name: try members.required("Name", .ruleName), description: try members.text("Description", .description),
            connectionARN: try members.text("ConnectionArn", .connectionARN), endpoint: try Self.endpoint(members),
            method: try members.choice("HttpMethod", of: methods), callsPerSecond: rate)
    }

    /// Its query may hold what is secret, so no refusal has it in it.
    private static func endpoint(_ members: RequestMembers) throws(ServiceError) -> String? {
        guard let text = try members.text("InvocationEndpoint") else { return nil }
        if let refusal = MemberConstraint(1...2_048).refusal(of: text) { throw .constraint("…", at: "invocationEndpoint", refusal) }
        return text
    }

    private static func summary(_ destination: APIDestinationDescription) -> [UInt8] {
        AnswerDocument.object([
            "ApiDestinationArn": .text(destination.arn), "ApiDestinationState": .text(state(of: destination)),
            "CreationTime": .seconds(milliseconds: destination.times.created),
            "LastModifiedTime": .seconds(milliseconds: destination.times.modified),
        ]).json
    }

    private static func document(_ destination: APIDestinationDescription, isWhole: Bool = false) -> AnswerDocument {
        .object([
            "ApiDestinationArn": .text(destination.arn), "Name": .text(destination.name),
            "Description": isWhole ? destination.description.map { .text($0) } : nil,
            "ApiDestinationState": .text(state(of: destination)), "ConnectionArn": .text(destination.connectionARN),
            "InvocationEndpoint": .text(destination.endpoint), "HttpMethod": .text(destination.method),
            "InvocationRateLimitPerSecond": .number(destination.callsPerSecond),
            "CreationTime": .seconds(milliseconds: destination.times.created),
            "LastModifiedTime": .seconds(milliseconds: destination.times.modified),
        ])
    }

    private static func state(of destination: APIDestinationDescription) -> String { destination.isActive ? "ACTIVE" : "INACTIVE" }
}
