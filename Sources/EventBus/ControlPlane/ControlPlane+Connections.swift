import Documents
package import Rules

/// What a call says of a connection; what an update does not say stays.
package struct ConnectionRequest: Sendable {
    package var name: String
    package var description: String?
    package var authorizationType: String?
    /// An object with the service's members.
    package var parameters: JSONView?

    package init(name: String, description: String? = nil, authorizationType: String? = nil, parameters: JSONView? = nil) {
        self.name = name
        self.description = description
        self.authorizationType = authorizationType
        self.parameters = parameters
    }
}

/// A connection as the API describes it: without what is secret.
package struct ConnectionDescription: Sendable {
    package enum State: String, Sendable {
        case authorized = "AUTHORIZED"
        case deauthorized = "DEAUTHORIZED"
        /// Only in the answer to its deletion.
        case deleting = "DELETING"
    }

    package let name: String
    package let arn: String
    package internal(set) var state: State
    package let authorizationType: String
    package let description: String?
    /// JSON of an object; nil for a connection that is deauthorized.
    package let parameters: [UInt8]?
    /// Of a template's, when the template was read.
    package let times: ResourceTimes
    /// Milliseconds since 1970.
    package let authorizedMilliseconds: Int64

    init(_ connection: ConnectionDeclaration, loadedMilliseconds: Int64) {
        name = connection.name
        arn = connection.arn
        state = connection.connection == nil ? .deauthorized : .authorized
        authorizationType = connection.authorizationType
        description = connection.description
        parameters = connection.told
        times = connection.times ?? ResourceTimes(loaded: loadedMilliseconds)
        authorizedMilliseconds = connection.authorizedMilliseconds ?? loadedMilliseconds
    }
}

extension ControlPlane {
    package func createConnection(_ request: ConnectionRequest) throws(ControlError) -> ConnectionDescription {
        let now = now
        let origin = origin("CreateConnection")
        let given = Node(request, at: origin)
        var connection = try Self.read(given, request.name, id: delivery.engine.world.makeID(), at: origin)
        connection.times = ResourceTimes(now: now)
        connection.authorizedMilliseconds = now
        let made = connection
        return try change { (registry) throws(ControlError) in
            guard registry.connection(made.name) == nil else {
                throw ControlError(.resourceAlreadyExists, "Connection \(made.name) already exists.")
            }
            guard registry.allConnections.count < limits.eventConnectionsMax else { throw .tooMany }
            registry.put(made)
            return ConnectionDescription(made, loadedMilliseconds: now)
        }
    }

    /// Changes what a call says, and what is called through the connection from now on, retries among it.
    package func updateConnection(_ request: ConnectionRequest) throws(ControlError) -> ConnectionDescription {
        let now = now
        let origin = origin("UpdateConnection")
        let given = Node(request, at: origin)
        return try change { (registry) throws(ControlError) in
            let known = try registry.changeable(connection: request.name)
            var connection = known
            if known.parameters == nil, request.parameters == nil {
                // Without parameters it stays deauthorized.
                connection.description = request.description ?? known.description
                connection.authorizationType = request.authorizationType ?? known.authorizationType
            } else {
                connection = try Self.read(Self.updated(known, by: given), known.name, id: known.id, at: origin)
            }
            connection.times = known.times?.modified(at: now)
            connection.authorizedMilliseconds = request.parameters == nil ? known.authorizedMilliseconds : now
            try self.put(connection, in: &registry)
            return ConnectionDescription(connection, loadedMilliseconds: now)
        }
    }

    /// Takes what is secret away from a connection: what is called through it fails until it gets something new.
    package func deauthorizeConnection(_ name: String) throws(ControlError) -> ConnectionDescription {
        let now = now
        return try change { (registry) throws(ControlError) in
            var connection = try registry.changeable(connection: name).deauthorized
            connection.times = connection.times?.modified(at: now)
            try self.put(connection, in: &registry)
            return ConnectionDescription(connection, loadedMilliseconds: now)
        }
    }

    /// Deletes a connection; what is called through it fails.
    package func deleteConnection(_ name: String) throws(ControlError) -> ConnectionDescription {
        let now = now
        return try change { (registry) throws(ControlError) in
            let connection = try registry.changeable(connection: name)
            var next = registry
            next.remove(connection: name)
            try self.link(&next)
            registry = next
            var description = ConnectionDescription(connection, loadedMilliseconds: now)
            description.state = .deleting
            return description
        }
    }

    package func connection(_ name: String) throws(ControlError) -> ConnectionDescription {
        try look { (registry) throws(ControlError) in
            guard let connection = registry.connection(name) else { throw .noConnection(name) }
            return ConnectionDescription(connection, loadedMilliseconds: registry.loadedMilliseconds)
        }
    }

    /// All connections whose names begin so, in the order of their names.
    package func connections(withPrefix prefix: String) throws(ControlError) -> [ConnectionDescription] {
        try look { (registry) in
            registry.allConnections.filter { $0.name.hasPrefix(prefix) }
                .map { ConnectionDescription($0, loadedMilliseconds: registry.loadedMilliseconds) }
                .sorted { $0.name < $1.name }
        }
    }

    // MARK: - Reading

    private static func read(
        _ properties: Node, _ name: String, id: String?, at origin: SourceLocation
    ) throws(ControlError) -> ConnectionDeclaration {
        do throws(DocumentError) {
            return try ConnectionReader(properties: properties, what: "connection \(name)").read(name: name, id: id, at: origin)
        } catch {
            throw ControlError(.validation, error)
        }
    }

    /// What a connection is when an update is laid over it; what was for another type of authorization goes.
    private static func updated(_ known: ConnectionDeclaration, by given: Node) throws(ControlError) -> Node {
        let type = try? given["AuthorizationType"]?.text("AuthorizationType")
        var parameters = known.parameters
        if let type, type != known.authorizationType {
            parameters = parameters?.removing(["ApiKeyAuthParameters", "BasicAuthParameters"])
        }
        let old = Node(
            members: [
                ("Description", known.description.map { .string($0, at: known.location) }),
                ("AuthorizationType", .string(known.authorizationType, at: known.location)), ("AuthParameters", parameters),
            ], at: known.location)
        // Down to the members of `ApiKeyAuthParameters` and its like.
        return old.overlaid(by: given, depth: 3)
    }

    // MARK: - What a change carries along

    private func put(_ connection: ConnectionDeclaration, in registry: inout ResourceRegistry) throws(ControlError) {
        var next = registry
        next.put(connection)
        try link(&next)
        registry = next
    }

    /// Gives API destinations and targets by API what they call now.
    func link(_ registry: inout ResourceRegistry) throws(ControlError) {
        registry.linkDestinations()
        let declared = declaredNames(registry)
        do throws(DocumentError) { try registry.readCallsAgain(declared) } catch { throw ControlError(.validation, error) }
    }
}

extension Node {
    /// The members that a request has, in the spelling of templates.
    fileprivate init(_ request: ConnectionRequest, at origin: SourceLocation) {
        self.init(
            members: [
                ("Description", request.description.map { .string($0, at: origin) }),
                ("AuthorizationType", request.authorizationType.map { .string($0, at: origin) }),
                ("AuthParameters", request.parameters.map { Node($0, at: origin) }),
            ], at: origin)
    }

    /// A mapping of what has a value.
    init(members: [(name: String, value: Node?)], at location: SourceLocation) {
        let entries = members.compactMap { name, value in value.map { Entry(key: name, keyLocation: location, value: $0) } }
        self.init(.mapping(entries), at: location)
    }
}
