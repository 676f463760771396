import Testing

@testable import Trust

@Suite struct PrincipalTests {
    private static func names(_ names: [(AlternativeName.Kind, String)]) -> [AlternativeName] {
        names.map { AlternativeName(kind: $0.0, bytes: Array($0.1.utf8)) }
    }

    private static func commonNames(_ names: [String]) -> [CommonName] {
        names.map { .utf8(Array($0.utf8)) }
    }

    @Test(
        "Which name counts",
        arguments: [
            ([(.uri, "urn:crema:thing:alice")], ["bob"], "alice"),
            ([(.dns, "host"), (.uri, "urn:crema:thing:alice")], [], "alice"),
            ([(.uri, "spiffe://shop/barista"), (.uri, "urn:crema:thing:alice")], [], "alice"),
            ([(.uri, "spiffe://shop/barista")], ["bob"], "spiffe://shop/barista"),
            ([(.uri, "URN:CREMA:THING:alice")], [], "URN:CREMA:THING:alice"),
            ([(.dns, "till-1.shop.example")], ["bob"], "till-1.shop.example"),
            ([(.ip, "abcd"), (.email, "a@example")], ["bob"], "bob"),
            ([], ["José's phone"], "José's phone"),
            ([(.uri, "urn:crema:thing:a%2Fb")], [], "a%2Fb"),
            // A common name that looks like a URI is still only a common name.
            ([], ["urn:crema:thing:alice"], "urn:crema:thing:alice"),
        ] as [([(AlternativeName.Kind, String)], [String], String)])
    func takes(_ row: ([(AlternativeName.Kind, String)], [String], String)) throws {
        let principal = try Principal(alternativeNames: Self.names(row.0), commonNames: Self.commonNames(row.1))
        #expect(principal.name == row.2)
    }

    @Test(
        "Threat 15: hostile and unclear names",
        arguments: [
            ([], [], .noName),
            ([(.ip, "abcd")], [], .noName),
            ([], ["a", "b"], .severalNames(.commonName, count: 2)),
            ([], ["a", "a"], .severalNames(.commonName, count: 2)),
            ([(.dns, "a"), (.dns, "b")], ["c"], .severalNames(.dns, count: 2)),
            ([(.uri, "urn:a"), (.uri, "urn:b")], [], .severalNames(.uri, count: 2)),
            ([(.uri, "urn:crema:thing:a"), (.uri, "urn:crema:thing:b")], [], .severalNames(.uri, count: 2)),
            ([], [""], .empty(.commonName)),
            ([(.uri, "")], ["bob"], .empty(.uri)),
            ([(.uri, "urn:crema:thing:")], ["bob"], .empty(.uri)),
            ([(.dns, "")], ["bob"], .empty(.dns)),
            ([], ["#"], .holdsTopicCharacter(.commonName, "#")),
            ([], ["a/+"], .holdsTopicCharacter(.commonName, "/")),
            ([], ["+"], .holdsTopicCharacter(.commonName, "+")),
            ([(.dns, "a/b")], [], .holdsTopicCharacter(.dns, "/")),
            ([(.uri, "urn:crema:thing:a/b")], [], .holdsTopicCharacter(.uri, "/")),
            ([(.uri, "https://shop/#top")], [], .holdsTopicCharacter(.uri, "#")),
            ([], ["alice\0.example"], .holdsNUL(.commonName)),
            ([(.dns, "alice\0.example")], ["alice"], .holdsNUL(.dns)),
            ([], ["alice\n"], .holdsControlCharacter(.commonName)),
            ([], ["alice\u{202E}"], .holdsControlCharacter(.commonName)),
            ([], ["alice\u{85}"], .holdsControlCharacter(.commonName)),
            ([], [String(repeating: "a", count: 257)], .tooLong(.commonName, bytes: 257)),
        ] as [([(AlternativeName.Kind, String)], [String], PrincipalError)])
    func refuses(_ row: ([(AlternativeName.Kind, String)], [String], PrincipalError)) {
        #expect(throws: row.2) {
            try Principal(alternativeNames: Self.names(row.0), commonNames: Self.commonNames(row.1))
        }
    }

    @Test func bytesThatAreNoUTF8AreRefused() {
        #expect(throws: PrincipalError.notUTF8(.commonName)) {
            try Principal(alternativeNames: [], commonNames: [.utf8([0x61, 0xC3])])
        }
        #expect(throws: PrincipalError.notUTF8(.commonName)) { try Principal(alternativeNames: [], commonNames: [.undecodable]) }
        #expect(throws: PrincipalError.notUTF8(.uri)) {
            try Principal(alternativeNames: [AlternativeName(kind: .uri, bytes: Array("urn:crema:thing:".utf8) + [0xFF])], commonNames: [])
        }
    }

    @Test func namesThatOnlyLookEqualAreDifferentPrincipals() throws {
        let composed = try Principal(alternativeNames: [], commonNames: [.utf8(Array("Jos\u{E9}".utf8))])
        let decomposed = try Principal(alternativeNames: [], commonNames: [.utf8(Array("Jose\u{301}".utf8))])
        #expect(composed.name == decomposed.name)
        #expect(composed != decomposed)
    }

    @Test func onlyAURIMayHoldASlashAndSaysSo() throws {
        let uri = try Principal(alternativeNames: Self.names([(.uri, "spiffe://shop/barista")]), commonNames: [])
        let thing = try Principal(alternativeNames: Self.names([(.uri, "urn:crema:thing:barista")]), commonNames: [])
        #expect(!uri.fitsOneTopicLevel)
        #expect(thing.fitsOneTopicLevel)
    }

    @Test func anIssuedCertificateGivesItsNameBack() throws {
        let client = try Issuing.client("barista-1", of: Issuing.authority())
        #expect(try Principal(from: client.certificate).name == "barista-1")
    }

    /// What the openssl program writes into real certificates, read back from their bytes.
    @Test(
        "Subjects in real certificates",
        arguments: [
            ("/CN=alice", "", nil), ("/CN=alice/CN=bob", "", .severalNames(.commonName, count: 2)),
            ("/CN=alice+CN=bob", "", .severalNames(.commonName, count: 2)), ("/O=shop", "", .noName),
            ("/CN=#", "", .holdsTopicCharacter(.commonName, "#")),
            ("/CN=alice", "subjectAltName=DNS:a,DNS:b", .severalNames(.dns, count: 2)),
            ("/CN=bob", "subjectAltName=URI:urn:crema:thing:alice", nil),
        ] as [(String, String, PrincipalError?)])
    func readsRealCertificates(_ row: (String, String, PrincipalError?)) async throws {
        let folder = try TemporaryDirectory()
        var arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-multivalue-rdn"]
        arguments += ["-subj", row.0, "-keyout", "k", "-out", "c"]
        if !row.1.isEmpty {
            arguments += ["-addext", row.1]
        }
        let made = try await OpenSSLProgram.run(arguments, in: folder)
        try #require(made.succeeded, "\(made.output)")
        let certificate = try #require(try Certificate.list(pem: folder.read("c")).first)
        if let expected = row.2 {
            #expect(throws: expected) { try Principal(from: certificate) }
        } else {
            #expect(try Principal(from: certificate).name == "alice")
        }
    }
}
