import Documents

/// What a statement demands of the client beside action and resource: one operator on one key of its `Condition`.
///
/// All of a statement's conditions must hold, each for one of its values at least (IAM, "conditions with multiple context keys or values").
/// A key that the client does not have fails every operator but those that begin with `Not`, contain `Not`, or `ForAllValues:`.
package struct PolicyCondition: Sendable {
    enum Comparison: String, Sendable, CaseIterable {
        case stringEquals = "StringEquals"
        case stringNotEquals = "StringNotEquals"
        case stringLike = "StringLike"
        case stringNotLike = "StringNotLike"
        case bool = "Bool"
        case ipAddress = "IpAddress"
        case notIPAddress = "NotIpAddress"
        case allEqual = "ForAllValues:StringEquals"

        var isNegated: Bool { self == .stringNotEquals || self == .stringNotLike || self == .notIPAddress }
    }

    /// The attribute that names the address from which the client is connected.
    package static let sourceAddress = "aws:SourceIp"
    /// The attribute that names what its CONNECT asks for, with commas between: `LastWill`, `PersistentConnect`.
    package static let connectAttributes = "iot:ConnectAttributes"
    private static let isAttached = "iot:Connection.Thing.IsAttached"

    private let comparison: Comparison
    private let key: String
    private let values: [ResourceText]
    private let ranges: [AddressRange]

    /// Reads a `Condition`.
    static func all(in node: Node, what: String) throws(DocumentError) -> [PolicyCondition] {
        var conditions: [PolicyCondition] = []
        for entry in try node.entries("\(what): Condition") {
            guard let comparison = Comparison(rawValue: entry.key) else {
                let known = Comparison.allCases.map(\.rawValue)
                throw DocumentError(
                    "\(what): the operator \(entry.key) is not supported\(suggestion(for: entry.key, among: known))", at: entry.keyLocation)
            }
            for key in try entry.value.entries("\(what): \(entry.key)") {
                conditions.append(try PolicyCondition(comparison, key, what: what))
            }
        }
        return conditions
    }

    private init(_ comparison: Comparison, _ entry: Node.Entry, what: String) throws(DocumentError) {
        self.comparison = comparison
        key = try Self.key(entry, comparison, what: what)
        let nodes: [Node] = if case .sequence(let elements) = entry.value.content { elements } else { [entry.value] }
        guard !nodes.isEmpty else { throw DocumentError("the list is empty", at: entry.value.location) }
        var values: [ResourceText] = []
        var ranges: [AddressRange] = []
        for node in nodes {
            let text = try node.text(entry.key)
            switch comparison {
            case .ipAddress, .notIPAddress:
                guard let range = AddressRange(text) else {
                    throw DocumentError("\(what): `\(text)` is no address or block such as 203.0.113.0/24", at: node.location)
                }
                ranges.append(range)
            case .bool:
                guard text == "true" || text == "false" else {
                    throw DocumentError("\(what): \(entry.key) is true or false", at: node.location)
                }
                values.append(try ResourceText(value: text, hasWildcards: false, at: node.location))
            case .stringLike, .stringNotLike: values.append(try ResourceText(value: text, hasWildcards: true, at: node.location))
            default: values.append(try ResourceText(value: text, hasWildcards: false, at: node.location))
            }
        }
        (self.values, self.ranges) = (values, ranges)
    }

    /// A key that the operator can be used on.
    private static func key(_ entry: Node.Entry, _ comparison: Comparison, what: String) throws(DocumentError) -> String {
        let name = entry.key
        let isFit =
            switch comparison {
            case .ipAddress, .notIPAddress: name == sourceAddress
            case .bool: name == isAttached
            case .allEqual: name == connectAttributes
            default:
                PolicyVariable(rawValue: name) != nil || CertificateVariable(name) != nil || ClaimVariable(name) != nil
                    || ThingVariable(name) != nil
            }
        if isFit { return CertificateVariable(name)?.name ?? name }
        let known =
            [sourceAddress, connectAttributes, isAttached, ThingVariable.type] + PolicyVariable.allCases.map(\.rawValue)
            + CertificateVariable.known
        throw DocumentError(
            known.contains(name)
                ? "\(what): \(name) cannot be compared by \(comparison.rawValue)"
                : "\(what): the condition key \(name) is not supported\(suggestion(for: name, among: known))", at: entry.keyLocation)
    }

    /// Whether it is of more than the client's names.
    var asksForAttributes: Bool {
        PolicyVariable(rawValue: key) == nil && ThingVariable(key) == nil && key != Self.isAttached
            || values.contains(where: \.asksForAttributes)
    }

    /// Whether the condition holds for a client.
    ///
    /// Where a variable in a value stands for nothing, it is `otherwise`: false for what allows, true for what denies.
    func holds(for subject: PolicySubject, otherwise: Bool) -> Bool {
        guard let actual = actual(of: subject) else { return comparison.isNegated || comparison == .allEqual }
        if comparison == .allEqual {
            return actual.utf8.split(separator: UInt8(ascii: ",")).allSatisfy { part in matches(Array(part), subject) ?? otherwise }
        }
        if comparison == .ipAddress || comparison == .notIPAddress {
            return ranges.contains { $0.contains(actual) } != comparison.isNegated
        }
        guard let isMatched = matches(Array(actual.utf8), subject) else { return otherwise }
        return isMatched != comparison.isNegated
    }

    /// Whether one of the values matches; `nil` where none does and one stands for nothing.
    private func matches(_ text: [UInt8], _ subject: PolicySubject) -> Bool? {
        let patterns = values.map { $0.pattern(for: subject) }
        if patterns.contains(where: { $0?.matches(text, isFilter: false) == true }) { return true }
        return patterns.contains { $0 == nil } ? nil : false
    }

    private func actual(of subject: PolicySubject) -> String? {
        switch key {
        case PolicyVariable.clientID.rawValue: subject.clientID
        case PolicyVariable.principal.rawValue: subject.principal
        case PolicyVariable.thingName.rawValue: PolicyVariable.thingName.value(for: subject)
        case Self.isAttached: PolicyVariable.thingName.value(for: subject) == nil ? "false" : "true"
        default: subject.attributes[key]
        }
    }
}
