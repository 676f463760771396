import Documents
import HTTPListening
import Hummingbird
import Rules
import Synchronization
package import Tokens

/// The tokens that a listener for programs takes from its callers.
package struct GatewayTokens: Sendable {
    /// Every entry of `tokens`, for the authorizers of routes where the listener takes anybody.
    package var all: [TokenVerifier]
    /// Those that the listener names.
    package var taken: [TokenVerifier]

    package init(all: [TokenVerifier] = [], taken: [TokenVerifier] = []) { (self.all, self.taken) = (all, taken) }
}

/// Whoever showed a token that was verified.
struct TokenCaller: Sendable {
    let principal: String
    let claims: JSONView
    /// Claims that are texts, for policies.
    let texts: [String: String]
}

/// Checks the tokens of callers: as the listener demands them, or as a route's authorizer does.
struct CallerTokens: Sendable {
    let tokens: GatewayTokens
    /// Whether the listener takes requests that prove nothing.
    let anonymous: Bool
    /// Seconds since 1970.
    let now: Int64

    /// The caller by the token in `Authorization`; `nil` for a request that shows none, where that is for others to judge.
    ///
    /// A token that is shown is verified also where nobody needs one: who shows a wrong one is not let in as somebody else.
    func caller(of request: Request) throws(RouteError) -> TokenCaller? {
        guard !tokens.taken.isEmpty else { return nil }
        switch BearerToken(in: request.headers) {
        case .none:
            if anonymous { return nil }
            throw .unauthorized(reason: "no token is shown (Authorization: Bearer …)", challenge: BearerChallenge.missing)
        case .repeated:
            let refusal = TokenRefusal.malformed("`Authorization` stands twice")
            throw .unauthorized(reason: refusal.description, challenge: BearerChallenge.invalid(refusal))
        case .shown(let text): return try verify(text, by: tokens.taken)
        }
    }

    /// The caller by the token that a route's authorizer demands.
    ///
    /// The listener must take anybody, or name the entry of `tokens` with the authorizer's issuer.
    func caller(of request: Request, for authorizer: RouteAuthorizer, queryValue: (String) -> String?) throws(RouteError) -> TokenCaller {
        let entries = (anonymous ? tokens.all : tokens.taken).filter { $0.settings.issuer == authorizer.issuer }
        let text: [UInt8]?
        switch authorizer.source {
        case .header(let name):
            let values = request.headers.headerValues(name)
            text = values.count == 1 ? values.first.map { BearerToken.withoutScheme($0) } : nil
        case .queryString(let name): text = queryValue(name).map { BearerToken.withoutScheme($0) }
        }
        guard let text else {
            throw .unauthorized(reason: "the authorizer \(authorizer.name) finds no token", challenge: BearerChallenge.missing)
        }
        let token = try verifiedToken(text, by: entries)
        guard token.isFor(anyOf: authorizer.audiences) else {
            throw .unauthorized(
                reason: TokenRefusal.wrongAudience.description, challenge: BearerChallenge.invalid(.wrongAudience))
        }
        guard authorizer.scopes.isEmpty || !Set(authorizer.scopes).isDisjoint(with: token.scopes) else {
            throw .insufficientScope(authorizer.scopes)
        }
        return TokenCaller(principal: token.principal, claims: token.claims, texts: token.texts)
    }

    private func verify(_ text: [UInt8], by entries: [TokenVerifier]) throws(RouteError) -> TokenCaller {
        let token = try verifiedToken(text, by: entries)
        return TokenCaller(principal: token.principal, claims: token.claims, texts: token.texts)
    }

    private func verifiedToken(_ text: [UInt8], by entries: [TokenVerifier]) throws(RouteError) -> VerifiedToken {
        do throws(TokenRefusal) { return try entries.verify(text, now: now).token } catch {
            throw .unauthorized(reason: error.description, challenge: BearerChallenge.invalid(error))
        }
    }
}

/// The tokens in force, which a reload replaces while requests are answered.
final class CurrentTokens: Sendable {
    private let tokens: Mutex<GatewayTokens>

    init(_ tokens: GatewayTokens) { self.tokens = Mutex(tokens) }

    var value: GatewayTokens { tokens.withLock { $0 } }

    func replace(with next: GatewayTokens) { tokens.withLock { $0 = next } }
}
