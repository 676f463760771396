import BrokerCore
import HTTPExchange
import HTTPListening
import Hummingbird
import NIOCore
import Trust

/// Finds out who calls: by the signature of a request or a token, where the listener takes such, or nobody, where it takes anybody.
struct CallerCheck: Sendable {
    /// A request whose signature is right as far as that can be said without its body.
    struct Unfinished {
        fileprivate let check: CallerCheck
        fileprivate let pending: SignatureVerifier.Pending?
        /// Whom a token names, that nobody signed for.
        var shown: TokenCaller?
        /// Where the request comes from.
        fileprivate let address: String?

        var isSigned: Bool { pending != nil }
        /// Whether a token or a signature says who calls; a signature is only right when ``finish(_:)`` has said so.
        var isProved: Bool { isSigned || shown != nil }

        /// Reads the body, and finds out who calls.
        func finish(_ request: Request, bodyBytesMax: Int, seconds: Int) async throws(ServiceError) -> (body: ByteBuffer, caller: Caller) {
            let body: ByteBuffer
            do throws(BodyReadError) { body = try await request.readBody(upTo: bodyBytesMax, seconds: seconds) } catch {
                throw ServiceError(error)
            }
            do throws(SignatureFailure) { return (body, try finish(body)) } catch { throw ServiceError(error) }
        }

        /// Who calls, now that the body is there.
        func finish(_ body: ByteBuffer) throws(SignatureFailure) -> Caller {
            guard let pending, let signatures = check.signatures else {
                return check.caller(shown?.principal, claims: shown?.texts ?? [:], from: address)
            }
            return check.caller(try signatures.finish(pending, body: body.readableBytesView).principal, claims: [:], from: address)
        }
    }

    /// Whether the listener takes requests that prove nothing.
    let anonymous: Bool
    /// Knows the access keys; `nil` where signatures are not looked at.
    let signatures: SignatureVerifier?
    let authorizer: any Authorizer

    /// Whether nobody is ever let in, but for who shows a token.
    var isClosed: Bool { !anonymous && signatures == nil }

    /// Whether a request carries a signature that is looked at here.
    func judges(_ request: Request) -> Bool { signatures != nil && SignedRequest(request).isSigned }

    /// A caller who is left to somebody else to judge.
    func unproved(from address: String?) -> Unfinished { Unfinished(check: self, pending: nil, address: address) }

    /// Looks at a request before its body.
    ///
    /// A signature that comes with it must be right, also where none is needed: who signs wrongly is not let in as somebody else.
    ///
    /// - Parameters:
    ///   - request: as it came.
    ///   - service: what it must be signed for; `nil` for what is not there.
    ///   - token: whom a token names that was verified.
    ///   - address: where it comes from.
    /// - Returns: what is to be finished with the body.
    /// - Throws: why the caller is not believed to be anybody.
    func begin(
        _ request: Request, for service: String?, shown token: TokenCaller?, from address: String?
    ) throws(SignatureFailure) -> Unfinished {
        if let token { return Unfinished(check: self, pending: nil, shown: token, address: address) }
        let signed = SignedRequest(request)
        if let signatures, signed.isSigned {
            return Unfinished(check: self, pending: try signatures.begin(signed, for: service), address: address)
        }
        guard anonymous else { throw .missing }
        return unproved(from: address)
    }

    private func caller(_ principal: String?, claims: [String: String], from address: String?) -> Caller {
        let attributes = authorizer.attributes(ofCaller: claims, from: address)
        let publisher = Publisher(clientID: nil, principal: principal, notes: AuthorizerNotes(attributes: attributes))
        return Caller(publisher: publisher, authorizer: authorizer)
    }
}

extension SignedRequest {
    /// The request with its `Host`, which Hummingbird keeps beside the headers.
    fileprivate init(_ request: Request) {
        var headers = request.headers.map { (name: $0.name.canonicalName, value: $0.value) }
        if let host = request.head.authority { headers.append((name: "host", value: host)) }
        self.init(method: request.method.rawValue, target: request.head.path ?? "/", headers: headers)
    }
}

extension ServiceError {
    /// What a request is answered that is signed wrongly, or not at all.
    init(_ failure: SignatureFailure) {
        let code: Code =
            switch failure {
            case .missing: .missingAuthenticationToken
            case .incomplete: .incompleteSignature
            case .unknownKey: .unrecognizedClient
            case .wrongScope, .wrongTime, .unsigned, .wrongBody, .mismatch: .invalidSignature
            case .unavailable: .serviceUnavailable
            }
        self.init(code, failure.description)
    }
}
