/// Who a verified client certificate says its holder is: the name that sessions belong to and rights are given to.
///
/// Where the name comes from, the first that applies:
///
/// | the certificate has | principal |
/// |---|---|
/// | a URI `urn:crema:thing:NAME` | `NAME` |
/// | another URI | that URI, as it is written |
/// | a DNS name | that name |
/// | none of these | the subject's common name |
///
/// Addresses and e-mail names are passed over. Two names of the kind that decides, or none, and it is not clear who this is: the
/// certificate is refused, and never falls through to the next row (CVE-2026-33248 of NATS was such a confusion).
///
/// The name must be valid UTF-8 of 1 to 256 bytes, without control characters, `+`, `#` and NUL, because rights and topics are written with
/// names in them. `/` is refused as well, except in "another URI", where it cannot be missed (`spiffe://shop/barista`); such a
/// principal is not ``fitsOneTopicLevel`` and must not be put into a topic. Nothing is decoded: `%2F` stays those three characters.
package struct Principal: Sendable, CustomStringConvertible {
    package let name: String

    package var description: String { name }

    /// Whether the name may stand for one level of a topic: it has no `/`.
    package var fitsOneTopicLevel: Bool { !name.utf8.contains(UInt8(ascii: "/")) }

    /// Takes the name out of a certificate.
    ///
    /// Says nothing about whether the certificate is to be believed.
    package init(from certificate: Certificate) throws(PrincipalError) {
        try self.init(alternativeNames: certificate.alternativeNames, commonNames: certificate.commonNames)
    }

    init(alternativeNames: [AlternativeName], commonNames: [CommonName]) throws(PrincipalError) {
        let uris = alternativeNames.filter { $0.kind == .uri }
        let prefix = Array(ThingName.uriPrefix.utf8)
        let things = uris.filter { $0.bytes.starts(with: prefix) }
        if let thing = things.first {
            guard things.count == 1 else { throw .severalNames(.uri, count: things.count) }
            name = try Self.validated(thing.bytes.dropFirst(prefix.count), from: .uri, allowsSlash: false)
        } else if let uri = uris.first {
            guard uris.count == 1 else { throw .severalNames(.uri, count: uris.count) }
            name = try Self.validated(uri.bytes[...], from: .uri, allowsSlash: true)
        } else {
            name = try Self.hostOrCommonName(alternativeNames.filter { $0.kind == .dns }, commonNames)
        }
    }

    private static func hostOrCommonName(_ hosts: [AlternativeName], _ commonNames: [CommonName]) throws(PrincipalError) -> String {
        if let host = hosts.first {
            guard hosts.count == 1 else { throw .severalNames(.dns, count: hosts.count) }
            return try validated(host.bytes[...], from: .dns, allowsSlash: false)
        }
        guard let commonName = commonNames.first else { throw .noName }
        guard commonNames.count == 1 else { throw .severalNames(.commonName, count: commonNames.count) }
        guard case .utf8(let bytes) = commonName else { throw .notUTF8(.commonName) }
        return try validated(bytes[...], from: .commonName, allowsSlash: false)
    }

    private static func validated(
        _ bytes: ArraySlice<UInt8>, from place: NamePlace, allowsSlash: Bool
    ) throws(PrincipalError) -> String {
        guard !bytes.isEmpty else { throw .empty(place) }
        guard bytes.count <= CertificateLimits.principalBytesMax else { throw .tooLong(place, bytes: bytes.count) }
        guard !bytes.contains(0) else { throw .holdsNUL(place) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8(place) }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "+": throw .holdsTopicCharacter(place, "+")
            case "#": throw .holdsTopicCharacter(place, "#")
            case "/": if !allowsSlash { throw .holdsTopicCharacter(place, "/") }
            default:
                // Controls, and format characters such as U+202E, which make one name look like another.
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: throw .holdsControlCharacter(place)
                default: break
                }
            }
        }
        return text
    }
}

extension Principal: Hashable {
    /// By bytes: Swift's `String` calls two names equal whose accents are composed differently, a certificate authority may not.
    package static func == (one: Principal, other: Principal) -> Bool { one.name.utf8.elementsEqual(other.name.utf8) }

    package func hash(into hasher: inout Hasher) {
        for byte in name.utf8 {
            hasher.combine(byte)
        }
    }
}

/// Where in a certificate a name stood.
package enum NamePlace: String, Sendable, Equatable {
    case uri = "URI"
    case dns = "DNS name"
    case commonName = "common name"
}

/// Why a certificate names nobody.
///
/// Its texts may be logged: they never repeat the name.
package enum PrincipalError: Error, Equatable, Sendable {
    case noName
    case severalNames(NamePlace, count: Int)
    case empty(NamePlace)
    case tooLong(NamePlace, bytes: Int)
    case notUTF8(NamePlace)
    case holdsNUL(NamePlace)
    case holdsControlCharacter(NamePlace)
    case holdsTopicCharacter(NamePlace, Character)
}

extension PrincipalError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noName: "the certificate has no URI, DNS name or common name to know its holder by"
        case .severalNames(let place, let count): "the certificate has \(count) names of the kind \(place.rawValue); one is needed"
        case .empty(let place): "the certificate's \(place.rawValue) is empty"
        case .tooLong(let place, let bytes):
            "the certificate's \(place.rawValue) has \(bytes) bytes; at most \(CertificateLimits.principalBytesMax) are taken"
        case .notUTF8(let place): "the certificate's \(place.rawValue) is not UTF-8 text"
        case .holdsNUL(let place): "the certificate's \(place.rawValue) holds a NUL byte"
        case .holdsControlCharacter(let place): "the certificate's \(place.rawValue) holds a control or format character"
        case .holdsTopicCharacter(let place, let character):
            "the certificate's \(place.rawValue) holds '\(character)', which has a meaning in topics"
        }
    }
}
