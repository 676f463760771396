package import Documents

/// A connection as operators see it.
package struct ConnectionSummary: Sendable, Equatable {
    package let name: String
    /// `API_KEY` or `BASIC`.
    package let authorizationType: String
    package let isAuthorized: Bool
    package let location: SourceLocation
}

/// An API destination as operators see it.
package struct APIDestinationSummary: Sendable, Equatable {
    package let name: String
    /// Why it cannot be called now; nil where it can.
    package let lack: String?
    package let method: String
    /// Without its query, which may hold what is secret.
    package let endpoint: String
    package let connection: String
    package let location: SourceLocation
}

extension EventEngine {
    /// All connections, those of templates first.
    package func connectionSummaries() -> [ConnectionSummary] {
        rules.connections.map {
            ConnectionSummary(
                name: $0.name, authorizationType: $0.authorizationType, isAuthorized: $0.connection != nil, location: $0.location)
        }
    }

    /// All API destinations, those of templates first.
    package func destinationSummaries() -> [APIDestinationSummary] {
        rules.destinations.map { declaration in
            let destination = declaration.destination
            var lack: String?
            if case .failure(let reason) = destination.connection { lack = reason.reason }
            return APIDestinationSummary(
                name: destination.name, lack: lack, method: destination.method,
                endpoint: destination.endpoint.origin + destination.path.joined(separator: "*"),
                connection: declaration.connectionARN.name, location: declaration.location)
        }
    }
}
