/// What a program signs its requests with, and who it is then.
package struct AccessKey: Sendable, CustomStringConvertible {
    package let id: String
    /// Who the holder is.
    package let principal: String
    let secret: [UInt8]
    /// What requests carry beside the signature, where the key is a temporary one.
    let sessionToken: [UInt8]?

    /// - Throws: for a name or a secret that cannot be used; the reason has no secret in it.
    package init(id: String, secret: String, sessionToken: String? = nil, principal: String) throws(UnusableAccessKey) {
        guard Self.isID(id) else {
            throw UnusableAccessKey(reason: "its `id` must be 1 to \(SignatureLimits.keyIDBytesMax) letters, digits and _")
        }
        guard SignatureLimits.secretBytes.contains(secret.utf8.count) else {
            throw UnusableAccessKey(
                reason: "the secret of \(id) must have \(SignatureLimits.secretBytes.lowerBound) to "
                    + "\(SignatureLimits.secretBytes.upperBound) bytes: who sees one request may try out shorter ones")
        }
        if sessionToken?.isEmpty == true { throw UnusableAccessKey(reason: "the `sessionToken` of \(id) is empty") }
        if let problem = ScramText.problem(withUserName: principal.utf8) {
            throw UnusableAccessKey(reason: "the principal of \(id) cannot be used: \(problem)")
        }
        (self.id, self.principal, self.secret) = (id, principal, Array(secret.utf8))
        self.sessionToken = sessionToken.map { Array($0.utf8) }
    }

    package var description: String { "access key \(id) of \(principal)" }

    static func isID(_ text: String) -> Bool {
        (1...SignatureLimits.keyIDBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Reads a secret from a file that only its owner may read; white space at its end is not part of it.
    package static func secret(file path: String) throws(TrustError) -> String {
        let (bytes, mode) = try FileBytes.read(path, bytesMax: 4 * SignatureLimits.secretBytes.upperBound)
        guard mode & 0o077 == 0 else { throw .credentialsReadableByOthers(path: path, mode: mode) }
        let text = bytes.reversed().drop { $0 <= 0x20 }.reversed()
        return String(decoding: text, as: UTF8.self)
    }

    /// What tells the key from every other one, without being of use to anybody.
    var fingerprint: [UInt8]? {
        let fields = [Array(id.utf8), secret, sessionToken ?? [], Array(principal.utf8)]
        return try? SHA256.hash(Array("access key\0".utf8) + Array(fields.joined(separator: [0])))
    }
}

/// Why an entry of `accessKeys` is none.
package struct UnusableAccessKey: Error, Equatable {
    package let reason: String
}

/// The access keys of a site.
package struct AccessKeys: Sendable {
    private let keys: [String: AccessKey]
    private let fingerprints: [[UInt8]]
    /// Fits nothing; requests of unknown keys are checked by it, so that they take as long as others.
    let decoy: AccessKey

    package var count: Int { keys.count }

    /// - Throws: for two keys with one identifier, and where libcrypto fails.
    package init(_ list: [AccessKey] = []) throws(UnusableAccessKey) {
        var keys: [String: AccessKey] = [:]
        var fingerprints: [[UInt8]] = []
        for key in list {
            guard keys.updateValue(key, forKey: key.id) == nil else { throw UnusableAccessKey(reason: "the id \(key.id) is there twice") }
            guard let fingerprint = key.fingerprint else { throw UnusableAccessKey(reason: "the key \(key.id) cannot be hashed") }
            fingerprints.append(fingerprint)
        }
        guard let random = try? [UInt8].random(count: 40) else { throw UnusableAccessKey(reason: "no random bytes are to be had") }
        (self.keys, self.fingerprints) = (keys, fingerprints)
        decoy = try AccessKey(id: "_", secret: Hexadecimal.text(random), principal: "nobody")
    }

    subscript(id: String) -> AccessKey? { keys[id] }

    /// Whether a key with this fingerprint is among them.
    package func holds(fingerprint: [UInt8]) -> Bool { fingerprints.contains(fingerprint) }
}
