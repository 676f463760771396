import Documents

/// What a call says of an API destination; what an update does not say stays.
package struct APIDestinationRequest: Sendable {
    package var name: String
    package var description: String?
    package var connectionARN: String?
    package var endpoint: String?
    package var method: String?
    package var callsPerSecond: Int?

    package init(
        name: String, description: String? = nil, connectionARN: String? = nil, endpoint: String? = nil, method: String? = nil,
        callsPerSecond: Int? = nil
    ) {
        self.name = name
        self.description = description
        self.connectionARN = connectionARN
        self.endpoint = endpoint
        self.method = method
        self.callsPerSecond = callsPerSecond
    }
}

/// An API destination as the API describes it.
package struct APIDestinationDescription: Sendable {
    package let name: String
    package let arn: String
    package let description: String?
    /// Whether it can be called now.
    package let isActive: Bool
    package let connectionARN: String
    package let endpoint: String
    package let method: String
    package let callsPerSecond: Int
    /// Of a template's, when the template was read.
    package let times: ResourceTimes

    init(_ declaration: APIDestinationDeclaration, loadedMilliseconds: Int64) {
        name = declaration.name
        arn = declaration.arn
        description = declaration.description
        isActive = declaration.isActive
        connectionARN = declaration.connectionText
        endpoint = declaration.endpointText
        method = declaration.destination.method
        callsPerSecond = declaration.destination.callsPerSecond
        times = declaration.times ?? ResourceTimes(loaded: loadedMilliseconds)
    }
}

extension ControlPlane {
    /// - Throws: also where the endpoint could never be called, with the reason.
    package func createDestination(_ request: APIDestinationRequest) throws(ControlError) -> APIDestinationDescription {
        let now = now
        let origin = origin("CreateApiDestination")
        let id = delivery.engine.world.makeID()
        return try change { (registry) throws(ControlError) in
            guard registry.destination(request.name) == nil else {
                throw ControlError(.resourceAlreadyExists, "An api-destination '\(request.name)' already exists.")
            }
            guard registry.allDestinations.count < limits.apiDestinationsMax else { throw .tooMany }
            var declaration = try Self.read(request, id: id, at: origin, registry)
            declaration.times = ResourceTimes(now: now)
            registry.put(declaration)
            return APIDestinationDescription(declaration, loadedMilliseconds: now)
        }
    }

    /// Changes what a call says, and where targets call from now on, retries among it.
    ///
    /// - Throws: also where a target by API has other parameters than the new endpoint takes.
    package func updateDestination(_ request: APIDestinationRequest) throws(ControlError) -> APIDestinationDescription {
        let now = now
        let origin = origin("UpdateApiDestination")
        return try change { (registry) throws(ControlError) in
            let known = try registry.changeable(destination: request.name)
            var whole = request
            whole.description = request.description ?? known.description
            whole.connectionARN = request.connectionARN ?? known.connectionText
            whole.endpoint = request.endpoint ?? known.endpointText
            whole.method = request.method ?? known.destination.method
            whole.callsPerSecond = request.callsPerSecond ?? known.destination.callsPerSecond
            // A connection that was deleted since is no reason not to change something else.
            var declaration = try Self.read(
                whole, id: known.destination.id, at: origin, registry, mayLackConnection: request.connectionARN == nil)
            declaration.times = known.times?.modified(at: now)
            var next = registry
            next.put(declaration)
            try self.link(&next)
            registry = next
            return APIDestinationDescription(declaration, loadedMilliseconds: now)
        }
    }

    /// Deletes an API destination; the targets that call it stay, and their deliveries fail.
    package func deleteDestination(_ name: String) throws(ControlError) {
        try change { (registry) throws(ControlError) in
            if registry.destination(name) == nil, registry.notes.removeLeftOut(.destination(name)) { return }
            _ = try registry.changeable(destination: name)
            var next = registry
            next.remove(destination: name)
            try self.link(&next)
            registry = next
        }
    }

    package func destination(_ name: String) throws(ControlError) -> APIDestinationDescription {
        try look { (registry) throws(ControlError) in
            guard let declaration = registry.destination(name) else { throw .noDestination(name) }
            return APIDestinationDescription(declaration, loadedMilliseconds: registry.loadedMilliseconds)
        }
    }

    /// All API destinations whose names begin so, in the order of their names.
    package func destinations(withPrefix prefix: String) throws(ControlError) -> [APIDestinationDescription] {
        try look { (registry) in
            registry.allDestinations.filter { $0.name.hasPrefix(prefix) }
                .map { APIDestinationDescription($0, loadedMilliseconds: registry.loadedMilliseconds) }
                .sorted { $0.name < $1.name }
        }
    }

    static func read(
        _ request: APIDestinationRequest, id: String?, at origin: SourceLocation, _ registry: borrowing ResourceRegistry,
        mayLackConnection: Bool = false
    ) throws(ControlError) -> APIDestinationDeclaration {
        let rate = request.callsPerSecond.map { Node(.scalar(.init(String($0), kind: .number)), at: origin) }
        let properties = Node(
            members: [
                ("Description", request.description.map { .string($0, at: origin) }),
                ("ConnectionArn", request.connectionARN.map { .string($0, at: origin) }),
                ("InvocationEndpoint", request.endpoint.map { .string($0, at: origin) }),
                ("HttpMethod", request.method.map { .string($0, at: origin) }), ("InvocationRateLimitPerSecond", rate),
            ], at: origin)
        let connection = request.connectionARN.flatMap { CallARN($0, kind: "connection") }.map { registry.link($0) }
        if !mayLackConnection, case .failure(.connection(let name)) = connection { throw .noConnection(name) }
        let reader = APIDestinationReader(
            properties: properties, what: "API destination \(request.name)", policy: registry.templates.declared.calls.policy)
        do throws(DocumentError) {
            return try reader.read(name: request.name, id: id, at: origin) { (arn, _) throws(DocumentError) in
                connection ?? .failure(.connection(arn.name))
            }
        } catch {
            throw ControlError(.validation, error)
        }
    }
}
