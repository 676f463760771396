import Rules
package import Trust

/// Why a set of keys cannot be used.
package struct KeySetError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// The keys of an issuer: a JSON Web Key Set (RFC 7517), or one secret.
///
/// A set is taken whole or not at all, so that a mistake in it is seen. Keys for other purposes are passed over: `use` other than `sig`,
/// `key_ops` without `verify`, kinds and curves that sign nothing here.
package struct KeySet: Sendable {
    struct Entry: Sendable {
        /// `kid`.
        var name: [UInt8]?
        /// `alg`, where the key is for one algorithm only.
        var algorithm: SignatureAlgorithm?
        var key: VerificationKey
    }

    let entries: [Entry]

    /// Names of the keys and their kinds, for people.
    package var summary: String { entries.map(\.key.kind.rawValue).joined(separator: ", ") }

    /// A secret that the issuer signs with, too.
    package init(secret: [UInt8]) throws(TrustError) { entries = [Entry(key: try .secret(secret))] }

    /// Reads a set.
    ///
    /// - Throws: for what is no set, holds no key that signs, a key that is too weak or broken, more than ``TokenLimits/keysMax`` keys,
    ///   the secret of a key (then it is no secret any more), or a symmetric one.
    package init(json bytes: [UInt8]) throws(KeySetError) {
        let limits = JSONLimits(bytesMax: TokenLimits.keySetBytesMax, depthMax: TokenLimits.depthMax)
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: bytes, limits: limits) } catch {
            throw KeySetError("the set of keys is not JSON: \(error)")
        }
        guard !document.repeatsMembers else { throw KeySetError("the set of keys has a member twice") }
        guard let keys = document.root["keys"], keys.kind == .array else {
            throw KeySetError("this is no set of keys: it must be {\"keys\": […]} (RFC 7517)")
        }
        var entries: [Entry] = []
        for (index, key) in keys.elements.enumerated() {
            guard let entry = try Self.entry(key, "key \(index + 1) of the set") else { continue }
            guard entries.count < TokenLimits.keysMax else {
                throw KeySetError("the set has more than \(TokenLimits.keysMax) keys")
            }
            entries.append(entry)
        }
        guard !entries.isEmpty else { throw KeySetError("the set has no key that signatures can be checked with") }
        self.entries = entries
    }

    /// `nil` for a key that is for something else.
    private static func entry(_ key: JSONView, _ what: String) throws(KeySetError) -> Entry? {
        guard key.kind == .object, let type = key["kty"]?.stringValue else { throw KeySetError("\(what) has no `kty`") }
        guard type != "oct" else {
            throw KeySetError("\(what) is symmetric: a secret stands in a file of its own (`secretFile`)")
        }
        guard key["d"] == nil else {
            throw KeySetError("\(what) has its private part (`d`): only the public one may stand here, and that key must be replaced")
        }
        if let use = key["use"], use.stringValue != "sig" { return nil }
        if let operations = key["key_ops"], !operations.elements.contains(where: { $0.stringValue == "verify" }) { return nil }
        var algorithm: SignatureAlgorithm?
        if let name = key["alg"] {
            algorithm = SignatureAlgorithm(rawValue: name.stringValue ?? "")
            if algorithm == nil { return nil }
        }
        guard let made = try material(key, type, what) else { return nil }
        if let algorithm, !made.fits(algorithm) {
            throw KeySetError("\(what) is a key of \(made.kind.rawValue), and no key for its `alg` \(algorithm.rawValue)")
        }
        var name: [UInt8]?
        if let text = key["kid"] {
            guard let bytes = text.stringBytes else { throw KeySetError("\(what) has a `kid` that is no text") }
            name = Array(bytes)
        }
        return Entry(name: name, algorithm: algorithm, key: made)
    }

    private static func material(_ key: JSONView, _ type: String, _ what: String) throws(KeySetError) -> VerificationKey? {
        func bytes(_ member: String) throws(KeySetError) -> [UInt8] {
            guard let text = key[member]?.stringBytes, let bytes = Base64URL.bytes(text), !bytes.isEmpty else {
                throw KeySetError("\(what): `\(member)` is not base64url")
            }
            return bytes
        }
        let curve = key["crv"]?.stringValue
        do {
            switch (type, curve) {
            case ("RSA", _): return try .rsa(modulus: bytes("n"), exponent: bytes("e"))
            case ("EC", "P-256"): return try .ellipticCurve(.p256, x: bytes("x"), y: bytes("y"))
            case ("EC", "P-384"): return try .ellipticCurve(.p384, x: bytes("x"), y: bytes("y"))
            case ("OKP", "Ed25519"): return try .ed25519(bytes("x"))
            default: return nil
            }
        } catch let error as TrustError {
            throw KeySetError("\(what): \(error.description)")
        } catch let error as KeySetError {
            throw error
        } catch {
            throw KeySetError("\(what) cannot be read")
        }
    }

    // MARK: Files

    /// Reads a set from a file.
    ///
    /// - Throws: what ``init(json:)`` throws, with the file's name, or why the file cannot be read.
    package init(file path: String) throws(KeySetError) {
        let bytes: [UInt8]
        do throws(TrustError) { bytes = try PublicFile.read(path, bytesMax: TokenLimits.keySetBytesMax) } catch {
            throw KeySetError(error.description)
        }
        do throws(KeySetError) { try self.init(json: bytes) } catch { throw KeySetError("\(path): \(error.description)") }
    }

    /// Reads the secret of HS256 from a file of mode 0600.
    package init(secretFile path: String) throws(KeySetError) {
        do throws(TrustError) { try self.init(secret: SecretFile.read(path)) } catch {
            if case .unusableKey(let reason) = error { throw KeySetError("\(path): \(reason)") }
            throw KeySetError(error.description)
        }
    }

    // MARK: Look-up

    /// Whether any key could be for the algorithm.
    package func hasKey(for algorithm: SignatureAlgorithm) -> Bool {
        entries.contains { $0.key.fits(algorithm) && ($0.algorithm ?? algorithm) == algorithm }
    }

    /// The keys that a token may be signed with: of its name, for its algorithm.
    ///
    /// A key without a name may be meant by any token, and a token without one may mean any key.
    func candidates(for token: SignedToken) -> [VerificationKey] {
        entries.filter { entry in
            if let wanted = token.keyName, let name = entry.name, name != wanted { return false }
            if let algorithm = entry.algorithm, algorithm != token.algorithm { return false }
            return entry.key.fits(token.algorithm)
        }.map(\.key)
    }
}
