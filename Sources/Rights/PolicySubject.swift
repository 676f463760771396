/// Who asks: a client with a name of its own choice, and what it has proved.
///
/// No key of a table: `String` takes canonically equivalent names for equal, and U+212A is another client than `K`.
package struct PolicySubject: Sendable {
    /// The MQTT client identifier.
    package var clientID: String
    /// The name that a certificate or a password proved; `nil` for a client that proved nothing.
    package var principal: String?
    /// What was proved beside the name, under the names of the policy variables that stand for it: `jwt:email`.
    package var attributes: [String: String]
    /// Whether it has been here: of a client that is away since a restart only its names are known, and not what it had proved beside them.
    package var isKnown: Bool

    /// The attribute that is the identifier of the certificate that the client has shown.
    package static let certificateID = "crema:CertificateId"
    /// The attribute that names the registered thing that the client connects as: its identifier, where its certificate belongs to that thing.
    static let attachedThing = "crema:AttachedThing"

    package init(clientID: String, principal: String?, attributes: [String: String] = [:], isKnown: Bool = true) {
        self.clientID = clientID
        self.principal = principal
        self.attributes = attributes
        self.isKnown = isKnown
    }
}

/// What stands as `${…}` in a resource, and is another text for every client.
///
/// See "AWS IoT Core policy variables". `crema:Principal` is Crema's own: IoT Core has no name for who holds a certificate, and other
/// services' names for users of web pages.
package enum PolicyVariable: String, Sendable, CaseIterable {
    case clientID = "iot:ClientId"
    /// The thing is the one that the client identifier names, attached to the certificate: by API, or because both are the same name.
    case thingName = "iot:Connection.Thing.ThingName"
    case principal = "crema:Principal"

    /// What the variable stands for, or `nil` where it stands for nothing that may be part of a resource.
    ///
    /// A client chooses its identifier: one with a wildcard or a slash in it could stand for the resources of others.
    func value(for subject: PolicySubject) -> String? {
        let text: String? =
            switch self {
            case .clientID: subject.clientID
            case .thingName: Self.isThing(subject) ? subject.clientID : nil
            case .principal: subject.principal
            }
        return text.flatMap(Self.usable)
    }

    private static func isThing(_ subject: PolicySubject) -> Bool {
        [subject.principal, subject.attributes[PolicySubject.attachedThing]].contains {
            $0?.utf8.elementsEqual(subject.clientID.utf8) == true
        }
    }

    /// The text, if it may be part of a resource.
    static func usable(_ text: String) -> String? {
        text.isEmpty || text.utf8.contains(where: forbidden.contains) ? nil : text
    }

    private static let forbidden = Set("*?+#/$\0".utf8)
}
