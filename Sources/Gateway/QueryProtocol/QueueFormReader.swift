import Queues

/// Reads the members of a queue's call from a form, as the service's model of 2012-11-05 lays them out.
///
/// The result is the body of the same call in the JSON protocol: there is one reading of members, and one word for what is not supported.
struct QueueFormReader {
    static let version = "2012-11-05"

    let operation: QueuesService.Operation

    /// How a member stands in a form.
    private enum Shape {
        case text
        case integer
        /// `NAME.1=…`
        case list
        /// `NAME.1.KEY=…` and `NAME.1.Value=…`, all texts.
        case map(key: String)
        /// `NAME.1.Name=…` and `NAME.1.Value.PART=…`
        case attributes
        /// `NAME.1.MEMBER=…`, with members of their own.
        case entries
    }

    /// A field, the part of its name that is not read yet, and the whole name for errors.
    private struct Field {
        let name: String
        var rest: ArraySlice<Substring>
        let value: String
    }

    private static let integers: Set = [
        "DelaySeconds", "MaxNumberOfMessages", "MaxNumberOfMessagesPerSecond", "MaxResults", "VisibilityTimeout", "WaitTimeSeconds",
    ]
    private static let notMembers: Set = ["Action", "Version"]

    /// The name of a member in the JSON protocol, and how it stands here under its own.
    ///
    /// What no operation has is a text: the call refuses it by its name.
    private func member(_ name: String) -> (name: String, shape: Shape) {
        switch name {
        case "AttributeName", "MessageSystemAttributeName", "MessageAttributeName", "TagKey", "AWSAccountId": ("\(name)s", .list)
        case "ActionName": ("Actions", .list)
        case "Attribute": ("Attributes", .map(key: "Name"))
        // The one member that the service's model spells in two ways.
        case "Tag": (operation == .createQueue ? "tags" : "Tags", .map(key: "Key"))
        case "MessageAttribute", "MessageSystemAttribute": ("\(name)s", .attributes)
        case "\(operation.rawValue)RequestEntry": ("Entries", .entries)
        default: (name, Self.integers.contains(name) ? .integer : .text)
        }
    }

    /// The body of the call in the JSON protocol.
    func json(_ form: QueryForm) throws(ServiceError) -> [UInt8] {
        let fields = form.fields.filter { !Self.notMembers.contains($0.name) }.map {
            Field(name: $0.name, rest: $0.name.split(separator: ".", omittingEmptySubsequences: false)[...], value: $0.value)
        }
        return AnswerDocument.map(try members(fields, isEntry: false)).json
    }

    private func members(_ fields: [Field], isEntry: Bool) throws(ServiceError) -> [String: AnswerDocument] {
        var members: [String: AnswerDocument] = [:]
        var numbered: [String: [Field]] = [:]
        for field in fields {
            let head = String(field.rest.first ?? "")
            let (name, shape) = member(head)
            switch shape {
            case .text:
                guard field.rest.count == 1 else { throw unknown(field) }
                members[name] = .text(field.value)
            case .integer:
                guard field.rest.count == 1 else { throw unknown(field) }
                guard let number = Int(field.value) else {
                    throw ServiceError(.invalid(QueryForm.shown(field.value), field.name, "Must be an integer."))
                }
                members[name] = .number(number)
            case .list, .map, .attributes, .entries:
                // A batch has no batches in it.
                if case .entries = shape, isEntry { throw unknown(field) }
                numbered[head, default: []].append(Field(name: field.name, rest: field.rest.dropFirst(), value: field.value))
            }
        }
        for (head, fields) in numbered {
            let (name, shape) = member(head)
            // Under the name of the JSON protocol, which would be another member of the same one.
            guard members[name] == nil else {
                throw ServiceError(.serialization, "\(name) and \(head) stand in the form together.")
            }
            members[name] = try several(try places(of: fields, shape), shape)
        }
        return members
    }

    /// The fields of each of several, in the order of their numbers.
    ///
    /// What has no number is one more in front, as callers of old write it: `AttributeName=All`, or `Attribute.Name=…` with
    /// `Attribute.Value=…`. Entries of a batch always have one.
    private func places(of fields: [Field], _ shape: Shape) throws(ServiceError) -> [[Field]] {
        var places: [Int: [Field]] = [:]
        for field in fields {
            switch (shape, field.rest.first) {
            case (.list, nil), (.map, "Name"), (.map, "Key"), (.map, "Value"), (.attributes, "Name"), (.attributes, "Value"):
                places[0, default: []].append(field)
                continue
            default: break
            }
            guard let text = field.rest.first, let number = Int(text), number > 0, String(number) == text else { throw unknown(field) }
            places[number, default: []].append(Field(name: field.name, rest: field.rest.dropFirst(), value: field.value))
        }
        return places.sorted { $0.key < $1.key }.map(\.value)
    }

    private func several(_ places: [[Field]], _ shape: Shape) throws(ServiceError) -> AnswerDocument {
        switch shape {
        case .list:
            var texts: [String] = []
            for fields in places {
                guard fields.count == 1, fields[0].rest.isEmpty else { throw unknown(fields[fields.count - 1]) }
                texts.append(fields[0].value)
            }
            return .texts(texts)
        case .map(let key):
            return .map(
                try pairs(places, key: key) { (fields) throws(ServiceError) in
                    guard fields.count == 1, fields[0].rest.isEmpty else { throw unknown(fields[fields.count - 1]) }
                    return .text(fields[0].value)
                })
        case .attributes:
            return .map(
                try pairs(places, key: "Name") { (fields) throws(ServiceError) in
                    var parts: [String: AnswerDocument] = [:]
                    for field in fields {
                        guard field.rest.count == 1, let part = field.rest.first else { throw unknown(field) }
                        parts[String(part)] = .text(field.value)
                    }
                    return .map(parts)
                })
        case .entries:
            var entries: [AnswerDocument] = []
            for fields in places { entries.append(.map(try members(fields, isEntry: true))) }
            return .list(entries)
        case .text, .integer: return .list([])
        }
    }

    /// Names with what stands under `Value` beside them.
    private func pairs(
        _ places: [[Field]], key: String, value: ([Field]) throws(ServiceError) -> AnswerDocument
    ) throws(ServiceError) -> [String: AnswerDocument] {
        var pairs: [String: AnswerDocument] = [:]
        for fields in places {
            var name: String?
            var values: [Field] = []
            for field in fields {
                switch field.rest.first {
                case key[...] where field.rest.count == 1: name = field.value
                case "Value": values.append(Field(name: field.name, rest: field.rest.dropFirst(), value: field.value))
                default: throw unknown(field)
                }
            }
            guard let name, !values.isEmpty else {
                let stem = QueryForm.shown(String(fields[0].name.dropLast(fields[0].rest.joined(separator: ".").count)))
                throw ServiceError(QueueError.missing("\(stem)\(name == nil ? key : "Value")"))
            }
            guard pairs.updateValue(try value(values), forKey: name) == nil else {
                throw ServiceError(.serialization, "\(QueryForm.shown(name)) stands twice in the form.")
            }
        }
        return pairs
    }

    private func unknown(_ field: Field) -> ServiceError {
        ServiceError(.validation, "\(QueryForm.shown(field.name)) is not supported by Crema in \(operation.rawValue).")
    }
}
