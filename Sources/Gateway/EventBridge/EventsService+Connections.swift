import EventBus

/// The operations on connections.
///
/// What is secret is in no answer and in no refusal.
extension EventsService {
    private static let types = ["BASIC", "OAUTH_CLIENT_CREDENTIALS", "API_KEY"]
    private static let states = [
        "CREATING", "UPDATING", "DELETING", "AUTHORIZED", "DEAUTHORIZED", "AUTHORIZING", "DEAUTHORIZING", "ACTIVE", "FAILED_CONNECTIVITY",
    ]
    private static let requestMembers = ["Name", "Description", "AuthorizationType", "AuthParameters"]

    func createConnection(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let request = try Self.connectionRequest(call, .createConnection)
        guard request.authorizationType != nil else { throw .constraint(nil, at: "authorizationType", "Member must not be null") }
        guard request.parameters != nil else { throw .constraint(nil, at: "authParameters", "Member must not be null") }
        let connection = try ask { (control) throws(ControlError) in try control.createConnection(request) }
        return Self.summary(connection, isNew: true)
    }

    func updateConnection(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let request = try Self.connectionRequest(call, .updateConnection)
        return Self.summary(try ask { (control) throws(ControlError) in try control.updateConnection(request) })
    }

    func deauthorizeConnection(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.name(call, .deauthorizeConnection)
        return Self.summary(try ask { (control) throws(ControlError) in try control.deauthorizeConnection(name) })
    }

    func deleteConnection(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.name(call, .deleteConnection)
        return Self.summary(try ask { (control) throws(ControlError) in try control.deleteConnection(name) })
    }

    func describeConnection(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let name = try Self.name(call, .describeConnection)
        let connection = try ask { (control) throws(ControlError) in try control.connection(name) }
        return AnswerDocument.object([
            "ConnectionArn": .text(connection.arn), "Name": .text(name), "Description": connection.description.map { .text($0) },
            "ConnectionState": .text(connection.state.rawValue), "AuthorizationType": .text(connection.authorizationType),
            "AuthParameters": connection.parameters.map { .json($0) },
            "CreationTime": .seconds(milliseconds: connection.times.created),
            "LastModifiedTime": .seconds(milliseconds: connection.times.modified),
            "LastAuthorizedTime": .seconds(milliseconds: connection.authorizedMilliseconds),
        ]).json
    }

    func listConnections(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .listConnections, ["NamePrefix", "ConnectionState", "Limit", "NextToken"])
        let prefix = try members.text("NamePrefix", .ruleName) ?? ""
        let state = try members.choice("ConnectionState", of: Self.states)
        let all = try ask { (control) throws(ControlError) in try control.connections(withPrefix: prefix) }
        let (page, next) = try Self.page(all.filter { state == nil || state == $0.state.rawValue }, members, name: \.name)
        let list = page.map { connection in
            AnswerDocument.object([
                "ConnectionArn": .text(connection.arn), "Name": .text(connection.name),
                "ConnectionState": .text(connection.state.rawValue), "AuthorizationType": .text(connection.authorizationType),
                "CreationTime": .seconds(milliseconds: connection.times.created),
                "LastModifiedTime": .seconds(milliseconds: connection.times.modified),
                "LastAuthorizedTime": .seconds(milliseconds: connection.authorizedMilliseconds),
            ])
        }
        return AnswerDocument.object(["Connections": .list(list), "NextToken": next]).json
    }

    // MARK: - What these operations need

    private static func connectionRequest(_ call: ServiceCall, _ operation: Operation) throws(ServiceError) -> ConnectionRequest {
        let members = try members(call, operation, Self.requestMembers)
        let request = ConnectionRequest(
            name: try members.required("Name", .ruleName), description: try members.text("Description", .description),
            authorizationType: try members.choice("AuthorizationType", of: types), parameters: try members.object("AuthParameters"))
        if request.authorizationType == types[1] {
            throw ServiceError(
                .validation,
                "AuthorizationType \(types[1]) is not supported by Crema in \(operation.rawValue); API_KEY and BASIC are: nothing here asks "
                    + "for tokens.")
        }
        return request
    }

    static func name(_ call: ServiceCall, _ operation: Operation) throws(ServiceError) -> String {
        try members(call, operation, ["Name"]).required("Name", .ruleName)
    }

    private static func summary(_ connection: ConnectionDescription, isNew: Bool = false) -> [UInt8] {
        AnswerDocument.object([
            "ConnectionArn": .text(connection.arn), "ConnectionState": .text(connection.state.rawValue),
            "CreationTime": .seconds(milliseconds: connection.times.created),
            "LastModifiedTime": .seconds(milliseconds: connection.times.modified),
            "LastAuthorizedTime": isNew ? nil : .seconds(milliseconds: connection.authorizedMilliseconds),
        ]).json
    }
}
