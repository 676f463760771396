/// Why an API destination cannot be called now.
enum DestinationLack: Error, Sendable, Equatable {
    /// It was deleted.
    case destination
    /// Its connection, of this name, was deleted.
    case connection(String)
    /// Its connection, of this name, was deauthorized.
    case authorization(String)

    var code: String {
        switch self {
        case .destination, .connection: "NO_RESOURCE"
        case .authorization: "NO_PERMISSIONS"
        }
    }

    var reason: String {
        switch self {
        case .destination: "it was deleted"
        case .connection(let name): "its connection \(name) was deleted"
        case .authorization(let name): "its connection \(name) is deauthorized"
        }
    }
}
