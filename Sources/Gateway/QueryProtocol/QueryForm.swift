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
        // The last line of a template ends, and a form does not.
        let blanks: Set<Character> = [" ", "\t", "\n", "\r\n", "\r"]
        let end = text.lastIndex { !blanks.contains($0) }.map { text.index(after: $0) } ?? text.startIndex
        for pair in text[..<end].drop(while: { blanks.contains($0) }).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { throw ServiceError(.serialization, "The request body is no form: a broken escape in '\(parts[0].prefix(80))'.") }
            guard places[Array(name.utf8)] == nil else {
                throw ServiceError(.serialization, "The field \(name) stands twice in the form.")
            }
            guard fields.count < fieldsMax else {
                throw ServiceError(.validation, "The form has more than queueFormFieldsMax (\(fieldsMax)) fields.")
            }
            set(name, value)
        }
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
