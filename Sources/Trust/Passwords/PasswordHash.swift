/// What a password file keeps of one user's password: enough to check it, and slow to guess it from.
package struct PasswordHash: Sendable, Equatable {
    /// How it is worked out from the password.
    enum Scheme: Sendable, Equatable {
        /// `$6$`, as mosquitto wrote it before 2.0: SHA-512 over password and salt, once. Guesses cost next to nothing.
        case saltedSHA512
        /// `$7$`: PBKDF2-HMAC-SHA512.
        case pbkdf2(iterations: Int)
        case argon2id(Argon2Cost)
    }

    /// What a new hash is made by.
    package enum Kind: String, Sendable, CaseIterable {
        case argon2id, pbkdf2
    }

    let scheme: Scheme
    let salt: [UInt8]
    let hash: [UInt8]

    init(scheme: Scheme, salt: [UInt8], hash: [UInt8]) {
        self.scheme = scheme
        self.salt = salt
        self.hash = hash
    }

    /// Makes a hash with a salt drawn at random; takes as long as a check, so never on an event loop.
    ///
    /// - Throws: ``TrustError/unusablePassword(reason:)``, or why there is no hash.
    package init(password: String, by kind: Kind = .argon2id) throws(TrustError) {
        if let problem = ScramText.problem(withPassword: password) { throw .unusablePassword(reason: problem) }
        let scheme: Scheme =
            switch kind {
            case .argon2id: .argon2id(.mosquitto)
            case .pbkdf2: .pbkdf2(iterations: PasswordLimits.iterationsDefault)
            }
        let salt = try [UInt8].random(count: kind == .argon2id ? PasswordLimits.saltBytes : PasswordLimits.saltBytesForPBKDF2)
        let byteCount = kind == .argon2id ? 32 : SHA512.byteCount
        let hash = try Self.derive(Array(password.utf8), scheme: scheme, salt: salt, byteCount: byteCount)
        self.init(scheme: scheme, salt: salt, hash: hash)
    }

    /// Whether guesses at the password cost next to nothing, to whoever has the file.
    var isWeak: Bool { scheme == .saltedSHA512 }

    /// Whether the hash is that of the password; takes as long as the scheme asks, so never on an event loop.
    ///
    /// How long it takes does not depend on the password.
    func matches(_ password: [UInt8]) throws(TrustError) -> Bool {
        try Self.derive(password, scheme: scheme, salt: salt, byteCount: hash.count).isSecretlyEqual(to: hash)
    }

    private static func derive(
        _ password: [UInt8], scheme: Scheme, salt: [UInt8], byteCount: Int
    ) throws(TrustError) -> [UInt8] {
        switch scheme {
        case .saltedSHA512: try SHA512.hash(password + salt)
        case .pbkdf2(let iterations): try SHA512.stretch(password, salt: salt, iterations: iterations)
        case .argon2id(let cost): try Argon2id.hash(password, salt: salt, cost: cost, byteCount: byteCount)
        }
    }
}

extension PasswordHash: CustomStringConvertible {
    /// Without salt and hash, for logs.
    package var description: String {
        switch scheme {
        case .saltedSHA512: "salted SHA-512"
        case .pbkdf2(let iterations): "PBKDF2-HMAC-SHA512 with \(iterations) iterations"
        case .argon2id(let cost): "Argon2id with \(cost.memoryKiB) KiB, \(cost.passes) passes and \(cost.lanes) lanes"
        }
    }
}
