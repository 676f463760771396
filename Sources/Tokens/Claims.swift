import Rules

/// Reads the claims that are registered (RFC 7519 section 4.1).
enum Claims {
    /// Seconds since 1970 that a date may be: until the end of the year 9999.
    private static let secondsMax = 253_402_300_799.0

    /// A date; `nil` where there is none.
    static func date(_ name: String, of claims: JSONView) throws(TokenRefusal) -> Int64? {
        guard let claim = claims[name] else { return nil }
        guard let text = claim.numberText, let seconds = Double(text), (0...secondsMax).contains(seconds) else {
            throw .invalidClaim(name)
        }
        return Int64(seconds.rounded(.down))
    }

    static func audiences(_ claims: JSONView) -> [String] {
        guard let claim = claims["aud"] else { return [] }
        if claim.kind == .array { return claim.elements.compactMap(\.stringValue) }
        return claim.stringValue.map { [$0] } ?? []
    }

    /// Who the token is for: text that may be the name of somebody who has rights.
    ///
    /// Limits and characters are those of a principal in a certificate; a slash is left in, as in the URIs there.
    static func principal(_ name: String, of claims: JSONView) throws(TokenRefusal) -> String {
        guard let claim = claims[name] else { throw .missingClaim(name) }
        guard let bytes = claim.stringBytes, !bytes.isEmpty, bytes.count <= TokenLimits.principalBytesMax else {
            throw .invalidClaim(name)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: throw .invalidClaim(name)
            default: if scalar == "+" || scalar == "#" || scalar == "\u{FFFD}" { throw .invalidClaim(name) }
            }
        }
        return text
    }

    /// By bytes: Swift's `String` calls texts equal that an issuer may tell apart.
    static func areEqual(_ one: String, _ other: String) -> Bool { one.utf8.elementsEqual(other.utf8) }
}
