import Testing

@testable import Trust

/// Threat 49: of a request that is signed rightly, nothing may be changed.
@Suite struct SignatureMutationTests {
    private static let inRequest: [SignatureMutation] = [
        .init("method") { $0.method = "PUT" },
        .init("path") { $0.replaceInTarget("a%2Fb?", "a%2Fc?") },
        .init("case of an escape") { $0.replaceInTarget("a%2Fb?", "a%2fb?") },
        .init("escape taken out") { $0.replaceInTarget("a%2Fb?", "a/b?") },
        .init("slash at the end") { $0.replaceInTarget("?", "/?") },
        .init("slash twice") { $0.replaceInTarget("/rules", "//rules") },
        .init("level of one dot") { $0.replaceInTarget("/rules", "/./rules") },
        .init("level of two dots") { $0.replaceInTarget("/rules", "/x/../rules") },
        .init("value in the query") { $0.replaceInTarget("=10", "=11") },
        .init("parameter added") { $0.target += "&x=1" },
        .init("parameter removed") { $0.replaceInTarget("&maxResults=10", "") },
        .init("parameter renamed") { $0.replaceInTarget("topic=", "topics=") },
        .init("parameter twice") { $0.target += "&maxResults=10" },
        .init("empty parameter") { $0.target += "&" },
        .init("query removed") { $0.target = String($0.target.prefix { $0 != "?" }) },
        .init("space in the target") { $0.replaceInTarget("=10", "=10 ") },
        .init("host") { $0.set("Host", "127.0.0.2:8080") },
        .init("port of the host") { $0.set("Host", "127.0.0.1:8081") },
        .init("host removed") { $0.remove("Host") },
        .init("host twice") { $0.add("Host", "127.0.0.1:8080") },
        .init("content type") { $0.set("Content-Type", "application/json") },
        .init("content type removed") { $0.remove("Content-Type") },
        .init("X-Amz-Target") { $0.set("X-Amz-Target", "AWSEvents.DeleteRule") },
        .init("X-Amz-Target removed") { $0.remove("X-Amz-Target") },
        .init("X-Amz-Target twice") { $0.add("X-Amz-Target", "AWSEvents.PutEvents") },
        .init("unsigned X-Amz- header") { $0.add("X-Amz-Meta", "x") },
        .init("one of two values") { $0.replace("b", "c", in: "X-Shop") },
        .init("two values in another order") { $0.headers.sort { $0[1] < $1[1] } },
        .init("third value") { $0.add("X-Shop", "c") },
        .init("X-Amz-Date a second later") { $0.set("X-Amz-Date", "20261126T202919Z") },
        .init("X-Amz-Date removed") { $0.remove("X-Amz-Date") },
        .init("X-Amz-Date twice") { $0.add("X-Amz-Date", "20261126T202918Z") },
        .init("X-Amz-Date that is no time") { $0.set("X-Amz-Date", "20261126T242918Z") },
        .init("body") { $0.body = #"{"a":2}"# },
        .init("body emptied") { $0.body = "" },
        .init("body longer") { $0.body += " " },
        .init("body said to be unsigned") { $0.add("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") },
        .init("session token") { $0.add("X-Amz-Security-Token", SignatureVector.token) },
    ]

    private static let inAuthorization: [SignatureMutation] = [
        ("last digit", "Signature=", "Signature=0"), ("other case", "Signature=", "SIGNATURE="), ("no signature", "Signature=", "X="),
        ("key unknown", "AKIDEXAMPLE", "AKIDEXAMPLF"), ("key of another", "AKIDEXAMPLE", "AKIDOTHER"),
        ("day", "/20261126/", "/20261127/"), ("region", "/us-east-1/", "/us-east-2/"), ("service", "/iot/", "/events/"),
        ("terminator", "aws4_request", "aws4_requests"), ("four parts", "/us-east-1", ""), ("six parts", "/iot/", "/iot/iot/"),
        ("region that is none", "/us-east-1/", "/us east/"), ("no host", ";host", ""), ("no content type", "content-type;", ""),
        ("unsigned target", ";x-amz-target", ""), ("unsigned date", "x-amz-date;", ""), ("a header less", ";x-shop", ""),
        ("not in order", "content-type;host", "host;content-type"), ("a header twice", ";host", ";host;host"),
        ("a header that is not there", "content-type", "content-length"), ("upper case", ";host", ";Host"),
        ("algorithm", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), ("algorithm of another kind", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        ("no algorithm", "AWS4-HMAC-SHA256 ", "AWS "), ("something else", "SignedHeaders=", "Extra=1, SignedHeaders="),
        ("the key twice", "SignedHeaders=", "Credential=x, SignedHeaders="), ("no key", "Credential=", "X="),
    ].map { name, text, other in SignatureMutation(name) { $0.replace(text, other, in: "Authorization") } }

    private static let ofAuthorization: [SignatureMutation] = [
        .init("in upper case") { request in
            let signature = request.headers.first { $0[0] == "Authorization" }?[1].suffix(64) ?? ""
            request.replace(String(signature), signature.uppercased(), in: "Authorization")
        },
        .init("one digit") { request in
            let signature = request.headers.first { $0[0] == "Authorization" }?[1].suffix(64) ?? ""
            request.replace(String(signature), signature.dropLast() + (signature.last == "0" ? "1" : "0"), in: "Authorization")
        },
        .init("too short") { request in
            request.set("Authorization", String(request.headers.first { $0[0] == "Authorization" }?[1].dropLast() ?? ""))
        },
        .init("twice") { request in request.add("Authorization", request.headers.first { $0[0] == "Authorization" }?[1] ?? "") },
        .init("removed") { $0.remove("Authorization") },
        .init("also in the query") { $0.target += "&X-Amz-Signature=0" },
    ]

    @Test("A request that is changed in one thing is refused", arguments: inRequest + inAuthorization + ofAuthorization)
    func request(_ mutation: SignatureMutation) throws {
        var vector = try SignatureVector.named("everything at once")
        let verifier = try SignatureVector.verifier()
        #expect(try vector.signer(by: verifier).principal == "barista")
        mutation.change(&vector)
        #expect(throws: SignatureFailure.self) { try vector.signer(by: verifier) }
    }

    private static let inURL: [SignatureMutation] =
        [
            ("path", "/orders", "/order"), ("value", "flat%20white", "flat%20black"), ("name", "drink", "drinks"),
            ("good for longer", "Expires=60", "Expires=61"), ("good for ever", "Expires=60", "Expires=99999999999999999999"),
            ("good for no time", "Expires=60", "Expires=0"), ("good as long as any", "&X-Amz-Expires=60", ""),
            ("later", "202918Z", "202919Z"), ("key", "AKIDEXAMPLE", "AKIDOTHER"), ("region", "us-east-1", "us-east-2"),
            ("service", "execute-api", "events"), ("day", "%2F20261126", "%2F20261125"),
            ("signed headers", "SignedHeaders=host", "SignedHeaders="),
            ("algorithm", "HMAC-SHA256", "HMAC-SHA512"), ("no algorithm", "X-Amz-Algorithm=AWS4-HMAC-SHA256&", ""),
            ("no signature", "X-Amz-Signature", "X-Amz-Signatur"), ("digit", "Signature=", "Signature=0"),
        ].map { name, text, other in SignatureMutation(name) { $0.replaceInTarget(text, other) } } + [
            .init("method") { $0.method = "POST" }, .init("host") { $0.set("Host", "127.0.0.1:8081") }, .init("body") { $0.body = "x" },
            .init("parameter") { $0.target += "&size=large" }, .init("signature twice") { $0.target += "&X-Amz-Signature=0" },
            .init("session token") { $0.target += "&X-Amz-Security-Token=x" }, .init("X-Amz- header") { $0.add("X-Amz-Target", "x") },
            .init("name encoded, twice") { $0.target += "&X%2DAmz-Expires=600" },
        ]

    @Test("A signed URL that is changed in one thing is refused", arguments: inURL)
    func url(_ mutation: SignatureMutation) throws {
        var vector = try SignatureVector.named("a signed URL")
        let verifier = try SignatureVector.verifier()
        #expect(try vector.signer(by: verifier).principal == "barista")
        mutation.change(&vector)
        #expect(throws: SignatureFailure.self) { try vector.signer(by: verifier) }
    }
}
