/// The server's side of one exchange of SCRAM-SHA-256 (RFC 5802, RFC 7677): a user proves a password without sending it.
///
/// Feed it what the client sends, and do as it answers. Four messages make an exchange:
///
/// ```
/// client-first  n,,n=user,r=<client nonce>
/// server-first  r=<client nonce><server nonce>,s=<salt>,i=<iterations>
/// client-final  c=biws,r=<both nonces>,p=<proof>
/// server-final  v=<signature>            or  e=<error>
/// ```
///
/// Touches no socket and waits for nothing; one exchange costs a few microseconds. There is no channel binding: `n` and `y` are taken, `p=` is
/// refused by name, so MQTT's own protection is TLS below it. A name that nobody has takes the same steps as one that somebody has, and
/// fails as a wrong password does. User names are bytes: see ``ScramCredentials``.
package struct ScramServer: Sendable {
    /// The name of the mechanism, in MQTT 5 the authentication method.
    package static let mechanism = "SCRAM-SHA-256"

    package enum Answer: Equatable, Sendable {
        /// Send this; the client's next message is awaited.
        case challenge([UInt8])
        /// The client is this user. Send the message, by which the server proves itself.
        case accepted(userName: String, serverFinal: [UInt8])
        /// It is over. ``ScramFailure/serverFinal`` may be sent.
        case refused(ScramFailure)
    }

    private enum State {
        case awaitingFirst
        case awaitingFinal(Challenge)
        case ended
    }

    /// What the last message is judged by.
    private struct Challenge {
        var first: ScramClientFirst
        var nonce: [UInt8]
        var serverFirst: [UInt8]
        var credential: ScramCredential
        var isKnown: Bool
    }

    private let credentials: ScramCredentials
    private let serverNonce: [UInt8]?
    private var state = State.awaitingFirst

    /// Begins an exchange.
    ///
    /// `serverNonce` is for tests: printable characters without a comma, instead of a random one.
    package init(credentials: ScramCredentials, serverNonce: String? = nil) {
        self.credentials = credentials
        self.serverNonce = serverNonce.map { Array($0.utf8) }
    }

    /// Takes the client's next message.
    package mutating func received(_ message: [UInt8]) -> Answer {
        let before = state
        state = .ended
        do throws(ScramFailure) {
            switch before {
            case .awaitingFirst:
                let challenge = try challenge(for: message)
                state = .awaitingFinal(challenge)
                return .challenge(challenge.serverFirst)
            case .awaitingFinal(let challenge): return try verdict(on: message, challenge)
            case .ended: throw .exchangeEnded
            }
        } catch {
            return .refused(error)
        }
    }

    private func challenge(for message: [UInt8]) throws(ScramFailure) -> Challenge {
        let first = try ScramClientFirst(message)
        do throws(TrustError) {
            let (credential, isKnown) = try credentials.credential(of: first.userName)
            var nonce = first.nonce
            if let serverNonce {
                nonce += serverNonce
            } else {
                nonce += Base64.text(try .random(count: ScramLimits.serverNonceBytes))
            }
            let salt = Base64.text(credential.salt)
            let serverFirst = Array("r=".utf8) + nonce + Array(",s=".utf8) + salt + Array(",i=\(credential.iterations)".utf8)
            return Challenge(first: first, nonce: nonce, serverFirst: serverFirst, credential: credential, isKnown: isKnown)
        } catch {
            throw .cryptography(error.description)
        }
    }

    private func verdict(on message: [UInt8], _ challenge: Challenge) throws(ScramFailure) -> Answer {
        let final = try ScramClientFinal(message)
        guard final.header == challenge.first.header else { throw .channelBindingDiffers }
        guard final.nonce == challenge.nonce else { throw .nonceDiffers }
        let comma = [UInt8(ascii: ",")]
        let signed = challenge.first.bare + comma + challenge.serverFirst + comma + final.withoutProof
        let credential = challenge.credential
        do throws(TrustError) {
            let signature = try SHA256.authenticate(signed, key: credential.storedKey)
            let clientKey = zip(final.proof, signature).map { $0 ^ $1 }
            let isProved = try SHA256.hash(clientKey).isSecretlyEqual(to: credential.storedKey)
            let proof = try SHA256.authenticate(signed, key: credential.serverKey)
            guard isProved && challenge.isKnown else { return .refused(.proofRejected) }
            let userName = String(decoding: challenge.first.userName, as: UTF8.self)
            return .accepted(userName: userName, serverFinal: Array("v=".utf8) + Base64.text(proof))
        } catch {
            throw .cryptography(error.description)
        }
    }
}
