/// `${iot:Connection.Thing.…}`: what is registered of the thing that a client connects as, by AWS IoT's names.
///
/// It stands for nothing where the client is no registered thing, the thing has no type or no such attribute, or the value holds what
/// could be part of another's resource. The thing's name is a ``PolicyVariable``.
package struct ThingVariable: Sendable, Equatable {
    static let type = "iot:Connection.Thing.ThingTypeName"
    private static let attributes = "iot:Connection.Thing.Attributes["

    /// As it is written.
    let name: String

    /// `nil` for another variable.
    init?(_ name: String) {
        let attribute = name.dropFirst(Self.attributes.utf8.count).dropLast()
        guard name == Self.type || name.hasPrefix(Self.attributes) && name.hasSuffix("]") && !attribute.isEmpty else { return nil }
        self.name = name
    }

    func value(for subject: PolicySubject) -> String? { subject.attributes[name].flatMap(PolicyVariable.usable) }

    /// What a thing has, by the names of the variables that stand for it.
    static func values(of thing: RegisteredRights.Thing) -> [String: String] {
        var values: [String: String] = [:]
        for (name, value) in thing.attributes { values["\(attributes)\(name)]"] = value }
        values[type] = thing.type
        return values
    }
}
