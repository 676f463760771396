import Documents
import Synchronization
import Tokens
import Trust

/// Who administers, listener by listener, in the configuration in force.
final class Administrators: Sendable {
    /// What a listener takes of them.
    struct Credentials: Sendable {
        var secret: SharedSecret?
        var tokens: [TokenVerifier]
    }

    private let credentials: Mutex<[String: Credentials]>

    init(_ credentials: [String: Credentials]) { self.credentials = Mutex(credentials) }

    func replace(with next: [String: Credentials]) { credentials.withLock { $0 = next } }

    /// Why what is shown to a listener makes nobody an administrator; `nil` when it does.
    func refusal(of shown: [UInt8], on listener: String) -> String? {
        guard let known = credentials.withLock({ $0[listener] }) else { return "the listener takes none" }
        if let secret = known.secret, secret.matches(shown) { return nil }
        guard !known.tokens.isEmpty, known.secret == nil || TokenShape.fits(shown) else { return "it is not the listener's secret" }
        do throws(TokenRefusal) {
            _ = try known.tokens.verify(shown, now: WallClock.now())
            return nil
        } catch {
            return error.description
        }
    }
}

extension LoadedConfiguration {
    /// What the listeners for people take, by the listener's name.
    func administrators(_ tokens: TokensInForce) -> [String: Administrators.Credentials] {
        var credentials: [String: Administrators.Credentials] = [:]
        for listener in configuration.listeners where listener.protocol == .admin {
            let secret = adminSecrets[listener.name]
            let taken = tokens.byListener[listener.name] ?? []
            if secret != nil || !taken.isEmpty { credentials[listener.name] = .init(secret: secret, tokens: taken) }
        }
        return credentials
    }
}
