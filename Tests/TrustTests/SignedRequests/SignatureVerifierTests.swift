import Testing

@testable import Trust

@Suite struct SignatureVerifierTests {
    @Test("What botocore signs is right, and whose it is", arguments: SignatureVector.all)
    func botocore(_ vector: SignatureVector) throws {
        let signer = try vector.signer(by: SignatureVector.verifier())
        #expect(signer.principal == (vector.name.contains("session token") ? "visitor" : "barista"))
    }

    @Test func thereAreVectors() { #expect(SignatureVector.all.count >= 20) }

    @Test("Another secret signs otherwise", arguments: SignatureVector.all)
    func secret(_ vector: SignatureVector) throws {
        let verifier = try SignatureVector.verifier(secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ")
        #expect(throws: SignatureFailure.mismatch) { try vector.signer(by: verifier) }
    }

    @Test("Threat 49: a signature is good for as long as clocks may differ, and no second longer", arguments: [-300, 300, 0])
    func skew(_ seconds: Int64) throws {
        let vector = try SignatureVector.named("a call with a body")
        _ = try vector.signer(by: SignatureVector.verifier(now: SignatureVector.now + seconds))
        let beyond = seconds < 0 ? seconds - 1 : seconds + 301
        #expect { try vector.signer(by: SignatureVector.verifier(now: SignatureVector.now + beyond)) } throws: { error in
            guard case .wrongTime(let text)? = error as? SignatureFailure else { return false }
            return text.hasPrefix(beyond < 0 ? "Signature not yet current: " : "Signature expired: ")
        }
    }

    @Test func theSkewIsAsConfigured() throws {
        var limits = SignatureLimits()
        limits.signatureSkewSecondsMax = .max
        limits.presignedSecondsMax = .max
        _ = try SignatureVector.named("a call with a body").signer(by: SignatureVector.verifier(now: 0, limits: limits))
    }

    @Test("Threat 49: a signed URL is good until its time is over, and not before its own")
    func expiry() throws {
        let vector = try SignatureVector.named("a signed URL")
        for seconds: Int64 in [-300, 0, 60] { _ = try vector.signer(by: SignatureVector.verifier(now: SignatureVector.now + seconds)) }
        for seconds: Int64 in [-301, 61, 300] {
            #expect(throws: SignatureFailure.self) { try vector.signer(by: SignatureVector.verifier(now: SignatureVector.now + seconds)) }
        }
        var limits = SignatureLimits()
        limits.presignedSecondsMax = 59
        #expect(throws: SignatureFailure.self) { try vector.signer(by: SignatureVector.verifier(limits: limits)) }
    }

    @Test("A temporary key needs its token, in a header that is signed or behind the URL of a WebSocket")
    func token() throws {
        var vector = try SignatureVector.named("a signed URL for WebSocket with a session token")
        let verifier = try SignatureVector.verifier()
        vector.replaceInTarget("session%2Ftoken", "session%2Ftokem")
        #expect(throws: SignatureFailure.unknownKey) { try vector.signer(by: verifier) }
        vector.target = String(vector.target.prefix(upTo: try #require(vector.target.firstRange(of: "&X-Amz-Security")).lowerBound))
        #expect(throws: SignatureFailure.unknownKey) { try vector.signer(by: verifier) }
        var other = try SignatureVector.named("a signed URL for WebSocket")
        other.target += "&X-Amz-Security-Token=x"
        #expect(throws: SignatureFailure.unknownKey) { try other.signer(by: verifier) }
    }

    @Test("Threat 49: keys that were replaced sign nothing any more, though what was derived from them was kept")
    func replacing() throws {
        let vector = try SignatureVector.named("a call with a body")
        let verifier = try SignatureVector.verifier()
        let signer = try vector.signer(by: verifier)
        #expect(verifier.holds(fingerprint: signer.fingerprint))
        verifier.replace(
            keys: try AccessKeys([AccessKey(id: "AKIDEXAMPLE", secret: "another secret, and not the same", principal: "barista")]))
        #expect(throws: SignatureFailure.mismatch) { try vector.signer(by: verifier) }
        #expect(!verifier.holds(fingerprint: signer.fingerprint))
        verifier.replace(keys: try AccessKeys())
        #expect(throws: SignatureFailure.unknownKey) { try vector.signer(by: verifier) }
    }

    @Test("A key of another principal is another key")
    func fingerprints() throws {
        let verifier = try SignatureVector.verifier()
        let signer = try SignatureVector.named("a call with a body").signer(by: verifier)
        verifier.replace(keys: try AccessKeys([AccessKey(id: "AKIDEXAMPLE", secret: SignatureVector.secret, principal: "somebody")]))
        #expect(!verifier.holds(fingerprint: signer.fingerprint))
    }

    @Test("Threat 49: an unknown key takes the same steps as a known one, and no more is kept for either than there is room for")
    func derivedKeys() throws {
        let verifier = try SignatureVector.verifier()
        var vector = try SignatureVector.named("a call with a body")
        vector.replace("AKIDEXAMPLE", "AKIDUNKNOWN", in: "Authorization")
        #expect(throws: SignatureFailure.unknownKey) { try vector.signer(by: verifier) }
        #expect(verifier.derivedCount == 1)
        vector.replace("AKIDUNKNOWN", "AKIDANOTHER", in: "Authorization")
        #expect(throws: SignatureFailure.unknownKey) { try vector.signer(by: verifier) }
        #expect(verifier.derivedCount == 1)
        for number in 0..<600 {
            var other = vector
            other.replace("us-east-1", "region-\(number)", in: "Authorization")
            #expect(throws: SignatureFailure.unknownKey) { try other.signer(by: verifier) }
        }
        #expect(verifier.derivedCount <= SignatureLimits.signingKeysMax)
    }

    @Test(
        "A request that is not signed is told from one that is signed in another way",
        arguments: [
            ("", "/", false), ("Bearer x", "/", false), ("Basic eDp5", "/?X-Amz=1", false), ("AWS4-HMAC-SHA256 x", "/", true),
            ("AWS AKID:x", "/", true), ("", "/?X-Amz-Signature=", true), ("", "/?a=1&X-Amz-Credential=x", true),
            ("", "/?X%2DAmz-Algorithm", true), ("", "/?X-Amz-Date=1&X-Amz-Date=2", false), ("", "/?X-Amz-Expires=%FF", false),
            ("", "/?X-Amz-Signature=%FF&X-Amz-Signature=", true),
        ])
    func isSigned(_ authorization: String, _ target: String, _ expected: Bool) throws {
        let headers = authorization.isEmpty ? [] : [(name: "Authorization", value: authorization)]
        let request = SignedRequest(method: "GET", target: target, headers: headers)
        #expect(request.isSigned == expected)
        let verifier = try SignatureVector.verifier()
        #expect { try verifier.begin(request, for: nil) } throws: { error in
            (error as? SignatureFailure == .missing) != expected
        }
    }

    @Test("No text of a refusal has what was signed, or control characters of the caller's, in it")
    func texts() throws {
        let verifier = try SignatureVector.verifier()
        var vector = try SignatureVector.named("a call with a body")
        vector.replace("/us-east-1", "\u{1B}[2J/us-east-1", in: "Authorization")
        #expect { try vector.signer(by: verifier) } throws: { error in
            let text = "\(error)"
            return text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !text.contains("308517a315")
        }
    }

    @Test(arguments: [
        ("", SignatureVector.secret, "p"), ("a/b", SignatureVector.secret, "p"), ("a", "short", "p"), ("a", SignatureVector.secret, ""),
        ("a", SignatureVector.secret, "p\u{0}"),
    ])
    func unusableKeysAreRefused(_ id: String, _ secret: String, _ principal: String) {
        #expect { try AccessKey(id: id, secret: secret, principal: principal) } throws: { !"\($0)".contains(SignatureVector.secret) }
    }

    @Test func keysThatStandTwiceAreRefused() throws {
        let key = try AccessKey(id: "a", secret: SignatureVector.secret, principal: "p")
        #expect(throws: UnusableAccessKey.self) { try AccessKeys([key, key]) }
        #expect(!"\(key)".contains(SignatureVector.secret))
    }

    @Test(
        arguments: [
            ("19700101T000000Z", 0), ("20000229T235959Z", 951_868_799), ("20261126T202918Z", SignatureVector.now),
            ("99991231T235959Z", 253_402_300_799),
        ] as [(String, Int64)])
    func times(_ text: String, _ seconds: Int64) {
        #expect(SignatureTime(basic: text)?.secondsSince1970 == seconds)
        #expect(SignatureTime(secondsSince1970: seconds).basic == text)
    }

    @Test(arguments: [
        "", "20260229T000000Z", "20261301T000000Z", "20261126T202960Z", "20261126t202918Z", "2026112ٗT202918Z", "20261126T202918",
    ])
    func noTimes(_ text: String) { #expect(SignatureTime(basic: text) == nil) }

    @Test func httpDates() {
        #expect(SignatureTime(httpDate: "Thu, 26 Nov 2026 20:29:18 GMT")?.secondsSince1970 == SignatureVector.now)
        for text in ["Thu, 26 Nov 2026 20:29:18 CET", "Thu, 26 Foo 2026 20:29:18 GMT", "26 Nov 2026 20:29:18 GMT"] {
            #expect(SignatureTime(httpDate: text) == nil)
        }
    }
}
