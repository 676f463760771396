/// A call in the protocol that AWS services spoke before JSON: the fields of a form, one of which is the action.
struct QueryForm {
    struct Field: Equatable {
        let name: String
        var value: String
    }

    /// In the order in which they came, each name once.
    private(set) var fields: [Field] = []
    private var places: [[UInt8]: Int] = [:]

    /// - Parameters:
    ///   - text: `NAME=VALUE&…`, percent-encoded, with `+` for a space.
    ///   - fieldsMax: the most fields taken (`queueFormFieldsMax`).
    /// - Throws: for a broken escape, for a name that stands twice, and for too many fields.
    init(parsing text: Substring, fieldsMax: Int) throws(ServiceError) {
        var rest = Self.withoutBlanks(text.utf8)
        while !rest.isEmpty {
            let pair = rest.prefix { $0 != UInt8(ascii: "&") }
            rest = rest[pair.endIndex...].dropFirst()
            if pair.isEmpty { continue }
            guard fields.count < fieldsMax else {
                throw ServiceError(.validation, "The form has more than queueFormFieldsMax (\(fieldsMax)) fields.")
            }
            let key = pair.prefix { $0 != UInt8(ascii: "=") }
            guard let name = PercentEncoding.decode(Substring(key), plusIsSpace: true),
                let value = PercentEncoding.decode(Substring(pair[key.endIndex...].dropFirst()), plusIsSpace: true)
            else {
                let shown = Self.shown(String(Substring(key)))
                throw ServiceError(.serialization, "The request body is no form: a broken escape in '\(shown)'.")
            }
            guard places[Array(name.utf8)] == nil else {
                throw ServiceError(.serialization, "The field \(Self.shown(name)) stands twice in the form.")
            }
            set(name, value)
        }
    }

    /// The last line of a template ends, and a form does not.
    private static func withoutBlanks(_ text: Substring.UTF8View) -> Substring.UTF8View {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let end = text.lastIndex { !isBlank($0) }.map { text.index(after: $0) } ?? text.startIndex
        return text[..<end].drop(while: isBlank)
    }

    /// What errors say of a name, which may be as long as a request.
    static func shown(_ name: String) -> String {
        name.utf8.count > 256 ? "\(String(decoding: name.utf8.prefix(256), as: UTF8.self))…" : name
    }

    /// Sets a field; one that is there gets the other value.
    mutating func set(_ name: String, _ value: String) {
        if let place = places[Array(name.utf8)] {
            fields[place].value = value
        } else {
            places[Array(name.utf8)] = fields.count
            fields.append(Field(name: name, value: value))
        }
    }

    subscript(name: String) -> String? { places[Array(name.utf8)].map { fields[$0].value } }
}
