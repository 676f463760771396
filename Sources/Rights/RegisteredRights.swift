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

    package var policies: [Policy]
    package var certificates: [String: Certificate]

    package init(policies: [Policy] = [], certificates: [String: Certificate] = [:]) {
        (self.policies, self.certificates) = (policies, certificates)
    }

    /// The certificates that speak for a client: the one that it has shown, where that is registered.
    ///
    /// Of a client that is away since a restart only the name is known: then those that prove it.
    func certificates(of subject: PolicySubject) -> [Certificate] {
        if let id = subject.attributes[PolicySubject.certificateID] { return certificates[id].map { [$0] } ?? [] }
        guard !subject.isKnown, let principal = subject.principal else { return [] }
        return certificates.values.filter { $0.isActive && $0.principal.utf8.elementsEqual(principal.utf8) }
    }
}
