package import EventBus
package import Trust

/// A certificate that was registered by AWS IoT's API, and what is attached to it.
package struct RegisteredCertificate: Sendable {
    /// What its holder may do.
    package enum Status: String, Sendable, CaseIterable {
        case active = "ACTIVE"
        /// Its holder may do nothing, for now.
        case inactive = "INACTIVE"
        /// Its holder may do nothing.
        case revoked = "REVOKED"
    }

    /// SHA-256 of its DER, 64 digits in lower case.
    package let id: String
    package let certificate: Certificate
    /// `Certificate.contentFingerprint`, by which rights know it.
    let content: String
    /// The name that it proves, as listeners read it.
    package let principal: String
    package internal(set) var status: Status
    /// Milliseconds since 1970.
    package let createdMilliseconds: Int64
    package internal(set) var modifiedMilliseconds: Int64
    /// The names of policies, in the order in which they were attached.
    package internal(set) var policies: [String] = []
    /// The names of things, in the order in which they were attached.
    package internal(set) var things: [String] = []

    /// Reads who a certificate is of.
    ///
    /// - Throws: for a certificate that no listener would know a client by.
    package init(_ certificate: Certificate, status: Status, now: Int64) throws(ControlError) {
        self.certificate = certificate
        id = Self.id(of: certificate)
        content = certificate.contentFingerprint
        do throws(PrincipalError) { principal = try Principal(from: certificate).name } catch {
            throw ControlError(.certificateValidation, "The certificate names nobody: \(error).")
        }
        self.status = status
        (createdMilliseconds, modifiedMilliseconds) = (now, now)
    }

    /// The identifier by which AWS IoT knows a certificate.
    package static func id(of certificate: Certificate) -> String { certificate.fingerprint.filter { $0 != ":" }.lowercased() }
}
