import BrokerCore
import MQTTCodec
import NIOCore

/// Whoever knows the password is the client that it says it is, when somebody has looked.
struct LatePasswords: Authorizer {
    static let password = "right"

    private struct Check: CredentialCheck {
        let userName: String
        let isRight: Bool

        func run() -> CheckedCredential {
            if !isRight { return .refuted(.badUserNameOrPassword, "wrong") }
            return .proved(principal: userName, credential: CredentialFingerprint(Array(userName.utf8)))
        }
    }

    var isUnrestricted: Bool { true }

    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        let isRight = connect.password.map { String(buffer: $0) } == Self.password
        return .toBeChecked(Check(userName: connect.userName ?? "", isRight: isRight))
    }

    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
}
