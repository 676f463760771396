import BrokerCore
import HTTPExchange
import NIOHTTP1
import Trust

/// Who signed the request that opens a WebSocket connection, as AWS IoT's clients do: the connection is theirs.
struct RequestSigner: Equatable {
    /// What clients sign for.
    static let service = "iotdevicegateway"

    let principal: String
    /// Of the access key, which may be taken back while the connection lasts.
    let credential: CredentialFingerprint

    /// Reads and checks a request's signature; `nil` for a request that is not signed.
    ///
    /// - Parameters:
    ///   - head: the request, which has no body.
    ///   - signatures: knows the keys; where there is nobody who does, no signature is looked at.
    /// - Throws: the answer to one that is, and not rightly: it is let in as nobody else either.
    init?(of head: HTTPRequestHead, by signatures: SignatureVerifier?) throws(HTTPRefusal) {
        let request = SignedRequest(
            method: head.method.rawValue, target: head.uri, headers: head.headers.map { (name: $0.name, value: $0.value) })
        guard let signatures, request.isSigned else { return nil }
        do throws(SignatureFailure) {
            let signer = try signatures.finish(try signatures.begin(request, for: Self.service), body: [])
            (principal, credential) = (signer.principal, CredentialFingerprint(signer.fingerprint))
        } catch {
            throw HTTPRefusal(.forbidden, error.description)
        }
    }
}
