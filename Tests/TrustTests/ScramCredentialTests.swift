import Testing

@testable import Trust

@Suite struct ScramCredentialTests {
    private static let keys = "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    private static let text = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==" + keys

    private func read(_ text: String) throws -> ScramCredentials { try ScramCredentials(text: Array(text.utf8), source: "users") }

    /// Made by another program (hashlib and base64 of Python 3.11).
    @Test func aCredentialIsWhatOtherProgramsMake() throws {
        let password = "Gr\u{FC}\u{DF}e, \u{65E5}\u{672C} \u{20AC}=,"
        let credential = try ScramCredential(password: password, iterations: 5_000, salt: Array(0..<16))
        #expect(
            credential.text == "SCRAM-SHA-256$5000:AAECAwQFBgcICQoLDA0ODw==$9sIXlJWRUMd1cLwgSBEHoXMFdc1upNC0jNH91Axl1Oo=:"
                + "oMa4UiwaQPUN1YzeCeun4gspgYYc5JKJOyKGHh8s3QE=")
        #expect(credential.description == "SCRAM-SHA-256 with 5000 iterations")
    }

    @Test func saltsAreDrawn() throws {
        let two = try (0..<2).map { _ in try ScramCredential(password: "x", iterations: 4_096) }
        #expect(two[0].salt != two[1].salt && two[0].salt.count == 16)
        #expect(two[0] != two[1])
    }

    @Test func whatIsWrittenIsRead() throws {
        let names = ["user", "a:b", "a:SCRAM-SHA-256$x", " spaced ", "caf\u{E9}", "cafe\u{301}", "x=y,z"]
        let credentials = try names.map { try ScramCredential(password: $0, iterations: 4_096) }
        let lines = try zip(names, credentials).map { try ScramCredentials.line(userName: $0, $1) }
        let users = try read("# users of the shop\n\n" + lines.joined(separator: "\n") + "\n#gone:nonsense\n")
        #expect(users.count == names.count)
        for (name, credential) in zip(names, credentials) {
            let found = try users.credential(of: Array(name.utf8))
            #expect(found.isKnown && found.credential == credential)
        }
        #expect(try !users.credential(of: Array("spaced".utf8)).isKnown)
    }

    @Test(
        "Lines that are refused, with their number and the reason, and without their secrets",
        arguments: [
            ("user", "expected name:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey"),
            ("user:\(text.replacing("256", with: "1"))", "expected name:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey"),
            (text, "expected name:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey"),
            (":\(text)", "the user name cannot be used: it is empty"),
            ("us\ter:\(text)", "the user name cannot be used: it holds a control character"),
            ("\(String(repeating: "u", count: 257)):\(text)", "the user name cannot be used: it is longer than 256 bytes"),
            ("user:\(text.replacing("4096", with: "4095"))", "iterations must be a number from 4096 to 10000000"),
            ("user:\(text.replacing("4096", with: "10000001"))", "iterations must be a number from 4096 to 10000000"),
            ("user:\(text.replacing("4096", with: "+4096"))", "iterations must be a number from 4096 to 10000000"),
            ("user:\(text.replacing("4096", with: ""))", "iterations must be a number from 4096 to 10000000"),
            ("user:\(text.replacing("4096", with: "99999999999999999999"))", "iterations must be a number from 4096 to 10000000"),
            ("user:\(text.replacing("W22Z", with: "W2 Z"))", "the salt is not Base64 of 1 to 64 bytes"),
            ("user:\(text.replacing("gQ==", with: "gR=="))", "the salt is not Base64 of 1 to 64 bytes"),
            ("user:SCRAM-SHA-256$4096:\(keys)", "the salt is not Base64 of 1 to 64 bytes"),
            ("user:\(text.replacing("WG5d", with: ""))", "StoredKey is not Base64 of 32 bytes"),
            ("user:\(text.replacing("2dU=", with: ""))", "ServerKey is not Base64 of 32 bytes"),
            ("user:\(text)\r", "ServerKey is not Base64 of 32 bytes"),
            ("user:\(text):x", "expected iterations:salt$StoredKey:ServerKey after SCRAM-SHA-256$"),
            ("user:\(text)$x", "expected iterations:salt$StoredKey:ServerKey after SCRAM-SHA-256$"),
        ])
    func malformedLines(line: String, reason: String) {
        let other = "other:" + Self.text
        #expect(throws: TrustError.malformedCredentials(source: "users", line: 3, reason: reason)) {
            try read("# one\n\(other)\n\(line)\n")
        }
    }

    @Test func aUserWhoStandsTwiceIsNamedWithBothLines() {
        let lines = "user:\(Self.text)\nother:\(Self.text)\nuser:\(Self.text)\n"
        let error = #expect(throws: TrustError.self) { try read(lines) }
        #expect(error?.description == "users:3: the user 'user' stands in line 1 already")
    }

    @Test func namesThatAreNotTextAreRefused() {
        #expect(throws: TrustError.malformedCredentials(source: "users", line: 1, reason: "the user name cannot be used: it is not UTF-8"))
        {
            try ScramCredentials(text: [0xC3, 0x28] + Array(":\(Self.text)".utf8), source: "users")
        }
    }

    @Test func aFileIsReadIfOnlyItsOwnerMay() throws {
        let folder = try TemporaryDirectory()
        try FileBytes.write(Array("user:\(Self.text)\n".utf8), to: "\(folder.path)/users", mode: 0o600, replaces: false)
        #expect(try ScramCredentials(file: "\(folder.path)/users").count == 1)
        try FileBytes.write(Array("user:\(Self.text)\n".utf8), to: "\(folder.path)/open", mode: 0o640, replaces: false)
        #expect(throws: TrustError.credentialsReadableByOthers(path: "\(folder.path)/open", mode: 0o640)) {
            try ScramCredentials(file: "\(folder.path)/open")
        }
        #expect(throws: TrustError.fileMissing(path: "\(folder.path)/none")) { try ScramCredentials(file: "\(folder.path)/none") }
    }

    @Test func passwordsNamesAndCostsAreBounded() throws {
        for (password, reason) in [
            ("", "it is empty"), ("a\nb", "it holds a control character"), ("a\u{9F}", "it holds a control character"),
            (String(repeating: "p", count: 1_025), "it is longer than 1024 bytes"),
        ] {
            #expect(throws: TrustError.unusablePassword(reason: reason)) { try ScramCredential(password: password, iterations: 4_096) }
        }
        for iterations in [Int.min, 0, 4_095, 10_000_001, Int.max] {
            #expect(throws: TrustError.iterationsOutOfRange(iterations: iterations, min: 4_096, max: 10_000_000)) {
                try ScramCredential(password: "p", iterations: iterations)
            }
        }
        #expect(throws: TrustError.tooLarge(source: "a salt", bytes: 65, limit: 64)) {
            try ScramCredential(password: "p", iterations: 4_096, salt: Array(repeating: 1, count: 65))
        }
        let credential = try ScramCredential(password: "p", iterations: 4_096)
        for (name, reason) in [
            ("", "it is empty"), ("#a", "a line that begins with '#' is a comment"), ("a\nb", "it holds a control character"),
        ] {
            #expect(throws: TrustError.unusableUserName(name: name, reason: reason)) {
                try ScramCredentials.line(userName: name, credential)
            }
        }
    }

    /// RFC 4648 section 10, and what is not exactly as it would be written.
    @Test func base64IsStrict() {
        for (text, bytes) in [
            ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar"),
        ] {
            #expect(Base64.bytes(Array(text.utf8)) == Array(bytes.utf8))
            #expect(Base64.text(Array(bytes.utf8)) == Array(text.utf8))
        }
        for text in [
            "", "Zg=", "Zg", "Zh==", "Zm9=", "=Zg=", "Z===", "====", " Zm9v", "Zm9v ", "Zm 9", "Zm9v\n", "Zm-_", "Zg==Zg==", "Zm9v\0\0\0\0",
        ] {
            #expect(Base64.bytes(Array(text.utf8)) == nil, "'\(text)'")
        }
    }
}
