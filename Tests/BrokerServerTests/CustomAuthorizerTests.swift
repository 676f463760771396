import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing
import Tokens
import Trust

@testable import BrokerServer

/// What AWS IoT's clients send to a custom authorizer, and who judges it here.
@Suite struct CustomAuthorizerTests {
    private static let now: Int64 = 1_000_000
    private static let good = TestToken.of("bob", until: now + 60)

    /// The principal, `password` for a check that would be made, or why the client is refused.
    private func answer(
        _ userName: String?, password: String? = nil, takesPasswords: Bool = true, takesTokens: Bool = true, dialect: Dialect = .aws,
        principal: String? = nil, anonymous: Bool = false
    ) throws -> String? {
        let authorizer = SiteAuthorizer(
            passwords: takesPasswords ? ["l": try PasswordFile(text: [])] : [:],
            tokens: takesTokens ? ["l": [try TestToken.verifier()]] : [:],
            authorizers: [
                "l": [
                    CustomAuthorizer(name: "till"), CustomAuthorizer(name: "shop", tokenKey: "token"),
                    CustomAuthorizer(name: "signed", tokenKey: "token", signingKeys: try Self.keys),
                ],
                "other": [CustomAuthorizer(name: "elsewhere")],
            ], clock: { Self.now })
        let connect = Connect(clientID: "c", userName: userName, password: password.map { ByteBuffer(string: $0) })
        let info = ConnectionInfo(
            peer: "c:1", listener: "l", allowsAnonymous: anonymous, principal: principal, terms: ListenerTerms(dialect: dialect))
        return switch authorizer.authenticate(connect, on: info) {
        case .accepted(let principal, _): principal
        case .proved(let principal, _): principal
        case .refused(_, let reason): reason
        case .toBeChecked: "password"
        }
    }

    private func asking(_ name: String, _ more: String = "") -> String { "ann?SDK=PythonV2&x-amz-customauthorizer-name=\(name)\(more)" }

    private static let wrongPassword = "wrong user name or password: the listener's file has no users"

    @Test func whatTheListenerTakesIsAsked() throws {
        #expect(try answer(asking("till"), password: "secret") == Self.wrongPassword)
        #expect(try answer(asking("till"), password: Self.good) == "bob")
        #expect(try answer(asking("shop", "&token=\(Self.good)")) == "bob")
        // The token says who it is, and a password beside it nothing.
        #expect(try answer(asking("shop", "&token=\(Self.good)"), password: "secret") == "bob")
        #expect(try answer("?x-amz-customauthorizer-name=shop&token=\(Self.good)") == "bob")
    }

    @Test("A token that is none is no password of the name before it") func badTokens() throws {
        for token in ["secret", "", Self.good + "x", TestToken.of("bob", until: Self.now - 600)] {
            let refusal = try #require(try answer(asking("shop", "&token=\(token)")))
            #expect(refusal.contains("token") && refusal != Self.wrongPassword, "\(token): \(refusal)")
        }
    }

    @Test(
        "What no authorizer of the listener takes is refused, whoever else the client proves to be",
        arguments: [
            ("nobody", "", "asks for the custom authorizer 'nobody', and the listener has till, shop, signed"),
            ("elsewhere", "", "the custom authorizer 'elsewhere'"), ("Shop", "", "'Shop'"), ("", "", "the custom authorizer ''"),
            ("shop", "", "reads a token by the key 'token', and the user name has none"),
            ("shop", "&Token=x", "the user name has none"), ("shop", "&token=x&token=y", "'token' twice"),
            ("shop&x-amz-customauthorizer-name=till", "", "twice"), ("shop", "&token=%zz", "is no URL encoding"),
            ("till", "&x-amz-customauthorizer-signature=QUJD", "there is nothing to sign"),
            ("shop", "&token=x&x-amz-customauthorizer-signature=QUJD", "has no `signingKeys`"),
            ("till", "&x-amz-customauthorizer-other=1", "'x-amz-customauthorizer-other', which is not supported"),
        ])
    func refusals(name: String, more: String, words: String) throws {
        for (principal, anonymous) in [(nil, false), (nil, true), ("holder", false)] {
            let refusal = try answer(asking(name, more), password: Self.good, principal: principal, anonymous: anonymous)
            #expect(refusal?.contains(words) == true, "\(refusal ?? "let in")")
            #expect(refusal?.contains(Self.good) == false)
        }
        let signature = try answer("ann?x-amz-customauthorizer-signature=QUJD", password: "secret")
        #expect(signature?.contains("names none") == true)
    }

    @Test("A listener of the standard reads nothing in a user name") func otherDialect() throws {
        #expect(try answer(asking("nobody"), password: Self.good, dialect: .standard) == "bob")
        #expect(try answer(asking("nobody"), password: "secret", dialect: .standard) == Self.wrongPassword)
    }

    @Test("An SDK's version alone is nobody's name") func versions() throws {
        #expect(try answer("?SDK=PythonV2&Version=1", anonymous: true) == nil)
        #expect(try answer("?SDK=PythonV2&Version=1", principal: "holder") == "holder")
        let refusal = try answer("ann?SDK=PythonV2&Version=1", anonymous: true)
        #expect(refusal?.contains("a user name without a password") == true)
    }

    // MARK: - Signatures

    /// Made by `openssl genrsa 2048` for this test, and kept by nobody.
    private static var keys: [VerificationKey] { get throws { try VerificationKey.rsaKeys(pem: Array(publicKey.utf8)) } }

    @Test("Where keys are named, one of them must have signed the token") func signatures() throws {
        let (token, signature) = (Self.signedToken, Self.signature)
        func asked(_ token: String, _ signature: String?) throws -> String? {
            try answer(asking("signed", "&token=\(token)" + (signature.map { "&x-amz-customauthorizer-signature=\($0)" } ?? "")))
        }
        let encoded = signature.replacing("+", with: "%2B").replacing("/", with: "%2F").replacing("=", with: "%3D")
        for written in [signature, encoded] {
            #expect(try asked(token, written)?.contains("by no key") == false, "the token is looked at then")
        }
        #expect(try asked(token, nil)?.contains("asks for a signature") == true)
        for wrong in ["", "QUJD", "no base64", String(signature.dropLast(8)) + "AAAAAA==", signature + "%20"] {
            #expect(try asked(token, wrong)?.contains("by no key of the custom authorizer 'signed'") == true, "\(wrong)")
        }
        #expect(try asked(Self.good, signature)?.contains("by no key") == true, "it signs another token")
    }

    private static let signedToken = "opaque-token-7"
    private static let signature =
        "Qh4RFJ7FVa+FuBbvLGR7SSokeuWLsJHJ13mQS5fMI92W7pf5iWgL+zvhhlZO+pFGP4b+nLXdjs3uIjbTbSSl8nqchxEEiY0x7ALU"
        + "4DxA87N5wBqh9qGiKI+PaHFbXbQBPE0A6K1Vah0PRpi8hf9vVtbKT/uOioClzzn4oWMiIH0f2XlaiwrrxKoPNRd+kXCoEuoYXFnv"
        + "8Pbl+Zwg7uDz8KJSszqaQTI80ezxPvxcWbL2H5JBJWQb+Dz8tEl4E93zAfE2bIaYTJNm696X0/pYq4DtM2D/D0/gFkX3RQ1/dA8c"
        + "klfvOG89nVacO4stzn6fUvP82h4MdDa+uXBw2ldD3Q=="
    private static let publicKey = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlqpO+Fw+oCl1yLHbW7or
        uJo+00VihOefzCSl3PGC7yV0bj2vZJ61f2Pcz1BjhOLCS8WGsz4tByXqlf0aBfnN
        vmxH/JpzTbF58YbyO/zdSbTivCt6oyO/Dn5djQfySo9hPlHWBWI5F25s81M+37EF
        Wp9ILNaHexL41KWOxqXXQX7bHOGgUMZwEDbtwoi/Pz9JLBYcIx9Z3B0j/abemctU
        ns3Tw7EbHUPd+Q23l/hFEHm7ojFZPCdvCGL2J0XLlGwIjm7HPjLs6D2VjfQ1K4W2
        YVDxj2mCyTVoIt20xdX8Ef9kWesWkMPwbJbpos+BH51YPO5ZA2agRsY965goUPjY
        zQIDAQAB
        -----END PUBLIC KEY-----
        """
}
