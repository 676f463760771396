import Testing

@testable import Trust

/// Threat 49: requests that the holder of a key signed, and that are refused all the same.
///
/// Something in them may be read in two ways, or belongs elsewhere. A signature that fits lets none of the checks hide behind another.
@Suite struct RightlySignedTests {
    struct Signed: Sendable, CustomTestStringConvertible {
        var name: String
        var failure: String
        var method = "POST"
        var path = "/rules"
        var query: [String] = []
        var headers = [["Host", "localhost"], ["X-Amz-Date", RightlySignedTests.time]]
        /// Those of ``headers``, sorted, if `nil`.
        var signedHeaders: String?
        var region = "us-east-1"
        var key = "AKIDEXAMPLE"
        /// Whether the signature stands twice.
        var isRepeated = false

        var testDescription: String { name }

        init(_ name: String, _ failure: String, _ change: (inout Signed) -> Void = { _ in }) {
            (self.name, self.failure) = (name, failure)
            change(&self)
        }
    }

    private static let time = "20261126T202918Z"
    private static let token = ["X-Amz-Security-Token", SignatureVector.token]

    private static let inHeader: [Signed] = [
        .init("a hash that is stated twice", "'x-amz-content-sha256' stands twice") {
            $0.headers += [["x-amz-content-sha256", hashOfBody], ["x-amz-content-sha256", hashOfBody]]
        },
        .init("a hash of another body", "does not match the request's body") { $0.headers.append(["x-amz-content-sha256", "0"]) },
        .init("a space in the target", "must be percent-encoded") { $0.path = "/a b" },
        .init("an empty level", "empty levels") { $0.path = "/a//b" },
        .init("a level of one dot", "empty levels") { $0.path = "/./a" },
        .init("a level of two dots at the end", "empty levels") { $0.path = "/a/.." },
        .init("two dates", "'X-Amz-Date' or a 'Date'") { $0.headers.append(["X-Amz-Date", time]) },
        .init("two tokens", "'X-Amz-Security-Token' stands twice") {
            $0.key = "ASIDEXAMPLE"
            $0.headers += [token, token]
        },
        .init("a region that is none", "a region or a service that is none") { $0.region = "us_east" },
        .init("headers out of order", "must be sorted") { $0.signedHeaders = "x-amz-date;host" },
        .init("a header named twice", "must be sorted") { $0.signedHeaders = "host;host;x-amz-date" },
        .init("a host that is not signed", "'Host' must be a 'SignedHeader'") { $0.signedHeaders = "x-amz-date" },
        .init("two hosts", "'Host' must be a 'SignedHeader'") { $0.headers.append(["Host", "elsewhere"]) },
        .init("a header that is not there", "'x-none' is not in the request") { $0.signedHeaders = "host;x-amz-date;x-none" },
        .init("a principal that is not signed", "'x-amzn-principal' must be a 'SignedHeader'") {
            $0.headers.append(["X-Amzn-Principal", "arn:aws:iot:us-east-1:000000000000:cert/1"])
            $0.signedHeaders = "host;x-amz-date"
        },
        .init("a signature that stands twice", "not of the form") { $0.isRepeated = true },
    ]

    private static func url(_ name: String, _ failure: String, algorithm: String = "AWS4-HMAC-SHA256", expires: String = "60") -> Signed {
        Signed(name, failure) {
            $0.method = "GET"
            $0.headers = [["Host", "localhost"]]
            $0.query = [
                "X-Amz-Algorithm=\(algorithm)", "X-Amz-Credential=AKIDEXAMPLE%2F20261126%2Fus-east-1%2Fevents%2Faws4_request",
                "X-Amz-Date=\(time)", "X-Amz-Expires=\(expires)", "X-Amz-SignedHeaders=host",
            ]
        }
    }

    private static let inQuery: [Signed] = {
        var twice = url("a URL's signature that stands twice", "'X-Amz-Signature' stands twice")
        twice.isRepeated = true
        return [
            twice, url("another algorithm", "Unsupported AWS 'algorithm'", algorithm: "AWS4-HMAC-SHA1"),
            url("no time at all", "must be a number of seconds", expires: "0"),
            url("a time before", "must be a number of seconds", expires: "-60"),
        ]
    }()

    // MARK: Signing

    private static let hashOfBody = lowercase((try? SHA256.hash([])) ?? [])

    private static func lowercase(_ bytes: [UInt8]) -> String { Hexadecimal.text(bytes).lowercased() }

    /// The request, signed for the service `events`, without a body.
    private static func request(_ signed: Signed) throws -> SignedRequest {
        func values(of name: String) -> String { signed.headers.filter { $0[0].lowercased() == name }.map { $0[1] }.joined(separator: ",") }
        let names = signed.signedHeaders ?? Set(signed.headers.map { $0[0].lowercased() }).sorted().joined(separator: ";")
        let lines =
            [signed.method, signed.path.split(separator: " ").joined(separator: "%20"), signed.query.joined(separator: "&")]
            + names.split(separator: ";").map { "\($0):\(values(of: String($0)))" } + ["", names, hashOfBody]
        let scope = "20261126/\(signed.region)/events/aws4_request"
        let digest = lowercase(try SHA256.hash(Array(lines.joined(separator: "\n").utf8)))
        var key = Array("AWS4\(SignatureVector.secret)".utf8)
        for part in scope.split(separator: "/") { key = try SHA256.authenticate(Array(part.utf8), key: key) }
        let signature = lowercase(try SHA256.authenticate(Array("AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(digest)".utf8), key: key))
        var headers = signed.headers.map { (name: $0[0], value: $0[1]) }
        var target = signed.path
        if signed.query.isEmpty {
            let text = "AWS4-HMAC-SHA256 Credential=\(signed.key)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
            headers.append((name: "Authorization", value: text + (signed.isRepeated ? ", Signature=\(signature)" : "")))
        } else {
            let repeats = Array(repeating: "X-Amz-Signature=\(signature)", count: signed.isRepeated ? 2 : 1)
            target += "?" + (signed.query + repeats).joined(separator: "&")
        }
        return SignedRequest(method: signed.method, target: target, headers: headers)
    }

    private static func verify(_ signed: Signed, for service: String = "events") throws -> String {
        let verifier = try SignatureVector.verifier()
        return try verifier.finish(verifier.begin(request(signed), for: service), body: []).principal
    }

    // MARK: Tests

    @Test("The signatures of these tests are right")
    func control() throws {
        #expect(try Self.verify(Signed("in a header", "")) == "barista")
        #expect(try Self.verify(Self.url("in a URL", "")) == "barista")
        #expect(try Self.verify(Signed("a hash", "") { $0.headers.append(["x-amz-content-sha256", Self.hashOfBody]) }) == "barista")
        let temporary = Signed("a token", "") {
            $0.key = "ASIDEXAMPLE"
            $0.headers.append(Self.token)
        }
        #expect(try Self.verify(temporary) == "visitor")
    }

    @Test("What is signed rightly and may be read in two ways is refused", arguments: inHeader + inQuery)
    func refused(_ signed: Signed) throws {
        #expect { try Self.verify(signed) } throws: { error in "\(error)".contains(signed.failure) }
    }

    @Test("A signature for one service opens no other")
    func otherService() {
        #expect { try Self.verify(Signed("in a header", ""), for: "iot") } throws: { error in
            if case .wrongScope? = error as? SignatureFailure { true } else { false }
        }
    }

    @Test("A key without a token is not one with an empty token")
    func emptyToken() {
        #expect(throws: UnusableAccessKey.self) {
            try AccessKey(id: "AKIDEXAMPLE", secret: SignatureVector.secret, sessionToken: "", principal: "barista")
        }
    }
}
