import Documents
import Rules

/// Reads `AWS::Events::Connection` and `AWS::Events::ApiDestination`.
struct APIDestinationReader {
    private static let methods = ["POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]
    private static let callsPerSecond = 1...300

    private let calls: CallSettings
    private var connections: [String: APIConnection] = [:]

    /// All API destinations of the templates, by name.
    static func destinations(
        in resources: [TemplateDocument.Resource], _ calls: CallSettings, _ problems: inout ProblemCollector
    ) -> [String: APIDestination] {
        var reader = APIDestinationReader(calls: calls)
        var names = NameTable(kind: "connection")
        for resource in resources where resource.type == "AWS::Events::Connection" {
            let read = problems.collect { () throws(DocumentError) in try APIConnection(resource) }
            guard let connection = read else { continue }
            names.declare(connection.name, at: resource.location, &problems)
            reader.connections[connection.name] = connection
        }
        var destinations: [String: APIDestination] = [:]
        names = NameTable(kind: "API destination")
        for resource in resources where resource.type == "AWS::Events::ApiDestination" {
            let read = problems.collect { () throws(DocumentError) in try reader.read(resource) }
            guard let destination = read else { continue }
            names.declare(destination.name, at: resource.location, &problems)
            destinations[destination.name] = destination
        }
        return destinations
    }

    private init(calls: CallSettings) { self.calls = calls }

    /// The name in `arn:aws:events:REGION:ACCOUNT:KIND/NAME/…`; nil for another ARN.
    static func name(inARN arn: String, kind: String) -> String? {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[1].hasPrefix("aws"), parts[2] == "events" else { return nil }
        let path = parts[5].split(separator: "/", omittingEmptySubsequences: false)
        guard (2...3).contains(path.count), path[0] == kind, !path[1].isEmpty else { return nil }
        return String(path[1])
    }

    private func read(_ resource: TemplateDocument.Resource) throws(DocumentError) -> APIDestination {
        let what = "AWS::Events::ApiDestination `\(resource.logicalID)`"
        let properties = resource.properties
        var problems = ProblemCollector()
        let known = ["Name", "Description", "ConnectionArn", "InvocationEndpoint", "HttpMethod", "InvocationRateLimitPerSecond"]
        _ = problems.collect { () throws(DocumentError) in try refuseUnknown(properties, what: what, known: known) }
        let name = problems.collect { () throws(DocumentError) in try resourceName(resource) }
        let connection = problems.collect { () throws(DocumentError) in try self.connection(properties, what) }
        let place = problems.collect { () throws(DocumentError) in try endpoint(properties, what) }
        let method = problems.collect { () throws(DocumentError) in
            let value = try properties.required("HttpMethod", in: what)
            let method = try value.text("HttpMethod")
            guard Self.methods.contains(method) else {
                let known = Self.methods.joined(separator: ", ")
                throw DocumentError("\(what): HttpMethod `\(method)` must be one of \(known)", at: value.location)
            }
            return method
        }
        let rate = problems.collect { () throws(DocumentError) in
            try properties["InvocationRateLimitPerSecond"]?.integer("InvocationRateLimitPerSecond", in: Self.callsPerSecond)
                ?? Self.callsPerSecond.upperBound
        }
        try problems.finish()
        guard let name, let connection, let place, let method, let rate else {
            throw DocumentError("\(what) cannot be read", at: resource.location)
        }
        return APIDestination(
            name: name, endpoint: place.endpoint, path: place.path, query: place.query, method: method, callsPerSecond: rate,
            connection: connection)
    }

    private func connection(_ properties: Node, _ what: String) throws(DocumentError) -> APIConnection {
        let value = try properties.required("ConnectionArn", in: what)
        let arn = try value.text("ConnectionArn")
        guard let name = Self.name(inARN: arn, kind: "connection") else {
            throw DocumentError("\(what): `\(arn)` is not the ARN of a connection", at: value.location)
        }
        guard let connection = connections[name] else {
            throw DocumentError("\(what): no template declares the connection \(name)", at: value.location)
        }
        return connection
    }

    private func endpoint(
        _ properties: Node, _ what: String
    ) throws(DocumentError) -> (endpoint: HTTPEndpoint, path: [String], query: String) {
        let value = try properties.required("InvocationEndpoint", in: what)
        let url = try value.text("InvocationEndpoint")
        do throws(HTTPEndpointError) {
            let (endpoint, rest) = try HTTPEndpoint.parse(url)
            if let refusal = calls.policy.refusal(of: endpoint) { throw HTTPEndpointError(refusal) }
            let path = rest.prefix { $0 != "?" }
            let parts = (path.isEmpty ? "/" : path).split(separator: "*", omittingEmptySubsequences: false).map(String.init)
            return (endpoint, parts, String(rest[path.endIndex...]))
        } catch {
            throw DocumentError("\(what): InvocationEndpoint: \(error)", at: value.location)
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

extension APIConnection {
    fileprivate init(_ resource: TemplateDocument.Resource) throws(DocumentError) {
        let what = "AWS::Events::Connection `\(resource.logicalID)`"
        try refuseUnknown(resource.properties, what: what, known: ["Name", "Description", "AuthorizationType", "AuthParameters"])
        name = try resourceName(resource)
        let type = try resource.properties.required("AuthorizationType", in: what)
        let parameters = try resource.properties.required("AuthParameters", in: what)
        if let oauth = parameters.entry("OAuthParameters") {
            throw DocumentError("\(what): OAuthParameters are not supported; API_KEY and BASIC are", at: oauth.keyLocation)
        }
        let known = ["ApiKeyAuthParameters", "BasicAuthParameters", "InvocationHttpParameters"]
        try refuseUnknown(parameters, what: "\(what): AuthParameters", known: known)
        let authorization: (name: String, value: String)
        switch try type.text("AuthorizationType") {
        case "API_KEY": authorization = try Self.apiKey(parameters, what)
        case "BASIC": authorization = try Self.basic(parameters, what)
        case let other:
            throw DocumentError("\(what): AuthorizationType `\(other)` is not supported; API_KEY and BASIC are", at: type.location)
        }
        let common = parameters["InvocationHttpParameters"]
        let lists = "\(what): InvocationHttpParameters"
        if let common {
            try refuseUnknown(common, what: lists, known: ["HeaderParameters", "QueryStringParameters", "BodyParameters"])
        }
        let others = try Self.pairs(common?["HeaderParameters"], "\(lists): HeaderParameters")
        for other in others { try Self.check(other.pair, lists, at: other.location) }
        headers = [authorization] + others.map(\.pair)
        query = try Self.pairs(common?["QueryStringParameters"], "\(lists): QueryStringParameters").map(\.pair)
        bodyFields = try Self.pairs(common?["BodyParameters"], "\(lists): BodyParameters").map(\.pair)
    }

    private static func apiKey(_ parameters: Node, _ what: String) throws(DocumentError) -> (name: String, value: String) {
        let what = "\(what): ApiKeyAuthParameters"
        let node = try parameters.required("ApiKeyAuthParameters", in: what)
        try refuseUnknown(node, what: what, known: ["ApiKeyName", "ApiKeyValue"])
        let value = try node.required("ApiKeyValue", in: what)
        let pair = (name: try node.required("ApiKeyName", in: what).text("ApiKeyName"), value: try value.text("ApiKeyValue"))
        try check(pair, what, at: value.location)
        return pair
    }

    private static func basic(_ parameters: Node, _ what: String) throws(DocumentError) -> (name: String, value: String) {
        let what = "\(what): BasicAuthParameters"
        let node = try parameters.required("BasicAuthParameters", in: what)
        try refuseUnknown(node, what: what, known: ["Username", "Password"])
        let user = try node.required("Username", in: what)
        let name = try user.text("Username")
        guard !name.contains(":") else { throw DocumentError("\(what): a Username has no colon", at: user.location) }
        let both = "\(name):\(try node.required("Password", in: what).text("Password"))"
        return ("Authorization", "Basic \(String(decoding: Base64.encode(Array(both.utf8)), as: UTF8.self))")
    }

    /// A list of `{ Key, Value, IsValueSecret }`; all values are kept as secrets here.
    private static func pairs(
        _ node: Node?, _ what: String
    ) throws(DocumentError) -> [(pair: (name: String, value: String), location: SourceLocation)] {
        var pairs: [(pair: (name: String, value: String), location: SourceLocation)] = []
        for element in try node?.elements(what) ?? [] {
            try refuseUnknown(element, what: what, known: ["Key", "Value", "IsValueSecret"])
            let name = try element.required("Key", in: what).text("\(what): Key")
            pairs.append(((name, try element.required("Value", in: what).text("\(what): Value")), element.location))
        }
        return pairs
    }

    /// Never says the value.
    private static func check(_ pair: (name: String, value: String), _ what: String, at location: SourceLocation) throws(DocumentError) {
        if let refusal = HTTPText.refusal(ofHeader: pair.name) { throw DocumentError("\(what): \(refusal)", at: location) }
        guard HTTPText.isHeaderValue(pair.value) else {
            throw DocumentError("\(what): the value of \(pair.name) is none that a header can have", at: location)
        }
    }
}
