import COpenSSL
import Glibc

/// One name in a certificate's subjectAltName.
package struct AlternativeName: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case dns = "DNS"
        case ip = "IP"
        case uri = "URI"
        case email
        /// Directory names, registered ids and other names, which nothing here reads.
        case other
    }

    package let kind: Kind
    /// The name as it stands in the certificate: characters, or 4 or 16 octets of an address.
    ///
    /// May hold anything, NUL too.
    package let bytes: [UInt8]

    init(kind: Kind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    /// Reads what an operator wrote after `--san`: an IPv4 or IPv6 address, else a DNS name, `*.` in front allowed.
    ///
    /// - Throws: ``TrustError/unusableAlternativeName(name:reason:)``, which says what is wrong with it.
    package init(parsing text: String) throws(TrustError) {
        if let octets = Self.octets(ofAddress: text) {
            self.init(kind: .ip, bytes: octets)
            return
        }
        if let reason = Self.fault(inHostName: text) {
            throw .unusableAlternativeName(name: text, reason: reason)
        }
        self.init(kind: .dns, bytes: Array(text.utf8))
    }

    /// The name of a client that Crema itself issued: `urn:crema:thing:NAME`.
    init(thing name: ThingName) {
        self.init(kind: .uri, bytes: Array((ThingName.uriPrefix + name.text).utf8))
    }

    /// The name for people: an address in its usual form, characters with everything unprintable escaped.
    package var text: String {
        kind == .ip ? Self.address(bytes) ?? Hexadecimal.text(bytes) : PrintableText.escaping(bytes)
    }

    var generalNameType: Int32? {
        switch kind {
        case .dns: GEN_DNS
        case .ip: GEN_IPADD
        case .uri: GEN_URI
        case .email: GEN_EMAIL
        case .other: nil
        }
    }

    private static func octets(ofAddress text: String) -> [UInt8]? {
        var version4 = in_addr()
        if unsafe inet_pton(AF_INET, text, &version4) == 1 {
            return unsafe withUnsafeBytes(of: &version4) { unsafe Array($0) }
        }
        var version6 = in6_addr()
        if unsafe inet_pton(AF_INET6, text, &version6) == 1 {
            return unsafe withUnsafeBytes(of: &version6) { unsafe Array($0) }
        }
        return nil
    }

    private static func address(_ octets: [UInt8]) -> String? {
        guard octets.count == 4 || octets.count == 16 else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = octets.count == 4 ? AF_INET : AF_INET6
        guard unsafe inet_ntop(family, octets, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Why `text` is no host name, or `nil` (RFC 1123 section 2.1, and `_`, which container names have).
    private static func fault(inHostName text: String) -> String? {
        let host = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        guard !host.isEmpty else { return "it is empty" }
        guard text.utf8.count <= 253 else { return "a DNS name has at most 253 characters" }
        let labels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.count) else { return "each part between dots has 1 to 63 characters" }
            guard label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-") else {
                return "no part begins or ends with a hyphen"
            }
            guard label.allSatisfy(isHostCharacter) else { return "only letters, digits, '-', '_' and '.' may be in it" }
        }
        if let last = labels.last, last.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            return "it looks like an IP address but is none"
        }
        return nil
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}

extension AlternativeName: CustomStringConvertible {
    /// As the openssl program writes it: `DNS:localhost`, `IP:::1`.
    package var description: String { kind.rawValue + ":" + text }
}
