import Testing

@testable import Trust

@Suite struct ScramServerTests {
    /// RFC 7677 section 3: user `user`, password `pencil`.
    private enum Vector {
        static let line =
            "user:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
            + "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        static let clientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
        static let serverNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        static let serverFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        static let withoutProof = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        static let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        static let serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    }

    private static func users(_ lines: String...) throws -> ScramCredentials {
        try ScramCredentials(text: Array(lines.joined(separator: "\n").utf8))
    }

    private static func server() throws -> ScramServer {
        ScramServer(credentials: try users(Vector.line), serverNonce: Vector.serverNonce)
    }

    /// A server that has answered the first message of the vector.
    private static func challenged() throws -> ScramServer {
        var server = try server()
        #expect(server.received(Vector.clientFirst) == .challenge(Array(Vector.serverFirst.utf8)))
        return server
    }

    @Test("The example of RFC 7677 section 3, byte by byte")
    func vector() throws {
        var server = try Self.challenged()
        let answer = server.received("\(Vector.withoutProof),p=\(Vector.proof)")
        #expect(answer == .accepted(userName: "user", serverFinal: Array(Vector.serverFinal.utf8)))
        #expect(server.received("\(Vector.withoutProof),p=\(Vector.proof)") == .refused(.exchangeEnded))
    }

    @Test("A credential made from the example's password is the example's")
    func credentialOfTheVector() throws {
        let salt = try #require(Base64.bytes(Array("W22ZaJ0SNY7soEsUEjb6gQ==".utf8)))
        let credential = try ScramCredential(password: "pencil", iterations: 4_096, salt: salt)
        #expect(try ScramCredentials.line(userName: "user", credential) == Vector.line)
    }

    @Test(
        "Users get in with their password, whatever their names hold",
        arguments: ["n,,", "y,,"], ["user", "a=b,c", "=2C", "Gr\u{FC}\u{DF}e \u{65E5}\u{672C}", "a:b", "n=user,r=x"])
    func exchange(header: String, userName: String) throws {
        let credential = try ScramCredential(password: "p\u{E4}ss,=word", iterations: 4_096)
        var server = ScramServer(credentials: try Self.users(ScramCredentials.line(userName: userName, credential)))
        let client = ScramClient(header: header, userName: userName, password: "p\u{E4}ss,=word")
        let serverFirst = try #require(server.received(client.first).challengeBytes)
        let said = ScramClient.attributes(serverFirst)
        #expect(said["r"]?.hasPrefix(client.nonce) == true)
        #expect(said["r"]?.count == client.nonce.count + 24)
        let (message, serverSignature) = try client.final(answering: serverFirst)
        #expect(server.received(message) == .accepted(userName: userName, serverFinal: Array("v=\(serverSignature)".utf8)))
    }

    @Test("Each exchange has a nonce of its own, so that a proof cannot be used twice")
    func nonces() throws {
        let users = try Self.users(Vector.line)
        let client = ScramClient(userName: "user", password: "pencil")
        var first = ScramServer(credentials: users)
        var second = ScramServer(credentials: users)
        let challenges = [first.received(client.first), second.received(client.first)]
        #expect(challenges[0] != challenges[1])
        let (message, _) = try client.final(answering: try #require(challenges[0].challengeBytes))
        #expect(second.received(message) == .refused(.nonceDiffers))
    }

    @Test("Threat 57: a wrong password, another's password and an unknown user fail alike")
    func wrongPassword() throws {
        let other = try ScramCredentials.line(userName: "other", ScramCredential(password: "other", iterations: 4_096))
        let users = try Self.users(Vector.line, other)
        for (userName, password) in [("user", "pencil "), ("user", "other"), ("other", "pencil"), ("nobody", "pencil"), ("USER", "pencil")]
        {
            var server = ScramServer(credentials: users)
            let client = ScramClient(userName: userName, password: password)
            let serverFirst = try #require(server.received(client.first).challengeBytes)
            #expect(server.received(try client.final(answering: serverFirst).message) == .refused(.proofRejected))
        }
        #expect(ScramFailure.proofRejected.serverFinal == Array("e=invalid-proof".utf8))
    }

    @Test("A proof with any one bit changed is refused")
    func tamperedProof() throws {
        let proof = try #require(Base64.bytes(Array(Vector.proof.utf8)))
        for bit in 0..<256 {
            var tampered = proof
            tampered[bit / 8] ^= 1 << (bit % 8)
            var server = try Self.challenged()
            let message = Array("\(Vector.withoutProof),p=".utf8) + Base64.text(tampered)
            #expect(server.received(message) == .refused(.proofRejected))
        }
    }

    @Test("Threat 57: a made-up challenge is the same each time and looks as a user's does")
    func unknownUsers() throws {
        let long = try ScramCredential(password: "long", iterations: 5_000, salt: Array(repeating: 7, count: 24))
        let users = try Self.users(Vector.line, try ScramCredentials.line(userName: "long", long))
        var seen = Set<String>()
        var shapes = Set<[String]>()
        for number in 0..<64 {
            let client = ScramClient(userName: "nobody-\(number)", password: "x")
            var challenges: [[Character: String]] = []
            // The second time with one user more, who comes behind: the made-up salt stays.
            for _ in 0..<2 {
                var server = ScramServer(credentials: users, serverNonce: "n")
                challenges.append(ScramClient.attributes(try #require(server.received(client.first).challengeBytes)))
            }
            #expect(challenges[0] == challenges[1])
            let salt = challenges[0]["s"] ?? ""
            seen.insert(salt)
            shapes.insert([challenges[0]["i"] ?? "", "\(salt.count)"])
        }
        #expect(seen.count == 64)
        #expect(shapes == [["4096", "24"], ["5000", "32"]])
        let more = try Self.users(Vector.line, try ScramCredentials.line(userName: "more", long))
        let salts = try [users, more].map { try $0.credential(of: Array("nobody".utf8)).credential.salt.prefix(16) }
        #expect(salts[0] == salts[1])
    }

    @Test("Nobody gets in where there is no user at all")
    func noUsers() throws {
        var server = ScramServer(credentials: try Self.users(""))
        let client = ScramClient(userName: "user", password: "pencil")
        let serverFirst = try #require(server.received(client.first).challengeBytes)
        #expect(ScramClient.attributes(serverFirst)["i"] == "\(ScramLimits.iterationsDefault)")
        #expect(server.received(try client.final(answering: serverFirst).message) == .refused(.proofRejected))
    }

    @Test(
        "First messages that are refused, each for its reason",
        arguments: [
            ("p=tls-unique,,n=user,r=x", .channelBindingUnsupported("tls-unique")),
            ("p=,,n=user,r=x", .channelBindingUnsupported("")),
            ("n,a=other,n=user,r=x", .authorizationIdentityDiffers),
            ("n,a=USER,n=user,r=x", .authorizationIdentityDiffers),
            ("n,,m=x,n=user,r=x", .extensionUnsupported),
            ("n,,n=user,r=x,m=x", .extensionUnsupported),
            ("n,,n=us=er,r=x", .unusableUserName("'=' that is neither =2C nor =3D")),
            ("n,,n=user=2c,r=x", .unusableUserName("'=' that is neither =2C nor =3D")),
            ("n,,n=user=3,r=x", .unusableUserName("'=' that is neither =2C nor =3D")),
            ("n,,n=user\u{7},r=x", .unusableUserName("it holds a control character")),
            ("n,,n=user\u{85},r=x", .unusableUserName("it holds a control character")),
            ("n,,n=,r=x", .malformed("n= is empty")),
            ("n,,r=x,n=user", .malformed("n= is missing, or not in its place")),
            ("n,,n=user,x=y,r=x", .malformed("r= is missing, or not in its place")),
            ("n,,n=user,r=", .malformed("r= is empty")),
            ("n,,n=user", .malformed("the first message has fewer than four parts")),
            ("n,n=user,r=x", .malformed("the first message has fewer than four parts")),
            ("", .malformed("the first message has fewer than four parts")),
            ("x,,n=user,r=x", .malformed("it begins with neither n, y nor p=")),
            (",,n=user,r=x", .malformed("it begins with neither n, y nor p=")),
            ("nn,,n=user,r=x", .malformed("it begins with neither n, y nor p=")),
            ("n,user,n=user,r=x", .malformed("a= is missing, or not in its place")),
            ("n,a=,n=user,r=x", .malformed("a= is empty")),
            ("n,,n=user,r=x y", .malformed("the nonce is not 1 to 256 printable characters")),
            ("n,,n=user,r=\u{E9}", .malformed("the nonce is not 1 to 256 printable characters")),
            ("n,,n=user,r=x,", .malformed("a part is no attribute")),
            ("n,,n=user,r=x,x=", .malformed("a part is no attribute")),
            ("n,,n=user,r=x,1=y", .malformed("a part is no attribute")),
            ("n,,n=user,r=x,r=y", .malformed("r= is not in its place")),
            ("n,,n=user,r=x,n=root", .malformed("n= is not in its place")),
            ("n,,n=user\0,r=x", .malformed("it holds U+0000")),
        ] as [(String, ScramFailure)])
    func hostileFirst(message: String, failure: ScramFailure) throws {
        var server = try Self.server()
        #expect(server.received(message) == .refused(failure))
        #expect(server.received(Vector.clientFirst) == .refused(.exchangeEnded))
        #expect(failure.serverFinal.starts(with: Array("e=".utf8)))
    }

    @Test("The identity to act as may be the user's own, and unknown attributes are passed over")
    func toleratedFirst() throws {
        for message in ["n,a=user,n=user,r=x", "y,,n=user,r=x", "n,,n=user,r=x,x=y=z,X=1"] {
            var server = try Self.server()
            #expect(server.received(message).challengeBytes != nil)
        }
    }

    @Test(
        "Last messages that are refused, each for its reason",
        arguments: [
            ("c=eSws,r=NONCE,p=PROOF", .channelBindingDiffers),
            ("c=biw=,r=NONCE,p=PROOF", .channelBindingDiffers),
            ("c=biws,r=rOprNGfwEbeRWgbNEkqO,p=PROOF", .nonceDiffers),
            ("c=biws,r=NONCEx,p=PROOF", .nonceDiffers),
            ("c=biws,r=NONCE,m=x,p=PROOF", .extensionUnsupported),
            ("c=biws,r=NONCE,x=y,p=PROOF", .proofRejected),
            ("c=biws,r=NONCE", .malformed("the last message has fewer than three parts")),
            ("c=biws,r=NONCE,p=", .malformed("p= is empty")),
            ("c=biws,r=NONCE,p=PROO", .malformed("p= is not Base64 of 32 bytes")),
            ("c=biws,r=NONCE,p=AAAA", .malformed("p= is not Base64 of 32 bytes")),
            ("c=biws,r=NONCE,p=PROOF,p=PROOF", .malformed("p= is not in its place")),
            ("c=biws,r=NONCE,p=PROOF,x=y", .malformed("p= is not in its place")),
            ("r=NONCE,c=biws,p=PROOF", .malformed("c= is missing, or not in its place")),
            ("c=b i w s,r=NONCE,p=PROOF", .malformed("c= is not Base64")),
            ("c=,r=NONCE,p=PROOF", .malformed("c= is empty")),
            ("c=biws,x=y,r=NONCE,p=PROOF", .malformed("r= is missing, or not in its place")),
            ("", .malformed("the last message has fewer than three parts")),
        ] as [(String, ScramFailure)])
    func hostileFinal(message: String, failure: ScramFailure) throws {
        var server = try Self.challenged()
        let text = message.replacing("NONCE", with: "rOprNGfwEbeRWgbNEkqO" + Vector.serverNonce).replacing("PROOF", with: Vector.proof)
        #expect(server.received(text) == .refused(failure))
        #expect(server.received("\(Vector.withoutProof),p=\(Vector.proof)") == .refused(.exchangeEnded))
    }

    @Test("Sizes are bounded: message, name, nonce; and bytes that are not UTF-8 are none")
    func sizes() throws {
        func first(name: Int, nonce: Int) throws -> ScramServer.Answer {
            var server = try Self.server()
            return server.received("n,,n=\(String(repeating: "u", count: name)),r=\(String(repeating: "r", count: nonce))")
        }
        #expect(try first(name: 256, nonce: 256).challengeBytes != nil)
        #expect(try first(name: 257, nonce: 1) == .refused(.unusableUserName("it is longer than 256 bytes")))
        #expect(try first(name: 1, nonce: 257) == .refused(.malformed("the nonce is not 1 to 256 printable characters")))
        #expect(try first(name: 1, nonce: 3_000) == .refused(.tooLarge(bytes: 3_009, limit: 2_048)))
        var server = try Self.server()
        #expect(server.received(Array("n,,n=us".utf8) + [0xFF] + Array(",r=x".utf8)) == .refused(.malformed("it is not UTF-8")))
    }

    @Test("Whatever is sent, the answer is a challenge or a refusal", arguments: 1...4 as ClosedRange<UInt64>)
    func mutations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let users = try Self.users(Vector.line)
        let pieces = Array("n,y=ap:cr\u{E9}\0\t%23CD+/".utf8)
        var challenges = 0
        func mutated(_ text: String) -> [UInt8] {
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0...bytes.count, using: &generator)
                let piece = pieces.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.insert(piece, at: place)
                case 1 where place < bytes.count: bytes.remove(at: place)
                case 2 where place < bytes.count: bytes[place] = piece
                default: bytes.append(contentsOf: bytes.prefix(place))
                }
            }
            return bytes
        }
        for _ in 0..<2_000 {
            var server = ScramServer(credentials: users, serverNonce: Vector.serverNonce)
            if case .challenge = server.received(mutated(Vector.clientFirst)) { challenges += 1 }
            server = ScramServer(credentials: users, serverNonce: Vector.serverNonce)
            _ = server.received(Vector.clientFirst)
            let final = "\(Vector.withoutProof),p=\(Vector.proof)"
            let changed = mutated(final)
            if case .accepted = server.received(changed), changed != Array(final.utf8) {
                Issue.record("seed \(seed): accepted \(String(decoding: changed, as: UTF8.self))")
            }
        }
        #expect(challenges > 20, "the mutations hardly ever pass the grammar")
    }
}
