import Rules

/// The members of an object in a request, each read by its name and type.
///
/// A member that Crema does not act on is refused by its name. JSON `null` stands for an absent member.
struct RequestMembers {
    private let object: JSONView
    /// What the object is, for errors: an operation or one of its entries.
    let what: String

    /// The body of a call; an empty one counts as `{}`.
    init(parsing body: [UInt8], of operation: String, known: [String]) throws(ServiceError) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: body.isEmpty ? Array("{}".utf8) : body, limits: JSONLimits(bytesMax: max(2, body.count)))
        } catch { throw ServiceError(.serialization, "The request body is not valid JSON: \(error).") }
        try self.init(document.root, what: operation, known: known)
    }

    init(_ object: JSONView, what: String, known: [String]) throws(ServiceError) {
        guard object.kind == .object else { throw ServiceError(.serialization, "\(what) is not a JSON object.") }
        self.object = object
        self.what = what
        for member in object.members where member.value.kind != .null && !known.contains(member.name) {
            throw ServiceError(.validation, "\(member.name) is not supported by Crema in \(what).")
        }
    }

    private func member(_ name: String) -> JSONView? {
        guard let value = object[name], value.kind != .null else { return nil }
        return value
    }

    private func mismatch(_ name: String, _ expected: String) -> ServiceError {
        ServiceError(.serialization, "\(name) in \(what) is not \(expected).")
    }

    func text(_ name: String) throws(ServiceError) -> String? {
        guard let value = member(name) else { return nil }
        guard let text = value.stringValue else { throw mismatch(name, "a string") }
        return text
    }

    func integer(_ name: String) throws(ServiceError) -> Int? {
        guard let value = member(name) else { return nil }
        guard let integer = value.numberText.flatMap({ Int($0) }) else { throw mismatch(name, "an integer") }
        return integer
    }

    func boolean(_ name: String) throws(ServiceError) -> Bool? {
        guard let value = member(name) else { return nil }
        switch value.kind {
        case .true: return true
        case .false: return false
        default: throw mismatch(name, "a boolean")
        }
    }

    /// A time, in milliseconds since 1970.
    ///
    /// AWS's JSON protocols have seconds, possibly with a fraction.
    func milliseconds(_ name: String) throws(ServiceError) -> Int64? {
        guard let value = member(name) else { return nil }
        guard let milliseconds = (value.numberText ?? value.stringValue).flatMap({ Timestamp.milliseconds($0) }) else {
            throw mismatch(name, "a number of seconds between the years 1970 and 9999")
        }
        return milliseconds
    }

    /// An object with members of its own.
    func object(_ name: String, known: [String]) throws(ServiceError) -> RequestMembers? {
        try member(name).map { (value) throws(ServiceError) in try RequestMembers(value, what: "\(name) of \(what)", known: known) }
    }

    /// An object that is read elsewhere.
    func object(_ name: String) throws(ServiceError) -> JSONView? {
        guard let value = member(name) else { return nil }
        guard value.kind == .object else { throw mismatch(name, "an object") }
        return value
    }

    /// What a call says, but for some members: names and values by turns, in the order of the names.
    func texts(but others: [String]) -> [String] {
        object.members.filter { !others.contains($0.name) && $0.value.kind != .null }
            .map { ($0.name, String(decoding: $0.value.rawJSON, as: UTF8.self)) }
            .sorted { $0 < $1 }
            .flatMap { [$0.0, $0.1] }
    }

    func has(_ name: String) -> Bool { member(name) != nil }

    /// A list of objects that are read elsewhere.
    func objects(_ name: String) throws(ServiceError) -> [JSONView]? {
        guard let value = member(name) else { return nil }
        guard value.kind == .array, value.elements.allSatisfy({ $0.kind == .object }) else { throw mismatch(name, "a list of objects") }
        return Array(value.elements)
    }

    func texts(_ name: String) throws(ServiceError) -> [String]? {
        guard let value = member(name) else { return nil }
        guard value.kind == .array else { throw mismatch(name, "a list") }
        var texts: [String] = []
        for element in value.elements {
            guard let text = element.stringValue else { throw mismatch(name, "a list of strings") }
            texts.append(text)
        }
        return texts
    }

    /// An object whose members are strings.
    func textMap(_ name: String) throws(ServiceError) -> [String: String]? {
        guard let value = member(name) else { return nil }
        guard value.kind == .object else { throw mismatch(name, "an object") }
        var map: [String: String] = [:]
        for member in value.members {
            guard let text = member.value.stringValue else { throw mismatch("\(name).\(member.name)", "a string") }
            map[member.name] = text
        }
        return map
    }

    /// A list of objects.
    func list(_ name: String, known: [String]) throws(ServiceError) -> [RequestMembers]? {
        guard let value = member(name) else { return nil }
        guard value.kind == .array else { throw mismatch(name, "a list") }
        var list: [RequestMembers] = []
        for element in value.elements { list.append(try RequestMembers(element, what: "\(name)[\(list.count)] of \(what)", known: known)) }
        return list
    }

    /// An object whose members are objects.
    func map(_ name: String, known: [String]) throws(ServiceError) -> [(name: String, value: RequestMembers)]? {
        guard let value = member(name) else { return nil }
        guard value.kind == .object else { throw mismatch(name, "an object") }
        var map: [(name: String, value: RequestMembers)] = []
        for member in value.members {
            map.append((member.name, try RequestMembers(member.value, what: "\(name).\(member.name) of \(what)", known: known)))
        }
        return map
    }
}
