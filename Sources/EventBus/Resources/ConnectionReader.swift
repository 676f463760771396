import Documents
import Rules

/// Reads a connection: the properties of an `AWS::Events::Connection`, or the members of a call, which are the same.
///
/// No message has a value in it.
struct ConnectionReader {
    private typealias Pair = (name: String, value: String)

    /// The most characters of a name or a value, and the most pairs of a list, as the service has them.
    private static let charactersMax = 512
    private static let pairsMax = 100
    /// The most bytes of all of it, which the service keeps as one secret.
    private static let bytesMax = 65_536
    private static let lists = ["HeaderParameters", "QueryStringParameters", "BodyParameters"]

    let properties: Node
    /// What messages call it.
    let what: String

    /// - Parameters:
    ///   - name: the connection's.
    ///   - id: what ends its ARN; nil for one of a template.
    ///   - location: where it is declared.
    /// - Returns: the connection.
    /// - Throws: what is missing, not supported, or cannot be sent.
    func read(name: String, id: String?, at location: SourceLocation) throws(DocumentError) -> ConnectionDeclaration {
        try refuseUnknown(properties, what: what, known: ["Name", "Description", "AuthorizationType", "AuthParameters"])
        let type = try properties.required("AuthorizationType", in: what)
        let parameters = try properties.required("AuthParameters", in: what)
        if let oauth = parameters.entry("OAuthParameters") {
            throw DocumentError("\(what): OAuthParameters are not supported; API_KEY and BASIC are", at: oauth.keyLocation)
        }
        let known = ["ApiKeyAuthParameters", "BasicAuthParameters", "InvocationHttpParameters"]
        try refuseUnknown(parameters, what: "\(what): AuthParameters", known: known)
        let authorization: Pair
        let typeName = try type.text("AuthorizationType")
        switch typeName {
        case "API_KEY": authorization = try apiKey(parameters)
        case "BASIC": authorization = try basic(parameters)
        default:
            throw DocumentError("\(what): AuthorizationType `\(typeName)` is not supported; API_KEY and BASIC are", at: type.location)
        }
        if let other = parameters.entry(typeName == "BASIC" ? "ApiKeyAuthParameters" : "BasicAuthParameters") {
            throw DocumentError("\(what): \(other.key) are not for \(typeName)", at: other.keyLocation)
        }
        let connection = try connection(name, authorization, parameters["InvocationHttpParameters"])
        guard connection.bytes <= Self.bytesMax else {
            throw DocumentError("\(what): its parameters are longer than \(Self.bytesMax) bytes", at: parameters.location)
        }
        return ConnectionDeclaration(
            name: name, id: id, description: try properties.known["Description"]?.text("Description"), authorizationType: typeName,
            parameters: parameters, connection: connection, told: try Self.told(parameters, typeName).json(what), location: location)
    }

    private func connection(_ name: String, _ authorization: Pair, _ common: Node?) throws(DocumentError) -> APIConnection {
        let what = "\(what): InvocationHttpParameters"
        if let common { try refuseUnknown(common, what: what, known: Self.lists) }
        let others = try pairs(common?["HeaderParameters"], "\(what): HeaderParameters")
        for other in others { try Self.check(other.pair, what, at: other.location) }
        return APIConnection(
            name: name, headers: [authorization] + others.map(\.pair),
            query: try pairs(common?["QueryStringParameters"], "\(what): QueryStringParameters").map(\.pair),
            bodyFields: try pairs(common?["BodyParameters"], "\(what): BodyParameters", charactersMax: .max).map(\.pair))
    }

    private func apiKey(_ parameters: Node) throws(DocumentError) -> Pair {
        let node = try parameters.required("ApiKeyAuthParameters", in: "\(what): AuthParameters")
        let what = "\(what): ApiKeyAuthParameters"
        try refuseUnknown(node, what: what, known: ["ApiKeyName", "ApiKeyValue"])
        let pair = (name: try text("ApiKeyName", of: node, what), value: try text("ApiKeyValue", of: node, what))
        try Self.check(pair, what, at: node.location)
        return pair
    }

    private func basic(_ parameters: Node) throws(DocumentError) -> Pair {
        let node = try parameters.required("BasicAuthParameters", in: "\(what): AuthParameters")
        let what = "\(what): BasicAuthParameters"
        try refuseUnknown(node, what: what, known: ["Username", "Password"])
        let name = try text("Username", of: node, what)
        guard !name.contains(":") else { throw DocumentError("\(what): a Username has no colon", at: node.location) }
        let both = "\(name):\(try text("Password", of: node, what))"
        return ("Authorization", "Basic \(String(decoding: Base64.encode(Array(both.utf8)), as: UTF8.self))")
    }

    private func text(_ key: String, of node: Node, _ what: String) throws(DocumentError) -> String {
        let value = try node.required(key, in: what)
        let text = try value.text(key)
        guard (1...Self.charactersMax).contains(text.unicodeScalars.count) else {
            throw DocumentError("\(what): \(key) must have 1 to \(Self.charactersMax) characters", at: value.location)
        }
        return text
    }

    /// A list of `{ Key, Value, IsValueSecret }`; all values are kept as secrets here.
    private func pairs(
        _ node: Node?, _ what: String, charactersMax: Int = ConnectionReader.charactersMax
    ) throws(DocumentError) -> [(pair: Pair, location: SourceLocation)] {
        var pairs: [(pair: Pair, location: SourceLocation)] = []
        guard let node else { return pairs }
        let elements = try node.elements(what)
        guard elements.count <= Self.pairsMax else {
            throw DocumentError("\(what) has more than \(Self.pairsMax) members", at: node.location)
        }
        for element in elements {
            try refuseUnknown(element, what: what, known: ["Key", "Value", "IsValueSecret"])
            let name = try element.required("Key", in: what).text("\(what): Key")
            let value = try element.required("Value", in: what).text("\(what): Value")
            guard name.unicodeScalars.count <= Self.charactersMax, value.unicodeScalars.count <= charactersMax else {
                throw DocumentError("\(what): a Key or its Value is too long", at: element.location)
            }
            pairs.append(((name, value), element.location))
        }
        return pairs
    }

    /// Never says the value.
    private static func check(_ pair: Pair, _ what: String, at location: SourceLocation) throws(DocumentError) {
        if let refusal = HTTPText.refusal(ofHeader: pair.name) { throw DocumentError("\(what): \(refusal)", at: location) }
        guard HTTPText.isHeaderValue(pair.value) else {
            throw DocumentError("\(what): the value of \(pair.name) is none that a header can have", at: location)
        }
    }

    // MARK: - What may be told

    /// `AuthParameters` without passwords, keys, and values that are said to be secret.
    private static func told(_ parameters: Node, _ type: String) throws(DocumentError) -> Node {
        var members: [Node.Entry] = []
        func add(_ key: String, _ entries: [Node.Entry]) {
            let location = parameters.location
            members.append(Node.Entry(key: key, keyLocation: location, value: Node(.mapping(entries), at: location)))
        }
        let (group, name) = type == "BASIC" ? ("BasicAuthParameters", "Username") : ("ApiKeyAuthParameters", "ApiKeyName")
        add(group, [parameters[group]?.entry(name)].compactMap(\.self))
        if let common = parameters["InvocationHttpParameters"] {
            var told: [Node.Entry] = []
            for list in Self.lists {
                guard var entry = common.entry(list) else { continue }
                var elements: [Node] = []
                for element in try entry.value.elements(list) {
                    let isSecret = try element["IsValueSecret"]?.boolean("\(list): IsValueSecret") ?? false
                    var kept: [Node.Entry] = []
                    for entry in try element.entries(list) where entry.key != "IsValueSecret" && (entry.key != "Value" || !isSecret) {
                        let text = try entry.value.text(entry.key)
                        kept.append(Node.Entry(key: entry.key, keyLocation: entry.keyLocation, value: .string(text, at: element.location)))
                    }
                    let flag = Node(.scalar(.init(isSecret ? "true" : "false", kind: .boolean)), at: element.location)
                    kept.append(Node.Entry(key: "IsValueSecret", keyLocation: element.location, value: flag))
                    elements.append(Node(.mapping(kept), at: element.location))
                }
                entry.value.content = .sequence(elements)
                told.append(entry)
            }
            add("InvocationHttpParameters", told)
        }
        return Node(.mapping(members), at: parameters.location)
    }
}

extension Node {
    /// The same with the members of another laid over it: of members that are mappings on both sides their members, down to a depth.
    func overlaid(by other: Node, depth: Int) -> Node {
        guard depth > 0, case .mapping(var entries) = content, case .mapping(let others) = other.content else { return other }
        for entry in others {
            guard let place = entries.firstIndex(where: { $0.key == entry.key }) else {
                entries.append(entry)
                continue
            }
            entries[place].value = entries[place].value.overlaid(by: entry.value, depth: depth - 1)
        }
        return Node(.mapping(entries), at: other.location)
    }

    /// The same without some members.
    func removing(_ keys: [String]) -> Node {
        guard case .mapping(let entries) = content else { return self }
        return Node(.mapping(entries.filter { !keys.contains($0.key) }), at: location)
    }
}
