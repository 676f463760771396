import BrokerCore
import MQTTCodec
import NIOCore
import Trust

/// The users of one listener's password file, and whose password was right.
final class ListenerPasswords: Sendable {
    private let file: PasswordFile
    private let remembered: RememberedPasswords

    init(_ file: PasswordFile, limits: CredentialLimits) {
        self.file = file
        remembered = RememberedPasswords(limits: limits)
    }

    /// How many users the file has.
    var count: Int { file.count }

    func fingerprint(of userName: String) -> [UInt8]? { file.fingerprint(of: userName) }

    /// The answer to a CONNECT with a user name, a password, or both.
    func authenticate(userName: String?, password: ByteBuffer?, now: Instant) -> Authentication {
        guard let userName, let password else {
            return .refused(.badUserNameOrPassword, "a user name without a password, or a password without a user name")
        }
        let bytes = Array(password.readableBytesView)
        guard let entry = file.entry(of: Array(userName.utf8)) else {
            return .refused(.badUserNameOrPassword, "\(PasswordCheck.wrong): the listener's file has no users")
        }
        if remembered.knows(bytes, of: entry, now: now), let fingerprint = entry.fingerprint {
            return .accepted(principal: userName, credential: CredentialFingerprint(fingerprint))
        }
        return .toBeChecked(PasswordCheck(userName: userName, password: bytes, entry: entry, remembered: remembered))
    }
}

/// One password, to be hashed as its user's is.
struct PasswordCheck: CredentialCheck {
    /// Which of the two is not told.
    static let wrong = "wrong user name or password"

    let userName: String
    let password: [UInt8]
    let entry: PasswordEntry
    let remembered: RememberedPasswords

    /// Only now: a password that was found right for nobody would be known by how fast the next answer comes.
    func answered() { remembered.remember(password, of: entry, now: .now) }

    func run() -> CheckedCredential {
        do throws(TrustError) {
            guard try entry.matches(password) else { return .refuted(.badUserNameOrPassword, Self.wrong) }
        } catch {
            return .undecided(.serverUnavailable, error.description)
        }
        guard let fingerprint = entry.fingerprint else { return .undecided(.serverUnavailable, "the password's hash could not be hashed") }
        return .proved(principal: userName, credential: CredentialFingerprint(fingerprint))
    }
}
