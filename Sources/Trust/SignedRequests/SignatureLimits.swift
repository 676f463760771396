/// The bounds of signatures.
package struct SignatureLimits: Sendable, Equatable {
    /// How far the time of a signature may be from the time here, in seconds, either way.
    package var signatureSkewSecondsMax = 300
    /// How long a signed URL may be good, in seconds from its time.
    package var presignedSecondsMax = 604_800

    package init() {}

    /// The names under `limits:` in the configuration file, with the value each one sets.
    package static let names: [(name: String, path: any WritableKeyPath<SignatureLimits, Int> & Sendable)] = [
        ("signatureSkewSecondsMax", \.signatureSkewSecondsMax), ("presignedSecondsMax", \.presignedSecondsMax),
    ]

    /// Derived keys that are kept; at more than these all are derived anew.
    static let signingKeysMax = 256
    /// Bytes of a region's name.
    static let regionBytesMax = 64
    /// Bytes of an access key's identifier.
    package static let keyIDBytesMax = 128
    /// Bytes of a secret.
    ///
    /// Not fewer than the first: who sees one request may try out secrets on it without asking anybody.
    package static let secretBytes = 16...1_024
}
