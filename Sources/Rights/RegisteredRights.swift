/// What came by API of rights: policies, and the certificates that they are attached to.
///
/// It stands beside the templates and the configuration, which keep their word: a policy of theirs is changed only there, and they say
/// whether rights are asked for at all, so that what came by API and is lost, or cannot be read, never opens a door. Certificates are
/// known by what their authorities have signed (`Certificate.contentFingerprint`): whoever has one can write its signature in another way.
package struct RegisteredRights: Sendable {
    /// A certificate that was registered.
    package struct Certificate: Sendable {
        /// The name that it proves.
        package var principal: String
        /// `ACTIVE`, or why its holder may do nothing.
        package var status: String
        /// The names of the policies that are attached to it.
        package var policies: [String]
        /// The names of the things that it belongs to.
        package var things: Set<String>

        package init(principal: String, status: String, policies: [String] = [], things: Set<String> = []) {
            (self.principal, self.status, self.policies, self.things) = (principal, status, policies, things)
        }

        var isActive: Bool { status == Self.active }
        package static let active = "ACTIVE"
    }

    /// A thing that a certificate belongs to.
    package struct Thing: Sendable {
        /// The names of the policies that are attached to its groups, and to those that these are in.
        package var policies: [String]
        /// The policy of these of which nobody knows any more what it says: it may deny what others allow.
        package var lacks: String?
        /// The name of its type.
        package var type: String?
        package var attributes: [String: String]

        package init(policies: [String] = [], lacks: String? = nil, type: String? = nil, attributes: [String: String] = [:]) {
            (self.policies, self.lacks, self.type, self.attributes) = (policies, lacks, type, attributes)
        }
    }

    package var policies: [Policy]
    package var certificates: [String: Certificate]
    /// By their names, those that certificates belong to.
    package var things: [String: Thing]

    package init(policies: [Policy] = [], certificates: [String: Certificate] = [:], things: [String: Thing] = [:]) {
        (self.policies, self.certificates, self.things) = (policies, certificates, things)
    }

    /// The certificates that speak for a client: the one that it has shown, where that is registered.
    ///
    /// Of a client that is away since a restart only the name is known: then those that prove it.
    func certificates(of subject: PolicySubject) -> [Certificate] {
        if let id = subject.attributes[PolicySubject.certificateID] { return certificates[id].map { [$0] } ?? [] }
        guard !subject.isKnown, let principal = subject.principal else { return [] }
        return certificates.values.filter { $0.isActive && $0.principal.utf8.elementsEqual(principal.utf8) }
    }

    /// The thing that a client is: it connects by its name, with a certificate that belongs to it.
    func thing(of clientID: String, among certificates: [Certificate]) -> Thing? {
        // By bytes: to `String` U+212A is `K`.
        guard certificates.contains(where: { $0.things.contains { $0.utf8.elementsEqual(clientID.utf8) } }) else { return nil }
        return things[clientID] ?? Thing()
    }
}
