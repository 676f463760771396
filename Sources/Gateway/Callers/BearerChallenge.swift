import Tokens

/// The value of `WWW-Authenticate` (RFC 6750 section 3).
enum BearerChallenge {
    /// To a request that shows nothing, nothing more is said (section 3.1).
    static let missing = "Bearer"

    static func invalid(_ refusal: TokenRefusal) -> String {
        #"Bearer error="invalid_token", error_description="\#(quotable(refusal.description))""#
    }

    static func insufficientScope(_ scopes: [String]) -> String {
        #"Bearer error="insufficient_scope", scope="\#(quotable(scopes.joined(separator: " ")))""#
    }

    /// What may stand between the quotes (RFC 6750 section 3).
    private static func quotable(_ text: String) -> String {
        String(text.unicodeScalars.filter { (0x20...0x7E).contains($0.value) && $0 != "\"" && $0 != "\\" }.map(Character.init))
    }
}
