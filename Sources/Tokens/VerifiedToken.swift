package import Rules

/// A token whose signature and times were checked, and what it says.
package struct VerifiedToken: Sendable {
    package let principal: String
    /// `exp`, in seconds since 1970.
    package let expiresAt: Int64
    /// `nbf`, and `iat`: not valid before the later of them.
    let notBefore: Int64?
    let issuedAt: Int64?
    /// All of them, an object.
    package let claims: JSONView
    /// By which settings and which key it was verified, without a word of the token: see ``TokenVerifier/stillTakes(_:)``.
    package let credential: [UInt8]

    /// Claims of one value as text, for policy variables.
    ///
    /// Every one: what denies by a claim must hold for a token that has many, or long ones. ``TokenLimits/tokenBytesMax`` bounds them all.
    package var texts: [String: String] {
        var texts: [String: String] = [:]
        for claim in claims.members {
            guard let text = claim.value.scalarText, claim.value.kind != .null else { continue }
            texts[claim.name] = String(decoding: text, as: UTF8.self)
        }
        return texts
    }

    /// What the token allows, as OAuth 2 writes it: `scope`, words with blanks between them, or `scp`, which some write as a list.
    package var scopes: [String] {
        ["scope", "scp"].flatMap { name -> [String] in
            guard let value = claims[name] else { return [] }
            if value.kind == .array { return value.elements.compactMap(\.stringValue) }
            return value.stringValue?.split(separator: " ").map(String.init) ?? []
        }
    }

    /// Whether the token is for one of the audiences; where it has no `aud`, `client_id` counts, as for API Gateway.
    package func isFor(anyOf audiences: [String]) -> Bool {
        Claims.audiences(claims).contains { audience in audiences.contains { Claims.areEqual($0, audience) } }
            || claims["aud"] == nil && audiences.contains { Claims.areEqual($0, claims["client_id"]?.stringValue ?? "") }
    }
}
