/// `${jwt:NAME}`: a claim of the token by which the client proved itself.
///
/// Crema's own, as the names of AWS for claims are those of its own issuers. It stands for a text, a number or a truth value; for nothing
/// where the client has no token, the token no such claim, or the claim holds what could be part of another's resource.
package struct ClaimVariable: Sendable, Equatable {
    package static let prefix = "jwt:"

    /// With the prefix.
    package let name: String

    /// `nil` for another variable.
    init?(_ name: String) {
        guard name.hasPrefix(Self.prefix), name.utf8.count > Self.prefix.utf8.count else { return nil }
        self.name = name
    }

    func value(for subject: PolicySubject) -> String? { subject.attributes[name].flatMap(PolicyVariable.usable) }
}
