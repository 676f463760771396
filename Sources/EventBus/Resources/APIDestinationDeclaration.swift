import Documents

/// An API destination as a template or a call declares it.
struct APIDestinationDeclaration: Sendable {
    let description: String?
    let connectionARN: CallARN
    /// What the connection's ARN was given as.
    let connectionText: String
    /// The URL as it was given; its query may hold what is secret.
    let endpointText: String
    /// What targets call.
    var destination: APIDestination
    let location: SourceLocation
    /// Nil for one of a template.
    var times: ResourceTimes?

    var name: String { destination.name }
    var arn: String { CallARN.text("api-destination", name, destination.id) }

    /// Whether it can be called now.
    var isActive: Bool {
        if case .success = destination.connection { true } else { false }
    }
}
