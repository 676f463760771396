import MQTTCodec
import NIOCore
package import Trust

/// A name by which clients of AWS IoT ask for a custom authorizer, and how what they send with it is read.
///
/// With AWS a function judges it; here the listener's own passwords and tokens do. An authorizer only says where the token stands, and who
/// must have signed it beside its issuer.
package struct CustomAuthorizer: Sendable {
    package let name: String
    /// The key in the user name that has the token; nil where the password is what is judged.
    let tokenKey: String?
    /// Of which one must have signed the token (RSA with SHA-256, as AWS asks for it); none where nobody else must.
    let signingKeys: [VerificationKey]

    /// - Parameters:
    ///   - name: as clients write it.
    ///   - tokenKey: the key in the user name that has the token; nil for the password.
    ///   - signingKeys: public keys, of which one must have signed the token; none for no signature.
    package init(name: String, tokenKey: String? = nil, signingKeys: [VerificationKey] = []) {
        (self.name, self.tokenKey, self.signingKeys) = (name, tokenKey, signingKeys)
    }

    /// The token that a user name has, if this authorizer reads one there, once its signature is right.
    fileprivate func token(in userName: AWSUserName) throws(AuthorizerRefusal) -> String? {
        let signature = try userName.service("signature")
        guard let tokenKey else {
            guard signature == nil else {
                throw AuthorizerRefusal("the custom authorizer '\(name)' reads no token, so there is nothing to sign")
            }
            return nil
        }
        guard let token = try userName.value(of: tokenKey) else {
            throw AuthorizerRefusal("the custom authorizer '\(name)' reads a token by the key '\(tokenKey)', and the user name has none")
        }
        guard !signingKeys.isEmpty else {
            // It could say that the token is somebody else's, and nobody would look.
            guard signature == nil else {
                throw AuthorizerRefusal("the custom authorizer '\(name)' has no `signingKeys`, by which a signature could be checked")
            }
            return token
        }
        guard let signature else { throw AuthorizerRefusal("the custom authorizer '\(name)' asks for a signature of the token") }
        guard signingKeys.contains(where: { $0.verifies(base64: signature, of: Array(token.utf8)) }) else {
            throw AuthorizerRefusal("the signature of the token is by no key of the custom authorizer '\(name)'")
        }
        return token
    }
}

/// Why a client that asks for a custom authorizer is refused; never with what it has sent as proof.
struct AuthorizerRefusal: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// What a listener with the AWS dialect judges of a CONNECT.
struct AWSCredentials {
    /// With the name alone as user name and, where an authorizer reads a token, that as password.
    let connect: Connect
    /// Whether the password is a token, and nothing else.
    let isToken: Bool

    private static let nameMax = 128

    /// - Parameters:
    ///   - connect: as it came.
    ///   - authorizers: those of the listener.
    /// - Throws: for an authorizer that is not there, and for what it does not take.
    init(_ connect: Connect, _ authorizers: [CustomAuthorizer]) throws(AuthorizerRefusal) {
        var judged = connect
        guard let text = connect.userName else {
            (self.connect, isToken) = (connect, false)
            return
        }
        let userName = AWSUserName(text)
        // SDKs tell their version where nobody has a name.
        judged.userName = userName.name.isEmpty && connect.password == nil ? nil : userName.name
        if let other = userName.serviceKeys.first(where: { $0 != "name" && $0 != "signature" }) {
            throw AuthorizerRefusal("the user name has 'x-amz-customauthorizer-\(other.prefix(Self.nameMax))', which is not supported")
        }
        guard let name = try userName.service("name") else {
            guard userName.serviceKeys.isEmpty else {
                throw AuthorizerRefusal(
                    "the user name has a signature for a custom authorizer, and names none (x-amz-customauthorizer-name)")
            }
            (self.connect, isToken) = (judged, false)
            return
        }
        guard let authorizer = authorizers.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
            let known =
                authorizers.isEmpty ? "the listener has none" : "the listener has \(authorizers.map(\.name).joined(separator: ", "))"
            throw AuthorizerRefusal(
                "the user name asks for the custom authorizer '\(name.prefix(Self.nameMax))', and \(known) (`authorizers`)")
        }
        let token = try authorizer.token(in: userName)
        if let token {
            judged.userName = userName.name
            judged.password = ByteBuffer(string: token)
        }
        (self.connect, isToken) = (judged, token != nil)
    }
}
