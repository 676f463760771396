/// Every bound of signed tokens here: what lies beyond is refused by name.
package struct TokenLimits: Sendable, Equatable {
    /// Bytes of a token.
    package static let tokenBytesMax = 8_192
    /// Levels of JSON in a token or a set of keys.
    package static let depthMax = 16
    /// Bytes of a set of keys.
    package static let keySetBytesMax = 262_144
    /// Keys of a set that are taken; more fail the set.
    package static let keysMax = 64
    /// Keys that are tried for one token which names none, or one that several have.
    package static let keysTriedMax = 4
    /// UTF-8 bytes of a principal, as of a certificate's.
    package static let principalBytesMax = 256
    /// The most that ``tokenClockSkewSecondsMax`` may be.
    static let clockSkewSecondsAlways = 60

    /// Seconds that the clocks of an issuer and of this machine may differ, 60 at the most whatever is set.
    package var tokenClockSkewSecondsMax = clockSkewSecondsAlways
    /// Verified tokens that are remembered for each entry of `tokens`; the oldest makes room.
    package var tokensVerifiedMax = 4_096
    /// Seconds between two fetches of a set of keys while all goes well.
    package var tokenKeysRefreshSeconds = 300
    /// Seconds between two fetches at least, however many tokens name a key that is not in the set, and after one that failed.
    package var tokenKeysPauseSeconds = 15
    /// Seconds that fetched keys hold while no newer ones can be fetched; then every token is refused.
    package var tokenKeysKeptSecondsMax = 86_400

    package init() {}

    var clockSkewSeconds: Int64 { Int64(min(tokenClockSkewSecondsMax, Self.clockSkewSecondsAlways)) }

    /// The names under `limits:` in the configuration file, with the value each one sets.
    package static let names: [(name: String, path: any WritableKeyPath<TokenLimits, Int> & Sendable)] = [
        ("tokenClockSkewSecondsMax", \.tokenClockSkewSecondsMax), ("tokensVerifiedMax", \.tokensVerifiedMax),
        ("tokenKeysRefreshSeconds", \.tokenKeysRefreshSeconds), ("tokenKeysPauseSeconds", \.tokenKeysPauseSeconds),
        ("tokenKeysKeptSecondsMax", \.tokenKeysKeptSecondsMax),
    ]
}
