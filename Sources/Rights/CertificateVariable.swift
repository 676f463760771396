/// `${iot:Certificate.…}`: a field of the certificate by which the client proved itself, by AWS IoT's names.
///
/// A name ends in `.1` for the second value of a field that has several, `.2` for the third. A field stands for nothing where the
/// client has no certificate, the certificate no such field, or the field holds what could be part of another's resource.
package struct CertificateVariable: Sendable, Equatable {
    package static let prefix = "iot:Certificate."
    /// As they stand behind `iot:Certificate.Subject.` and `iot:Certificate.Issuer.`.
    package static let nameFields = [
        "CommonName", "Country", "DistinguishedNameQualifier", "GenerationQualifier", "GivenName", "Initials", "Organization",
        "OrganizationalUnit", "Pseudonym", "SerialNumber", "State", "Surname", "Title",
    ]
    /// As they stand behind `iot:Certificate.AlternativeName.`.
    package static let alternativeNames = ["DNSName", "IPAddress", "RFC822Name", "UniformResourceIdentifier"]

    /// The names of all first values.
    static let known =
        nameFields.flatMap { ["\(prefix)Subject.\($0)", "\(prefix)Issuer.\($0)"] }
        + alternativeNames.map { "\(prefix)AlternativeName.\($0)" } + ["\(prefix)SerialNumber"]

    /// With the prefix; the first value's has no number.
    let name: String

    /// `nil` for another variable.
    init?(_ name: String) {
        if Self.known.contains(name) {
            self.name = name
            return
        }
        guard let dot = name.lastIndex(of: "."), name[..<dot] != "\(Self.prefix)SerialNumber", Self.known.contains(String(name[..<dot]))
        else { return nil }
        let number = name[name.index(after: dot)...]
        guard let place = UInt8(number), String(place) == number else { return nil }
        self.name = place == 0 ? String(name[..<dot]) : name
    }

    func value(for subject: PolicySubject) -> String? { subject.attributes[name].flatMap(PolicyVariable.usable) }
}
