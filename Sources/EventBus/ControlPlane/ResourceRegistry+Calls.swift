import Documents
import Rules

/// Connections and API destinations, and the targets that call them.
extension ResourceRegistry {
    func connection(_ name: String) -> ConnectionDeclaration? { connections[name] ?? templates.connections.first { $0.name == name } }
    var allConnections: [ConnectionDeclaration] { templates.connections + connections.values }

    func destination(_ name: String) -> APIDestinationDeclaration? { destinations[name] ?? templates.declared.destinations[name] }
    var allDestinations: [APIDestinationDeclaration] { templates.destinations + destinations.values }

    mutating func put(_ connection: ConnectionDeclaration) {
        notes.touch(.connection(connection.name))
        connections.put(connection)
    }

    mutating func remove(connection name: String) {
        notes.touch(.connection(name))
        connections.remove(name)
    }

    mutating func put(_ destination: APIDestinationDeclaration) {
        notes.touch(.destination(destination.name))
        destinations.put(destination)
    }

    mutating func remove(destination name: String) {
        notes.touch(.destination(name))
        destinations.remove(name)
    }

    /// The connection, which must be there and have come by API.
    func changeable(connection name: String) throws(ControlError) -> ConnectionDeclaration {
        if let connection = connections[name] { return connection }
        guard let connection = connection(name) else { throw .noConnection(name) }
        throw .ofTemplate("Connection \(name)", at: connection.location, .validation)
    }

    /// The API destination, which must be there and have come by API.
    func changeable(destination name: String) throws(ControlError) -> APIDestinationDeclaration {
        if let destination = destinations[name] { return destination }
        guard let destination = destination(name) else { throw .noDestination(name) }
        throw .ofTemplate("API destination \(name)", at: destination.location, .validation)
    }

    /// What an API destination calls with; the reason where it cannot.
    func link(_ arn: CallARN) -> Result<APIConnection, DestinationLack> {
        guard let found = connection(arn.name), arn.names(id: found.id) else { return .failure(.connection(arn.name)) }
        return found.connection.map { .success($0) } ?? .failure(.authorization(arn.name))
    }

    /// Gives API destinations by API what their connections are now.
    mutating func linkDestinations() {
        for var declaration in destinations.values {
            declaration.destination.connection = link(declaration.connectionARN)
            destinations.put(declaration)
        }
    }

    /// Notes what in other templates does not go with what came by API.
    func checkCalls(of next: ResourceSet, _ problems: inout ProblemCollector) {
        for connection in next.connections {
            guard let known = connections[connection.name] else { continue }
            problems.add("the connection `\(connection.name)` exists already, by \(known.location)", at: connection.location)
        }
        for destination in next.destinations {
            guard let known = destinations[destination.name] else { continue }
            problems.add("the API destination `\(destination.name)` exists already, by \(known.location)", at: destination.location)
        }
        for destination in destinations.values {
            let name = destination.connectionARN.name
            guard connections[name] == nil, connection(name) != nil, !next.connections.contains(where: { $0.name == name }) else {
                continue
            }
            problems.add(
                "no template declares the connection `\(name)` of the API destination `\(destination.name)` any more",
                at: destination.location)
        }
    }

    /// Reads again the targets of rules by API that call API destinations: those may have another address or another secret now.
    ///
    /// A target whose destination was deleted by API stays, and its deliveries fail.
    ///
    /// - Throws: for a destination that the templates do not declare any more, and one that a target does not fit any more.
    mutating func readCallsAgain(_ declared: DeclaredNames) throws(DocumentError) {
        var problems = ProblemCollector()
        for var rule in eventRules.values {
            var hasChanged = false
            for (place, target) in rule.targets.enumerated() {
                guard case .call(var destination, let parameters) = target.destination else { continue }
                hasChanged = true
                let isThere = CallARN(target.arn, kind: "api-destination").map { arn in
                    declared.destinations[arn.name].map { arn.names(id: $0.destination.id) } ?? false
                }
                if destination.id != nil, isThere == false {
                    destination.connection = .failure(.destination)
                    rule.targets[place].destination = .call(destination, parameters)
                } else if let read = problems.collect({ () throws(DocumentError) in try Self.read(target, of: rule, declared) }) {
                    rule.targets[place] = read
                }
            }
            if hasChanged { eventRules.put(rule) }
        }
        try problems.finish()
    }

    private static func read(_ target: Target, of rule: EventRule, _ declared: DeclaredNames) throws(DocumentError) -> Target {
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: target.definition) } catch {
            throw DocumentError("the target `\(target.id)` of the rule `\(rule.name)` cannot be read again", at: rule.location)
        }
        return try TargetReader(Node(document.root, at: rule.location), declared: declared).read()
    }
}
