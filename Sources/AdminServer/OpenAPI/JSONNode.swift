/// JSON that has no type of its own here.
indirect enum JSONNode: Encodable, Sendable, ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral {
    case text(String)
    case integer(Int)
    case flag(Bool)
    case list([JSONNode])
    case object([String: JSONNode])

    init(dictionaryLiteral elements: (String, JSONNode)...) {
        self = .object(Dictionary(uniqueKeysWithValues: elements))
    }

    init(stringLiteral value: String) {
        self = .text(value)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .flag(let value): try container.encode(value)
        case .list(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }
}
