import Rules
import Trust

/// A JSON Web Token in the compact form of JWS (RFC 7519, RFC 7515 section 3.1), taken apart and not believed yet.
///
/// Of the header `alg`, `kid` and `typ` are read. `crit` is refused whatever it names, since nothing that it could name is understood here.
/// `jku`, `x5u`, `jwk` and `x5c`, by which a token would bring its own key, are not looked at.
struct SignedToken {
    let algorithm: SignatureAlgorithm
    /// Compared with the names of keys, and used for nothing else.
    let keyName: [UInt8]?
    let claims: JSONView
    /// What is signed.
    let signingInput: [UInt8]
    let signature: [UInt8]

    /// Takes a token apart.
    ///
    /// - Throws: ``TokenRefusal/malformed(_:)``, ``TokenRefusal/tooLong(bytes:)``, ``TokenRefusal/algorithm(_:)``.
    init(_ text: [UInt8]) throws(TokenRefusal) {
        guard text.count <= TokenLimits.tokenBytesMax else { throw .tooLong(bytes: text.count) }
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("it has not three parts") }
        let header = try Self.object(parts[0], "header")
        guard header["crit"] == nil else { throw .malformed("`crit` demands what is not understood here") }
        if let type = header["typ"] {
            // RFC 8725 section 3.11: a token of another kind is none of ours.
            let name = type.stringValue?.lowercased() ?? ""
            guard Self.types.contains(name) else { throw .malformed("`typ` is neither JWT nor at+jwt") }
        }
        let name = header["alg"]?.stringValue ?? ""
        guard let algorithm = SignatureAlgorithm(rawValue: name) else { throw .algorithm(Self.shortened(name)) }
        self.algorithm = algorithm
        switch header["kid"] {
        case nil: keyName = nil
        case let value?:
            guard let bytes = value.stringBytes else { throw .malformed("`kid` is no text") }
            keyName = Array(bytes)
        }
        claims = try Self.object(parts[1], "payload")
        guard let signature = Base64URL.bytes(parts[2]), !signature.isEmpty else { throw .malformed("the signature is not base64url") }
        self.signature = signature
        signingInput = Array(text[..<parts[1].endIndex])
    }

    private static let types: Set<String> = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"]

    /// One object whose members have different names: of two with the same name, another reader may take the other one.
    private static func object(_ part: ArraySlice<UInt8>, _ what: String) throws(TokenRefusal) -> JSONView {
        guard let bytes = Base64URL.bytes(part) else { throw .malformed("the \(what) is not base64url") }
        let limits = JSONLimits(bytesMax: TokenLimits.tokenBytesMax, depthMax: TokenLimits.depthMax)
        guard let document = try? JSONDocument(parsing: bytes, limits: limits), document.root.kind == .object else {
            throw .malformed("the \(what) is no JSON object of at most \(TokenLimits.depthMax) levels")
        }
        guard !document.repeatsMembers else { throw .malformed("the \(what) has a member twice") }
        return document.root
    }

    private static func shortened(_ name: String) -> String {
        let text = String(name.unicodeScalars.filter { $0.isASCII && $0.value > 0x20 && $0.value < 0x7F }.prefix(16))
        return text.isEmpty ? "nothing" : text
    }
}
