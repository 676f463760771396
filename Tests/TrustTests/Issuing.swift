import Foundation

@testable import Trust

/// Moments and authorities that the tests share.
enum Issuing {
    static let now = Int64(Date().timeIntervalSince1970)
    static let day: Int64 = 86_400

    static func authority(_ validity: Validity? = nil) throws -> CertificateAuthority {
        try CertificateAuthority.create(validity: validity ?? Validity(notBefore: now - 400 * day, notAfter: now + 3_650 * day))
    }

    static func client(_ name: String, of authority: CertificateAuthority, _ validity: Validity? = nil) throws -> KeyPair {
        try authority.issueClient(name: ThingName(name), validity: validity ?? Validity(days: 825, from: now))
    }

    static func server(_ names: [String], of authority: CertificateAuthority) throws -> KeyPair {
        try authority.issueServer(names: names.map { try AlternativeName(parsing: $0) }, validity: Validity(days: 825, from: now))
    }
}

/// SplitMix64: the same numbers from the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
