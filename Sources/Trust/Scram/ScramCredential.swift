/// What a server keeps of a user's password for SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677).
///
/// Enough to verify a client and to prove the server to it; not enough to log in with. Whoever steals it can impersonate the server
/// and guess passwords at the price of ``iterations`` each, so it is kept as a key is.
///
/// Verifying takes two HMACs and a hash. The slow PBKDF2 runs here only when a credential is made, and on the client whenever it
/// connects.
package struct ScramCredential: Sendable, Equatable {
    package let salt: [UInt8]
    package let iterations: Int
    let storedKey: [UInt8]
    let serverKey: [UInt8]

    init(salt: [UInt8], iterations: Int, storedKey: [UInt8], serverKey: [UInt8]) {
        self.salt = salt
        self.iterations = iterations
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Makes a credential from a password; takes as long as the iterations ask, so never on an event loop.
    ///
    /// `salt` is drawn at random unless given.
    package init(
        password: String, iterations: Int = ScramLimits.iterationsDefault, salt: [UInt8]? = nil
    ) throws(TrustError) {
        if let problem = ScramText.problem(withPassword: password) { throw .unusablePassword(reason: problem) }
        guard iterations >= ScramLimits.iterationsMin, iterations <= ScramLimits.iterationsMax, let count = Int32(exactly: iterations)
        else {
            throw .iterationsOutOfRange(iterations: iterations, min: ScramLimits.iterationsMin, max: ScramLimits.iterationsMax)
        }
        var bytes = salt ?? []
        if salt == nil { bytes = try .random(count: ScramLimits.saltBytes) }
        guard (1...ScramLimits.saltBytesMax).contains(bytes.count) else {
            throw .tooLarge(source: "a salt", bytes: bytes.count, limit: ScramLimits.saltBytesMax)
        }
        let salted = try SHA256.stretch(Array(password.utf8), salt: bytes, iterations: count)
        self.init(
            salt: bytes, iterations: iterations, storedKey: try SHA256.hash(SHA256.authenticate(Array("Client Key".utf8), key: salted)),
            serverKey: try SHA256.authenticate(Array("Server Key".utf8), key: salted))
    }
}

extension ScramCredential: CustomStringConvertible {
    /// Without the keys, for logs.
    package var description: String { "SCRAM-SHA-256 with \(iterations) iterations" }
}

/// The text form, which PostgreSQL and others also use: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`, the last three in Base64.
extension ScramCredential {
    static let scheme = "SCRAM-SHA-256$"

    package var text: String {
        let parts = [salt, storedKey, serverKey].map { String(decoding: Base64.text($0), as: UTF8.self) }
        return "\(Self.scheme)\(iterations):\(parts[0])$\(parts[1]):\(parts[2])"
    }

    /// Why a text is no credential, in words that repeat nothing secret.
    struct Malformed: Error {
        var reason: String
    }

    /// Reads what follows ``scheme``.
    init(afterScheme text: ArraySlice<UInt8>) throws(Malformed) {
        let halves = text.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        guard halves.count == 2 else { throw Malformed(reason: "expected iterations:salt$StoredKey:ServerKey after \(Self.scheme)") }
        let cost = halves[0].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let keys = halves[1].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard cost.count == 2, keys.count == 2 else {
            throw Malformed(reason: "expected iterations:salt$StoredKey:ServerKey after \(Self.scheme)")
        }
        let allowed = ScramLimits.iterationsMin...ScramLimits.iterationsMax
        let digits = cost[0].allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard digits, let iterations = Int(String(decoding: cost[0], as: UTF8.self)), allowed.contains(iterations) else {
            throw Malformed(reason: "iterations must be a number from \(allowed.lowerBound) to \(allowed.upperBound)")
        }
        guard let salt = Base64.bytes(cost[1]), salt.count <= ScramLimits.saltBytesMax else {
            throw Malformed(reason: "the salt is not Base64 of 1 to \(ScramLimits.saltBytesMax) bytes")
        }
        self.init(
            salt: salt, iterations: iterations, storedKey: try Self.key(keys[0], "StoredKey"), serverKey: try Self.key(keys[1], "ServerKey")
        )
    }

    private static func key(_ text: ArraySlice<UInt8>, _ name: String) throws(Malformed) -> [UInt8] {
        guard let bytes = Base64.bytes(text), bytes.count == SHA256.byteCount else {
            throw Malformed(reason: "\(name) is not Base64 of \(SHA256.byteCount) bytes")
        }
        return bytes
    }
}
