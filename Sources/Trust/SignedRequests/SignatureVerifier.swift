import Synchronization

/// Says by whom requests are signed (AWS Signature Version 4), with the access keys in force.
///
/// A request is looked at in two steps, since its signature covers its body: ``begin(_:for:)`` before the body is read, which refuses what no
/// body could make right, and ``finish(_:body:)`` with it. What takes time is the same for keys that are there and keys that are not.
package final class SignatureVerifier: Sendable {
    /// A signature whose form, time and scope are right.
    package struct Pending: Sendable {
        let request: SignedRequest
        package let claims: SignatureClaims
    }

    /// Whoever signed a request.
    package struct Signer: Sendable, Equatable {
        package let principal: String
        /// Of the key, for asking later whether it still holds.
        package let fingerprint: [UInt8]
    }

    private struct DerivedKey: Hashable {
        var keyID: String
        var scope: SignatureClaims.Scope
    }

    private struct State {
        var keys: AccessKeys
        /// How often the keys were replaced.
        var generation: UInt64 = 0
        /// For a day, a region and a service: four steps that are the same for every request.
        var derived: [DerivedKey: [UInt8]] = [:]
    }

    private let state: Mutex<State>
    private let limits: SignatureLimits
    private let clock: @Sendable () -> Int64

    /// - Parameters:
    ///   - keys: who may sign.
    ///   - limits: how old a signature may be.
    ///   - clock: seconds since 1970; the time of day if not given.
    package init(keys: AccessKeys, limits: SignatureLimits = SignatureLimits(), clock: (@Sendable () -> Int64)? = nil) {
        state = Mutex(State(keys: keys))
        self.limits = limits
        self.clock = clock ?? { WallClock.now() }
    }

    /// Takes other keys, all at once; what was derived from the old ones is forgotten.
    package func replace(keys: AccessKeys) {
        state.withLock { state in state = State(keys: keys, generation: state.generation + 1) }
    }

    /// Whether the key by which somebody signed is still in force as it was.
    package func holds(fingerprint: [UInt8]) -> Bool { state.withLock { $0.keys.holds(fingerprint: fingerprint) } }

    /// How many derived keys are kept.
    package var derivedCount: Int { state.withLock { $0.derived.count } }

    // MARK: - Before the body

    /// Reads a request's signature, and looks at its time and scope.
    ///
    /// - Parameters:
    ///   - request: as it came.
    ///   - service: what the signature must be for; `nil` for a request to nothing that is there.
    /// - Returns: what is to be finished with the body.
    /// - Throws: why no body could make the request right.
    package func begin(_ request: SignedRequest, for service: String?) throws(SignatureFailure) -> Pending {
        let claims = try SignatureClaims(request)
        if let service, claims.scope.service != service {
            throw .wrongScope("Credential should be scoped to correct service: '\(service)'.")
        }
        try checkTime(claims)
        return Pending(request: request, claims: claims)
    }

    private func checkTime(_ claims: SignatureClaims) throws(SignatureFailure) {
        let now = SignatureTime(secondsSince1970: clock())
        // Limits may be any number.
        let skew = Int64(min(limits.signatureSkewSecondsMax, 1 << 40))
        let (earliest, latest) = (now.advanced(bySeconds: -skew), now.advanced(bySeconds: skew))
        if claims.time.secondsSince1970 > latest.secondsSince1970 {
            throw .wrongTime(
                "Signature not yet current: \(claims.time.basic) is still later than \(latest.basic) (\(now.basic) + \(skew) s)")
        }
        guard let seconds = claims.seconds else {
            if claims.time.secondsSince1970 >= earliest.secondsSince1970 { return }
            throw .wrongTime("Signature expired: \(claims.time.basic) is now earlier than \(earliest.basic) (\(now.basic) - \(skew) s)")
        }
        let most = min(limits.presignedSecondsMax, 1 << 40)
        guard seconds <= most else { throw .incomplete("'X-Amz-Expires' must be at most \(most) seconds (presignedSecondsMax).") }
        let end = claims.time.advanced(bySeconds: Int64(seconds))
        if now.secondsSince1970 > end.secondsSince1970 {
            throw .wrongTime("Signature expired: \(end.basic) is now earlier than \(now.basic)")
        }
    }

    // MARK: - With the body

    /// Says who signed a request with this body.
    package func finish(_ pending: Pending, body: some Sequence<UInt8>) throws(SignatureFailure) -> Signer {
        let claims = pending.claims
        let payloadHash = try payloadHash(of: pending.request, body: Array(body))
        let (known, decoy) = state.withLock { ($0.keys[claims.keyID], $0.keys.decoy) }
        let key = known ?? decoy
        let isSignature: Bool
        do throws(TrustError) {
            let canonical = CanonicalRequest.text(of: pending.request, claims, payloadHash: payloadHash)
            let digest = Self.lowercase(try SHA256.hash(canonical))
            let text = "\(SignatureClaims.algorithm)\n\(claims.time.basic)\n\(claims.scope.text)\n\(digest)"
            let code = Self.lowercase(try SHA256.authenticate(Array(text.utf8), key: signingKey(of: key, claims.scope)))
            isSignature = Array(code.utf8).isSecretlyEqual(to: claims.signature)
        } catch {
            throw .unavailable("\(error)")
        }
        guard known != nil, Self.isToken(claims.sessionToken, of: key) else { throw .unknownKey }
        guard isSignature, let fingerprint = key.fingerprint else { throw .mismatch }
        return Signer(principal: key.principal, fingerprint: fingerprint)
    }

    private static func isToken(_ token: String?, of key: AccessKey) -> Bool {
        guard let wanted = key.sessionToken else { return token == nil }
        return token.map { Array($0.utf8).isSecretlyEqual(to: wanted) } ?? false
    }

    /// The hash that was signed; where a header says it, it must be that of the body.
    ///
    /// Only services that take very large bodies let them be unsigned, or signed piece by piece, and none is here.
    private func payloadHash(of request: SignedRequest, body: [UInt8]) throws(SignatureFailure) -> String {
        let real: String
        do throws(TrustError) { real = Self.lowercase(try SHA256.hash(body)) } catch { throw .unavailable("\(error)") }
        let stated = request.values(of: "x-amz-content-sha256")
        guard stated.count <= 1 else { throw .incomplete("'x-amz-content-sha256' stands twice.") }
        guard stated.allSatisfy({ $0 == real }) else { throw .wrongBody }
        return real
    }

    private func signingKey(of key: AccessKey, _ scope: SignatureClaims.Scope) throws(TrustError) -> [UInt8] {
        let name = DerivedKey(keyID: key.id, scope: scope)
        let (kept, generation) = state.withLock { ($0.derived[name], $0.generation) }
        if let kept { return kept }
        var derived = Array("AWS4".utf8) + key.secret
        for part in [scope.day, scope.region, scope.service, SignatureClaims.terminator] {
            derived = try SHA256.authenticate(Array(part.utf8), key: derived)
        }
        let result = derived
        state.withLock { state in
            // Keys that were replaced meanwhile are not to come back.
            guard state.generation == generation else { return }
            if state.derived.count >= SignatureLimits.signingKeysMax { state.derived = [:] }
            state.derived[name] = result
        }
        return result
    }

    private static func lowercase(_ digest: [UInt8]) -> String { Hexadecimal.text(digest).lowercased() }
}
