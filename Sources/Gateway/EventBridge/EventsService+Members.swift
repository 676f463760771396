import EventBus
import Rules

/// What the operations on buses, rules and targets need.
extension EventsService {
    static func members(_ call: ServiceCall, _ operation: Operation, _ known: [String]) throws(ServiceError) -> RequestMembers {
        try RequestMembers(parsing: call.body, of: operation.rawValue, known: known)
    }

    /// Asks the control plane; its refusal is the answer.
    func ask<Value>(_ question: (ControlPlane) throws(ControlError) -> Value) throws(ServiceError) -> Value {
        do throws(ControlError) { return try question(control) } catch { throw ServiceError(error) }
    }

    /// The bus that a member names, by its name or its ARN; the default one without it.
    static func bus(_ members: RequestMembers, _ name: String = "EventBusName") throws(ServiceError) -> String {
        try members.text(name, .busReference) ?? ResourceSet.defaultBusName
    }

    static func tags(_ members: RequestMembers) throws(ServiceError) -> [String: String] {
        var tags: [String: String] = [:]
        for (position, tag) in (try members.list("Tags", known: ["Key", "Value"]) ?? []).enumerated() {
            let path = "tags.\(position + 1).member."
            let key = try tag.required("Key", .tagKey, under: path)
            // The service's own tags begin so.
            guard !key.lowercased().hasPrefix("aws:") else {
                throw ServiceError(.validation, "aws: prefixed tag key names are not allowed for external use.")
            }
            tags[key] = try tag.required("Value", .tagValue, under: path)
        }
        return tags
    }

    /// At most `Limit` of a list that is ordered by names, from where `NextToken` says.
    static func page<Element>(
        _ all: [Element], _ members: RequestMembers, name: (Element) -> String
    ) throws(ServiceError) -> (page: [Element], next: AnswerDocument?) {
        let most = try members.integer("Limit") ?? 100
        if most < 1 { throw .constraint("\(most)", at: "limit", "Member must have value greater than or equal to 1") }
        if most > 100 { throw .constraint("\(most)", at: "limit", "Member must have value less than or equal to 100") }
        let token = members.listingToken
        var rest = all[...]
        if let text = try members.text("NextToken", .nextToken) {
            guard let first = token.name(in: text) else { throw ServiceError(.validation, "Parameter NextToken is not valid.") }
            rest = all.drop { name($0) < first }
        }
        return (Array(rest.prefix(most)), rest.dropFirst(most).first.map { .text(token.text(at: name($0))) })
    }
}

extension RequestMembers {
    /// A text that its constraint allows; `under` is what the service writes before the member's name.
    func text(_ name: String, _ constraint: MemberConstraint, under path: String = "") throws(ServiceError) -> String? {
        guard let text = try text(name) else { return nil }
        if let refusal = constraint.refusal(of: text) { throw .constraint(text, at: path + Self.spelled(name), refusal) }
        return text
    }

    func required(_ name: String, _ constraint: MemberConstraint, under path: String = "") throws(ServiceError) -> String {
        guard let text = try text(name, constraint, under: path) else {
            throw .constraint(nil, at: path + Self.spelled(name), "Member must not be null")
        }
        return text
    }

    /// A text that is one of some, which are named in the service's order.
    func choice(_ name: String, of known: [String]) throws(ServiceError) -> String? {
        guard let text = try text(name), !known.contains(text) else { return try text(name) }
        throw .constraint(text, at: Self.spelled(name), "Member must satisfy enum value set: [\(known.joined(separator: ", "))]")
    }

    /// A member's name begins in lower case where the service complains of it.
    private static func spelled(_ name: String) -> String { name.prefix(1).lowercased() + name.dropFirst() }
}

extension ServiceError {
    /// What the model of the service does not allow.
    static func constraint(_ value: String?, at path: String, _ constraint: String) -> ServiceError {
        ServiceError(.validation, MemberConstraint.message(value, at: path, constraint))
    }
}
