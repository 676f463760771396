import BrokerCore
import MQTTCodec
import NIOCore
import Rights
import Tokens

/// Clients that show a JSON Web Token in the place of their password.
///
/// The user name is the client's to choose, and only logged: who it is, the token says. Checked on the client's event loop, for that takes
/// less time than a TLS handshake takes there; a token that was seen before is looked up.
struct TokenCheck: Sendable {
    /// The entries of `tokens` that are taken, by the listener's name.
    let verifiers: [String: [TokenVerifier]]

    /// What the log tells of a credential that a token gave, so that it is told from those of other kinds.
    private static let mark = Array("token:".utf8)

    func takesTokens(_ connection: ConnectionInfo) -> Bool { verifiers[connection.listener] != nil }

    /// The answer to a client with a user name or a password; `nil` where that is for others to judge, or no tokens are taken.
    ///
    /// Where the listener takes passwords of other kinds, too, a password that has the shape of a token is one, and no other is.
    ///
    /// - Parameters:
    ///   - connect: what the client sent.
    ///   - connection: where it came.
    ///   - takesPasswords: whether the listener does.
    ///   - now: seconds since 1970.
    /// - Returns: the answer.
    func authenticate(_ connect: Connect, on connection: ConnectionInfo, takesPasswords: Bool, now: Int64) -> Authentication? {
        guard let verifiers = verifiers[connection.listener] else { return nil }
        guard let password = connect.password else {
            // Who claims to be somebody is not let in as nobody.
            return takesPasswords ? nil : .refused(.badUserNameOrPassword, "a user name, and no token (JWT) as password")
        }
        let bytes = Array(password.readableBytesView)
        if takesPasswords, !TokenShape.fits(bytes) { return nil }
        do throws(TokenRefusal) {
            let (principal, proof) = try Self.proof(bytes, by: verifiers, now: now)
            return .proved(principal: principal, proof)
        } catch {
            // 0x86: trying again with the same does not help.
            return .refused(.badUserNameOrPassword, error.description)
        }
    }

    /// The same for a token that is data of enhanced authentication; `nil` where no tokens are taken, or something else says who the client is.
    func exchange(on connection: ConnectionInfo, clock: @escaping @Sendable () -> Int64) -> TokenExchange? {
        guard connection.principal == nil, let verifiers = verifiers[connection.listener] else { return nil }
        return TokenExchange { bytes in
            do throws(TokenRefusal) {
                let (principal, proof) = try Self.proof(bytes, by: verifiers, now: clock())
                return .proved(principal: principal, proof)
            } catch {
                return .refused(.notAuthorized, error.description)
            }
        }
    }

    private static func proof(
        _ bytes: [UInt8], by verifiers: [TokenVerifier], now: Int64
    ) throws(TokenRefusal) -> (principal: String, proof: Proof) {
        let (token, verifier) = try verifiers.verify(bytes, now: now)
        let proof = Proof(
            credential: CredentialFingerprint(mark + token.credential), seconds: Int(clamping: verifier.end(of: token) - now),
            attributes: attributes(of: token))
        return (token.principal, proof)
    }

    private static func attributes(of token: VerifiedToken) -> [String: String] {
        var attributes: [String: String] = [:]
        for (name, text) in token.texts { attributes[ClaimVariable.prefix + name] = text }
        return attributes
    }

    /// Why a credential that a token gave counts no more; `nil` when it does.
    func refusal(of credential: CredentialFingerprint, on connection: ConnectionInfo) -> String? {
        let wanted = Array(credential.bytes.dropFirst(Self.mark.count))
        if verifiers[connection.listener]?.contains(where: { $0.stillTakes(wanted) }) ?? false { return nil }
        return "the key that signed the client's token is not taken any more, or `tokens` asks for another token"
    }

    static func isToken(_ credential: CredentialFingerprint) -> Bool { credential.bytes.starts(with: mark) }
}
