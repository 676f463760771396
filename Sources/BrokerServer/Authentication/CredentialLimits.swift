import Trust

/// What the checks of passwords may take: each limit's name in the configuration and its default.
package struct CredentialLimits: Sendable, Equatable {
    /// Passwords that are hashed at the same time, each on a thread of its own that gives way to the event loops.
    ///
    /// Each takes as much memory as the user's hash asks for, at most ``PasswordLimits/argon2KiBMax`` KiB.
    package var passwordThreadsMax = 2
    /// Passwords that were right, remembered by a keyed hash so that their clients come back without being waited for; beyond it those not
    /// seen for longest are hashed again, at least half are the last ones.
    package var passwordsRememberedMax = 10_000
    /// Seconds after which a password that was right is hashed again.
    package var passwordsRememberedSecondsMax = 3_600

    package init() {}

    /// The names under `limits:` in the configuration file, with the value each one sets.
    ///
    /// All count at least 1.
    package static let names: [(name: String, path: any WritableKeyPath<CredentialLimits, Int> & Sendable)] = [
        ("passwordThreadsMax", \.passwordThreadsMax), ("passwordsRememberedMax", \.passwordsRememberedMax),
        ("passwordsRememberedSecondsMax", \.passwordsRememberedSecondsMax),
    ]
}
