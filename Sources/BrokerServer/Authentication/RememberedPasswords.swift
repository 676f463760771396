import BrokerCore
import Synchronization
import Trust

/// Passwords that were right, so that clients that come back are not waited for.
///
/// Of each no more is kept than a keyed hash over the user, the password and what the file has of it, with a key of this process: a
/// user's other password, or another user's same one, is not found. Wrong ones are not remembered.
final class RememberedPasswords: Sendable {
    /// `nil` when libcrypto has no random bytes: then nothing is remembered.
    private let key: [UInt8]?
    private let secondsMax: Double
    /// By keyed hash, until when it counts.
    private let known: Mutex<RecentTable<[UInt8], Instant>>

    init(limits: CredentialLimits) {
        key = try? [UInt8].random(count: 32)
        secondsMax = Double(limits.passwordsRememberedSecondsMax)
        known = Mutex(RecentTable(capacity: limits.passwordsRememberedMax))
    }

    func knows(_ password: [UInt8], of entry: PasswordEntry, now: Instant) -> Bool {
        guard let key, let remembrance = entry.remembrance(of: password, key: key) else { return false }
        return known.withLock { $0.value(of: remembrance) }.map { $0 > now } ?? false
    }

    func remember(_ password: [UInt8], of entry: PasswordEntry, now: Instant) {
        guard let key, let remembrance = entry.remembrance(of: password, key: key) else { return }
        let until = now.advanced(bySeconds: secondsMax)
        known.withLock { $0.update(remembrance, fresh: until) { $0 = until } }
    }
}
