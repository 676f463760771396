import Testing

@testable import Trust

@Suite struct PasswordFileTests {
    private func read(_ text: String) throws -> PasswordFile { try PasswordFile(text: Array(text.utf8), source: "users") }

    private func fits(_ password: String, _ name: String, in file: PasswordFile) throws -> Bool {
        try #require(file.entry(of: Array(name.utf8))).matches(Array(password.utf8))
    }

    /// Made by mosquitto_passwd 2.0.11, by argon2 (Debian's 20171227) and by hashlib and base64 of Python 3.11.
    static let made = [
        (
            "mosquitto_passwd, PBKDF2", "espresso",
            "$7$101$G7SlOagUG+SMU7OK$xcL9je1L5eoM/9fSSvYk7mdQ2R1xNK0peyrEEqorMGp3BhnWCUS8W9Jg1GS7k5EwzCCQqxGt/nh0hbFknXonqw=="
        ),
        (
            "mosquitto_passwd -H sha512", "mocha",
            "$6$wCaeDK6A6HQhqp66$3KvFSY9j09pXXjXDcMU/Vq5xm1OujmIc/SrBzvYbGx9kvOhckNG5fTTm1S+9+IIIH8jtMSrv14QHN18rf4jCVg=="
        ),
        (
            "mosquitto_passwd, not ASCII", "cr\u{E8}me br\u{FB}l\u{E9}e",
            "$7$101$dGtKXbthDtbbCIx8$XGSx5HH4hd86C5EBhJacegJOZneNAG/zw0H6JicAZvae8mMsGSAFmB5qSQ3Y2PcadAXCZJyQ+raBasb+dROoKA=="
        ),
        (
            "argon2, as mosquitto 2.1 has it", "latte",
            "$argon2id$v=19$m=47104,t=1,p=1$c2FsdHNhbHRzYWx0$jc+iu3wvaBGs0IE4c5Jot8iad2XnjXiI6b6v+F+XAWY"
        ),
        ("argon2, four lanes", "latte", "$argon2id$v=19$m=1024,t=2,p=4$b3RoZXJzYWx0$p4MZXEjUPe25reiD6u9T2UgkrR0BETxjj8t3x3KJrqU"),
        (
            "argon2, 64 bytes", "latte",
            "$argon2id$v=19$m=64,t=1,p=1$b3RoZXJzYWx0$qumPQuMNYLx1OvZX7cEIZk1luQYpopjD2jFtTSyPC/mj7VW4YfGudQeB6njZTlO33HgBKMgsRFfrkCxxQ4hn8g"
        ),
        (
            "Python, no password at all", "",
            "$7$1000$AAECAwQFBgcICQoL$D669QWqS15e1b/X0xdPpbKbWIuPUSCNSiU9MUu0qxylfyqTQ8QZVGe6M4QboWy2C66xzE3Ffc1NxrFPFo3BIUw=="
        ),
        (
            "Python, mosquitto 2.1's salt of 64 bytes", "flat white",
            "$7$1000$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
                + "$HyDqNiYbN7qYNkYrVLZYMETPxXvNc66RdkurjaOObOCC+60EdNUSuG5cW/qDykc22Kx3+TtVEm4faEoVkEJQsQ=="
        ),
    ]

    @Test("What other programs made lets in who has the password, and nobody else", arguments: made)
    func otherPrograms(_ program: String, password: String, hash: String) throws {
        let file = try read("ann:\(hash)\n")
        #expect(file.count == 1)
        #expect(try fits(password, "ann", in: file))
        // Not with a NUL behind it: HMAC, on which PBKDF2 stands, takes that for the same key (RFC 2104 section 2).
        for wrong in [password + "x", "x" + password, "wrong", password.uppercased() + "!", "ann"] {
            #expect(try !fits(wrong, "ann", in: file), "\(wrong)")
        }
        #expect(try !fits(password, "bob", in: file))
        #expect(try PasswordHash(text: Array(hash.utf8)[...]).text == hash)
    }

    @Test("What is written is read, checks its password, and says no secret", arguments: PasswordHash.Kind.allCases)
    func written(kind: PasswordHash.Kind) throws {
        let two = try (0..<2).map { _ in try PasswordHash(password: "espresso", by: kind) }
        #expect(two[0].salt != two[1].salt && two[0].salt.count == (kind == .argon2id ? 16 : 12))
        let file = try read(try PasswordFile.line(userName: "ann", two[0]))
        #expect(try fits("espresso", "ann", in: file) && !fits("latte", "ann", in: file))
        switch kind {
        case .argon2id: #expect(two[0].text.hasPrefix("$argon2id$v=19$m=47104,t=1,p=1$"))
        case .pbkdf2: #expect(two[0].text.hasPrefix("$7$210000$"))
        }
        #expect(!two[0].description.contains("$"))
    }

    @Test("Comments, empty lines and ends of lines by Windows say nothing; names are bytes")
    func lines() throws {
        let hash = Self.made[0].2
        let names = ["user", "a b", "caf\u{E9}", "cafe\u{301}", "a#b"]
        let file = try read("# users\r\n\n\r\n" + names.map { "\($0):\(hash)\r\n" }.joined() + "#gone:nonsense")
        #expect(file.count == names.count)
        for name in names { #expect(try fits("espresso", name, in: file)) }
        for name in ["User", "user ", "", "#gone"] { #expect(try !fits("espresso", name, in: file)) }
    }

    private static let argon2 = "$argon2id$v=19$m=1024,t=2,p=4$b3RoZXJzYWx0$p4MZXEjUPe25reiD6u9T2UgkrR0BETxjj8t3x3KJrqU"
    private static let unknown = "the hash is of no kind that is known here: $6$, $7$ and $argon2id$ are"

    @Test(
        "Threat 41: lines that are refused, with their number and the reason, and without their secrets",
        arguments: [
            ("ann", "expected name:hash, and there is no colon"),
            ("ann:", "the user has no password, and would be let in with any: give it one, or take out the line"),
            (
                "ann:espresso",
                "the password is not hashed: make the file with mosquitto_passwd or crema users (mosquitto_passwd -U hashes a file)"
            ),
            (":\(made[0].2)", "the user name cannot be used: it is empty"),
            ("an\tn:\(made[0].2)", "the user name cannot be used: it holds a control character"),
            ("\(String(repeating: "u", count: 257)):\(made[0].2)", "the user name cannot be used: it is longer than 256 bytes"),
            ("ann:$", unknown), ("ann:$5$salt$hash", unknown), ("ann:$2b$12$saltandhash", unknown),
            ("ann:$argon2i$v=19$m=1024,t=2,p=1$b3RoZXJzYWx0$STBqWI4PMBiCpAVkqV6GRUs4y08J5b/4OW8CuVSQiz8", unknown),
            ("ann:$6$salt", "expected $6$salt$hash"), ("ann:$7$101$salt", "expected $7$iterations$salt$hash"),
            ("ann:\(made[1].2)$x", "expected $6$salt$hash"),
            ("ann:\(made[1].2.replacing("wCae", with: "wC e"))", "the salt is not Base64 of 1 to 64 bytes"),
            ("ann:$6$$3KvFSY9j", "the salt is not Base64 of 1 to 64 bytes"),
            ("ann:\(made[1].2.replacing("3KvF", with: ""))", "the hash is not Base64 of 64 bytes"),
            ("ann:\(made[1].2.replacing("==", with: ""))", "the hash is not Base64 of 64 bytes"),
            ("ann:\(made[1].2) ", "the hash is not Base64 of 64 bytes"),
            ("ann:\(made[0].2.replacing("$101$", with: "$0$"))", "iterations must be a number from 1 to 2000000"),
            ("ann:\(made[0].2.replacing("$101$", with: "$-1$"))", "iterations must be a number from 1 to 2000000"),
            ("ann:\(made[0].2.replacing("$101$", with: "$0101$"))", "iterations must be a number from 1 to 2000000"),
            ("ann:\(made[0].2.replacing("$101$", with: "$2000001$"))", "iterations must be a number from 1 to 2000000"),
            ("ann:\(made[0].2.replacing("$101$", with: "$99999999999999999999$"))", "iterations must be a number from 1 to 2000000"),
            ("ann:\(argon2.replacing("v=19", with: "v=16"))", "only version 19 of Argon2id is known here"),
            ("ann:\(argon2.replacing("$v=19", with: ""))", "expected $argon2id$v=19$m=KiB,t=passes,p=lanes$salt$hash"),
            ("ann:\(argon2.replacing("t=2,", with: ""))", "expected $argon2id$v=19$m=KiB,t=passes,p=lanes$salt$hash"),
            ("ann:\(argon2.replacing("p=4", with: "p=4,keyid=a"))", "expected $argon2id$v=19$m=KiB,t=passes,p=lanes$salt$hash"),
            ("ann:\(argon2.replacing("t=2,p=4", with: "p=4,t=2"))", "expected m=, t= and p= in that order"),
            ("ann:\(argon2.replacing("m=1024", with: "m=131073"))", "m= must be a number from 32 to 131072"),
            ("ann:\(argon2.replacing("m=1024", with: "m=31"))", "m= must be a number from 32 to 131072"),
            ("ann:\(argon2.replacing("m=1024", with: "m=4294967296"))", "m= must be a number from 32 to 131072"),
            ("ann:\(argon2.replacing("t=2", with: "t=11"))", "t= must be a number from 1 to 10"),
            ("ann:\(argon2.replacing("t=2", with: "t="))", "t= must be a number from 1 to 10"),
            ("ann:\(argon2.replacing("p=4", with: "p=17"))", "p= must be a number from 1 to 16"),
            ("ann:\(argon2.replacing("b3RoZXJzYWx0", with: "b3RoZXI"))", "the salt has less than 8 bytes"),
            ("ann:\(argon2)=", "the hash is not Base64 of 16 to 64 bytes"),
            (
                "ann:\(argon2.replacing("p4MZXEjUPe25reiD6u9T2UgkrR0BETxjj8t3x3KJrqU", with: "p4MZXEjU"))",
                "the hash is not Base64 of 16 to 64 bytes"
            ),
            ("ann:\(argon2)$", "expected $argon2id$v=19$m=KiB,t=passes,p=lanes$salt$hash"),
        ] as [(String, String)])
    func malformed(line: String, reason: String) throws {
        #expect(throws: TrustError.malformedCredentials(source: "users", line: 2, reason: reason)) {
            _ = try read("good:\(Self.made[0].2)\n\(line)\n")
        }
        #expect(!reason.contains("espresso") && !reason.contains("3KvF"))
    }

    @Test("Threat 41: a user who stands there twice fails the file, and so does too much of it")
    func twice() throws {
        let line = "ann:\(Self.made[0].2)"
        #expect(throws: TrustError.malformedCredentials(source: "users", line: 3, reason: "the user 'ann' stands in line 1 already")) {
            _ = try read("\(line)\n# again\n\(line)\n")
        }
        let many = [UInt8](repeating: UInt8(ascii: "\n"), count: PasswordLimits.fileBytesMax)
        #expect(try PasswordFile(text: many).count == 0)
        #expect(throws: TrustError.self) { _ = try PasswordFile(text: many + [UInt8(ascii: "\n")]) }
    }

    @Test("Threat 41: no change of one byte of a good line lets somebody in without the password")
    func changedBytes() throws {
        let good = Array("ann:$argon2id$v=19$m=64,t=1,p=1$b3RoZXJzYWx0$".utf8)
        let line = Array("ann:\(Self.made[5].2)".utf8)
        #expect(line.starts(with: good))
        var read = 0
        for index in good.indices {
            for byte: UInt8 in [0, 10, 32, 36, 44, 48, 57, 58, 61, 255] where byte != line[index] {
                var changed = line
                changed[index] = byte
                guard let file = try? PasswordFile(text: changed) else { continue }
                read += 1
                for password in ["", "x", "$argon2id$"] {
                    guard let entry = file.entry(of: Array("ann".utf8)) else { continue }
                    #expect(try !entry.matches(Array(password.utf8)), "\(changed)")
                }
            }
        }
        #expect(read > 0)
    }

    @Test("Threat 41: a file without users lets nobody in", arguments: ["", "\n", "# nobody\n"])
    func empty(text: String) throws {
        let file = try read(text)
        #expect(file.count == 0)
        #expect(file.entry(of: Array("ann".utf8)) == nil && file.fingerprint(of: "ann") == nil)
    }

    @Test("Threat 57: a name that is not there is checked as some user's is, always the same one, and no password fits it")
    func decoys() throws {
        let hashes = [Self.made[0], Self.made[1], Self.made[4]]
        let text = hashes.enumerated().map { "user\($0.offset):\($0.element.2)\n" }.joined()
        let (file, again) = (try read(text), try read(text + "other:\(Self.made[6].2)\n"))
        var costs: Set<String> = []
        for number in 0..<60 {
            let name = Array("nobody\(number)".utf8)
            let entry = try #require(file.entry(of: name))
            costs.insert(entry.cost)
            #expect(try #require(file.entry(of: name)).cost == entry.cost)
            // Somebody's right password, against whose hash this one is checked.
            for hash in hashes.prefix(2) { #expect(try !entry.matches(Array(hash.1.utf8))) }
            #expect(again.entry(of: name) != nil)
        }
        #expect(costs.count == 3)
    }

    @Test("What tells a user's hash from every other is there for users alone, and changes with the password")
    func fingerprints() throws {
        let (first, second) = (try read("ann:\(Self.made[0].2)"), try read("ann:\(Self.made[1].2)\nbob:\(Self.made[0].2)"))
        let ann = try #require(first.fingerprint(of: "ann"))
        #expect(ann.count == 32 && first.fingerprint(of: "bob") == nil)
        #expect(second.fingerprint(of: "ann") != ann)
        #expect(try #require(first.entry(of: Array("ann".utf8))).fingerprint == ann)
    }

    @Test("A password is remembered for its user, its hash and this process alone")
    func remembrance() throws {
        let file = try read("ann:\(Self.made[0].2)\nbob:\(Self.made[0].2)\nzoe:\(Self.made[1].2)")
        func of(_ name: String, _ password: String, key: [UInt8] = [1, 2]) throws -> [UInt8] {
            try #require(file.entry(of: Array(name.utf8))?.remembrance(of: Array(password.utf8), key: key))
        }
        let all = [
            try of("ann", "x"), try of("ann", "y"), try of("ann", ""), try of("bob", "x"), try of("zoe", "x"),
            try of("ann", "x", key: [1, 3]),
        ]
        #expect(Set(all).count == all.count && all.allSatisfy { $0.count == 32 })
        #expect(try of("ann", "x") == all[0])
    }

    @Test("Warned of are the hashes that can be guessed at very fast, by their lines")
    func weak() throws {
        #expect(try read("a:\(Self.made[0].2)\n#\nb:\(Self.made[1].2)\nc:\(Self.made[4].2)\nd:\(Self.made[1].2)").weakLines == [3, 5])
    }
}
