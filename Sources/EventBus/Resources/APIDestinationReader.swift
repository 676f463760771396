import Documents
import Rules

/// Reads an API destination: the properties of an `AWS::Events::ApiDestination`, or the members of a call, which are the same.
struct APIDestinationReader {
    private static let methods = ["POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]
    private static let callsPerSecond = 1...300

    let properties: Node
    /// What messages call it.
    let what: String
    let policy: OutboundPolicy

    /// - Parameters:
    ///   - name: the destination's.
    ///   - id: what ends its ARN; nil for one of a template.
    ///   - location: where it is declared.
    ///   - connections: finds what a connection's ARN names, or says why not.
    /// - Returns: the API destination.
    /// - Throws: every mistake, and why the endpoint could never be called.
    func read(
        name: String, id: String?, at location: SourceLocation,
        connections: (CallARN, SourceLocation) throws(DocumentError) -> Result<APIConnection, DestinationLack>
    ) throws(DocumentError) -> APIDestinationDeclaration {
        var problems = ProblemCollector()
        let known = ["Name", "Description", "ConnectionArn", "InvocationEndpoint", "HttpMethod", "InvocationRateLimitPerSecond"]
        _ = problems.collect { () throws(DocumentError) in try refuseUnknown(properties, what: what, known: known) }
        let reference = problems.collect { () throws(DocumentError) in try connectionARN() }
        let connection = problems.collect { () throws(DocumentError) in
            try reference.map { (found) throws(DocumentError) in try connections(found.arn, found.location) }
        }
        let place = problems.collect { () throws(DocumentError) in try endpoint() }
        let method = problems.collect { () throws(DocumentError) in try self.method() }
        let rate = problems.collect { () throws(DocumentError) in
            try properties["InvocationRateLimitPerSecond"]?.integer("InvocationRateLimitPerSecond", in: Self.callsPerSecond)
                ?? Self.callsPerSecond.upperBound
        }
        let description = problems.collect { () throws(DocumentError) in try properties.known["Description"]?.text("Description") }
        try problems.finish()
        guard let reference, let connection = connection ?? nil, let place, let method, let rate else {
            throw DocumentError("\(what) cannot be read", at: location)
        }
        let destination = APIDestination(
            name: name, id: id, endpoint: place.endpoint, path: place.path, query: place.query, method: method, callsPerSecond: rate,
            connection: connection)
        return APIDestinationDeclaration(
            description: description ?? nil, connectionARN: reference.arn, connectionText: reference.text, endpointText: place.text,
            destination: destination, location: location)
    }

    private func connectionARN() throws(DocumentError) -> (arn: CallARN, text: String, location: SourceLocation) {
        let value = try properties.required("ConnectionArn", in: what)
        let text = try value.text("ConnectionArn")
        guard let arn = CallARN(text, kind: "connection") else {
            throw DocumentError("\(what): `\(text)` is not the ARN of a connection", at: value.location)
        }
        return (arn, text, value.location)
    }

    private func method() throws(DocumentError) -> String {
        let value = try properties.required("HttpMethod", in: what)
        let method = try value.text("HttpMethod")
        guard Self.methods.contains(method) else {
            let known = Self.methods.joined(separator: ", ")
            throw DocumentError("\(what): HttpMethod `\(method)` must be one of \(known)", at: value.location)
        }
        return method
    }

    private func endpoint() throws(DocumentError) -> (endpoint: HTTPEndpoint, path: [String], query: String, text: String) {
        let value = try properties.required("InvocationEndpoint", in: what)
        let url = try value.text("InvocationEndpoint")
        do throws(HTTPEndpointError) {
            let (endpoint, rest) = try HTTPEndpoint.parse(url)
            if let refusal = policy.refusal(of: endpoint) { throw HTTPEndpointError(refusal) }
            let path = rest.prefix { $0 != "?" }
            let parts = (path.isEmpty ? "/" : path).split(separator: "*", omittingEmptySubsequences: false).map(String.init)
            return (endpoint, parts, String(rest[path.endIndex...]), url)
        } catch {
            throw DocumentError("\(what): InvocationEndpoint: \(error)", at: value.location)
        }
    }
}

/// What the templates declare of calls over HTTP.
struct DeclaredCalls {
    private(set) var connections: [ConnectionDeclaration] = []
    private(set) var destinations: [APIDestinationDeclaration] = []

    init(_ resources: [TemplateDocument.Resource], _ calls: CallSettings, _ problems: inout ProblemCollector) {
        var names = NameTable(kind: "connection")
        for resource in resources where resource.type == "AWS::Events::Connection" {
            let read = problems.collect { () throws(DocumentError) in
                try ConnectionReader(properties: resource.properties, what: "AWS::Events::Connection `\(resource.logicalID)`")
                    .read(name: try resourceName(resource), id: nil, at: resource.location)
            }
            guard let connection = read else { continue }
            names.declare(connection.name, at: resource.location, &problems)
            connections.append(connection)
        }
        let known = Dictionary(connections.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        names = NameTable(kind: "API destination")
        for resource in resources where resource.type == "AWS::Events::ApiDestination" {
            let what = "AWS::Events::ApiDestination `\(resource.logicalID)`"
            let reader = APIDestinationReader(properties: resource.properties, what: what, policy: calls.policy)
            let read = problems.collect { () throws(DocumentError) in
                try reader.read(name: try resourceName(resource), id: nil, at: resource.location) { (arn, location) throws(DocumentError) in
                    guard let connection = known[arn.name]?.connection else {
                        throw DocumentError("\(what): no template declares the connection \(arn.name)", at: location)
                    }
                    return .success(connection)
                }
            }
            guard let destination = read else { continue }
            names.declare(destination.name, at: resource.location, &problems)
            destinations.append(destination)
        }
    }
}

/// The `Name` of a connection or an API destination, or what the template calls it.
private func resourceName(_ resource: TemplateDocument.Resource) throws(DocumentError) -> String {
    guard let value = resource.properties["Name"] else { return resource.logicalID }
    let name = try value.text("Name")
    guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else {
        throw DocumentError("Name `\(name)` must be 1 to 64 letters, digits and any of `.-_`", at: value.location)
    }
    return name
}
