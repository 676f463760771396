/// What a JSON document looks like, for the API's description of itself.
///
/// A shape stands beside the document that it is of; a test holds the answers against them.
indirect enum JSONShape: Sendable {
    case text
    /// Text that an expression matches from its beginning to its end (ECMA-262, as JSON Schema has it).
    case matching(String)
    /// A time by RFC 3339.
    case time
    case integer
    /// A whole number in a range.
    case within(ClosedRange<Int>)
    case number
    case flag
    /// One of these texts.
    case choice([String])
    /// Anything.
    case any
    case list(JSONShape)
    /// An object whose members have any names.
    case map(JSONShape)
    case object([Member])
    /// One of these.
    case either([JSONShape])

    struct Member: Sendable {
        let name: String
        let shape: JSONShape
        /// Whether the member is always there.
        let required: Bool

        static func always(_ name: String, _ shape: JSONShape) -> Member { Member(name: name, shape: shape, required: true) }
        static func maybe(_ name: String, _ shape: JSONShape) -> Member { Member(name: name, shape: shape, required: false) }
    }

    /// The names of an object's members, of every alternative.
    var memberNames: Set<String> {
        switch self {
        case .object(let members): Set(members.map(\.name))
        case .either(let shapes): shapes.reduce(into: []) { $0.formUnion($1.memberNames) }
        default: []
        }
    }

    /// What every call answers that lists something.
    static func rows(_ row: JSONShape) -> JSONShape { .object([.always("rows", .list(row)), .always("more", .flag)]) }

    /// As JSON Schema.
    ///
    /// A body's shape is `closed`: a member that is not named is refused. An answer may get members with a later version.
    func schema(closed: Bool = false) -> JSONNode {
        switch self {
        case .text: ["type": "string"]
        case .matching(let pattern): ["type": "string", "pattern": .text(pattern)]
        case .time: ["type": "string", "format": "date-time"]
        case .integer: ["type": "integer"]
        case .within(let range): ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
        case .number: ["type": "number"]
        case .flag: ["type": "boolean"]
        case .choice(let texts): ["type": "string", "enum": .list(texts.map { .text($0) })]
        case .any: [:]
        case .list(let shape): ["type": "array", "items": shape.schema(closed: closed)]
        case .map(let shape): ["type": "object", "additionalProperties": shape.schema(closed: closed)]
        case .object(let members): Self.schema(of: members, closed: closed)
        case .either(let shapes): ["anyOf": .list(shapes.map { $0.schema(closed: closed) })]
        }
    }

    private static func schema(of members: [Member], closed: Bool) -> JSONNode {
        var schema: [String: JSONNode] = ["type": "object"]
        schema["properties"] = .object(Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.shape.schema(closed: closed)) }))
        let required = members.filter(\.required).map { JSONNode.text($0.name) }
        if !required.isEmpty { schema["required"] = .list(required) }
        if closed { schema["additionalProperties"] = .flag(false) }
        return .object(schema)
    }
}
