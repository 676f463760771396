/// The name of a client in a certificate that Crema issues: also a file name and a topic level, so it is kept plain.
///
/// One to 64 letters, digits, `.`, `_`, `:` and `-`, the first a letter or digit. AWS IoT allows the same characters in thing names but for
/// the dot.
package struct ThingName: Sendable, Hashable, CustomStringConvertible {
    /// What stands before the name in the certificate's URI.
    package static let uriPrefix = "urn:crema:thing:"

    package let text: String
    package var description: String { text }

    /// - Throws: ``TrustError/unusableThingName(name:reason:)``.
    package init(_ text: String) throws(TrustError) {
        guard let first = text.utf8.first else { throw .unusableThingName(name: text, reason: "it is empty") }
        guard text.utf8.count <= CertificateLimits.thingNameBytesMax else {
            throw .unusableThingName(name: text, reason: "it is longer than \(CertificateLimits.thingNameBytesMax) characters")
        }
        guard Self.isLetterOrDigit(first) else { throw .unusableThingName(name: text, reason: "it must begin with a letter or a digit") }
        guard text.utf8.allSatisfy({ Self.isLetterOrDigit($0) || Self.punctuation.contains($0) }) else {
            throw .unusableThingName(name: text, reason: "only letters, digits, '.', '_', ':' and '-' may be in it")
        }
        self.text = text
    }

    private static let punctuation = Array("._:-".utf8)

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
