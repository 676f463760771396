import Foundation
import Testing

@testable import Trust

@Suite struct CertificateFolderTests {
    private let place: TemporaryDirectory
    private let folder: CertificateFolder

    init() throws {
        place = try TemporaryDirectory()
        folder = CertificateFolder(path: place.path + "/certs")
    }

    private func names(_ texts: String...) throws -> [AlternativeName] {
        try texts.map { try AlternativeName(parsing: $0) }
    }

    /// What is not in order, as `severity subject file`, without the path of the folder.
    private func faults(at time: Int64? = nil) -> [String] {
        folder.check(at: time).filter { $0.severity > .ok }.map {
            "\($0.severity.name) \($0.subject.rawValue) \($0.file.dropFirst(folder.path.utf8.count + 1))"
        }
    }

    @Test func aNewFolderIsSoundAndItsKeysAreClosed() throws {
        let made = try folder.initialise(san: names("localhost", "127.0.0.1"))
        #expect(made.map(\.action) == [.made, .made])
        #expect(try folder.issue(name: ThingName("alice")).action == .made)
        #expect(faults() == [])
        for key in ["ca.key", "server.key", "clients/alice.key"] {
            #expect(try place.mode("certs/" + key) == 0o600)
        }
        for certificate in ["ca.crt", "server.crt", "clients/alice.crt"] {
            #expect(try place.mode("certs/" + certificate) == 0o644)
        }
    }

    @Test func opensslTakesTheFolderForBothPurposes() async throws {
        _ = try folder.initialise(san: names("localhost"))
        _ = try folder.issue(name: ThingName("alice"))
        func verify(_ purpose: String, _ file: String) async throws -> Bool {
            let arguments = ["verify", "-x509_strict", "-CAfile", "certs/ca.crt", "-purpose", purpose, file]
            return try await OpenSSLProgram.run(arguments, in: place).succeeded
        }
        #expect(try await verify("sslserver", "certs/server.crt"))
        #expect(try await verify("sslclient", "certs/clients/alice.crt"))
        #expect(try await !verify("sslclient", "certs/server.crt"))
    }

    @Test func aSecondRunKeepsEveryByte() throws {
        let files = ["ca.crt", "ca.key", "server.crt", "server.key", "clients/alice.crt", "clients/alice.key"].map { "certs/" + $0 }
        _ = try folder.initialise(san: names("localhost"))
        _ = try folder.issue(name: ThingName("alice"))
        let before = try files.map { try place.read($0) }
        #expect(try folder.initialise(san: names("localhost")).map(\.action) == [.kept, .kept])
        #expect(try folder.initialise().map(\.action) == [.kept, .kept])
        #expect(try folder.issue(name: ThingName("alice")).action == .kept)
        #expect(try files.map { try place.read($0) } == before)
    }

    @Test func forceReplacesLeavesButNeverTheAuthority() throws {
        _ = try folder.initialise(san: names("localhost"))
        _ = try folder.issue(name: ThingName("alice"))
        let authority = try place.read("certs/ca.crt")
        let server = try place.read("certs/server.key")
        let client = try place.read("certs/clients/alice.key")
        #expect(try folder.initialise(san: names("shop.example"), force: true).map(\.action) == [.kept, .replaced])
        #expect(try folder.issue(name: ThingName("alice"), force: true).action == .replaced)
        #expect(try place.read("certs/ca.crt") == authority)
        #expect(try place.read("certs/server.key") != server)
        #expect(try place.read("certs/clients/alice.key") != client)
        #expect(faults() == [])
        #expect(try place.mode("certs/server.key") == 0o600)
    }

    @Test func aNameThatTheServerCertificateLacksIsNotPassedOver() throws {
        _ = try folder.initialise(san: names("localhost"))
        #expect(
            throws: TrustError.unsound(
                path: folder.path + "/server.crt", reason: "does not name DNS:shop.example; --force makes a new pair")
        ) {
            _ = try folder.initialise(san: names("localhost", "shop.example"))
        }
    }

    @Test func anExpiredPairIsNamedAndNotRenewedUnasked() throws {
        let then = Issuing.now - 20 * Issuing.day
        _ = try folder.initialise(san: names("localhost"), days: 10, at: then)
        _ = try folder.issue(name: ThingName("alice"), days: 10, at: then)
        #expect(throws: TrustError.self) { _ = try folder.initialise() }
        #expect(throws: TrustError.self) { _ = try folder.issue(name: ThingName("alice")) }
        #expect(faults() == ["failure expiry server.crt", "failure expiry clients/alice.crt"])
        _ = try folder.initialise(force: true)
        #expect(faults() == ["failure expiry clients/alice.crt"])
    }

    @Test(
        "Days left, and what they mean",
        arguments: [
            (31.0, "ok"), (30, "notice"), (8, "notice"), (7, "warning"), (2, "warning"), (1, "critical"), (0.01, "critical"),
            (-0.01, "failure"),
        ])
    func expiryIsGraded(_ row: (Double, String)) throws {
        let end = Issuing.now + 100 * Issuing.day
        _ = try folder.initialise(san: names("localhost"), days: 100, at: Issuing.now)
        let findings = folder.check(at: end - Int64(row.0 * 86_400))
        let expiry = try #require(findings.first { $0.subject == .expiry && $0.file.hasSuffix("server.crt") })
        #expect(expiry.severity.name == row.1)
        #expect(expiry.daysLeft == Int64(row.0.rounded(.down)))
    }

    @Test("Threat 59: a key that others may read is a failure") func anOpenKeyIsAFailure() throws {
        _ = try folder.initialise(san: names("localhost"))
        try place.setMode(0o640, of: "certs/server.key")
        #expect(faults() == ["failure mode server.key"])
        #expect(throws: TrustError.privateKeyReadableByOthers(path: folder.path + "/server.key", mode: 0o640)) {
            _ = try PrivateKey(file: folder.serverFiles.key)
        }
    }

    @Test func keysThatDoNotBelongAreFound() throws {
        _ = try folder.initialise(san: names("localhost"))
        _ = try folder.issue(name: ThingName("alice"))
        let alice = try place.read("certs/clients/alice.key")
        try place.write(place.read("certs/server.key"), to: "certs/clients/alice.key")
        try place.write(alice, to: "certs/server.key")
        #expect(faults() == ["failure key server.key", "failure key clients/alice.key"])
    }

    @Test func aCertificateOfAnotherAuthorityIsFound() throws {
        _ = try folder.initialise(san: names("localhost"))
        let elsewhere = try Issuing.client("alice", of: Issuing.authority())
        try place.write(elsewhere.certificate.pem(), to: "certs/clients/alice.crt")
        #expect(faults() == ["failure chain clients/alice.crt", "notice file clients/alice.key"])
    }

    @Test func aClientCertificateForTheServerIsFound() throws {
        _ = try folder.initialise(san: names("localhost"))
        _ = try folder.issue(name: ThingName("alice"))
        try place.write(place.read("certs/clients/alice.crt"), to: "certs/server.crt")
        try place.write(place.read("certs/clients/alice.key"), to: "certs/server.key")
        #expect(faults() == ["failure chain server.crt", "failure usage server.crt", "failure names server.crt"])
    }

    @Test func filesThatAreNotThereOrNotReadableAreNamed() throws {
        #expect(faults() == ["failure file ca.crt", "failure file server.crt", "failure file server.key"])
        _ = try folder.initialise(san: names("localhost"))
        try place.write(Array("no certificate".utf8), to: "certs/clients/odd.crt")
        try place.write(Array("no key".utf8), to: "certs/clients/alone.key")
        #expect(faults() == ["warning file clients/alone.key", "failure file clients/odd.crt", "notice file clients/odd.key"])
    }

    @Test func aFileNameIsNoReasonToTrap() throws {
        _ = try folder.initialise(san: names("localhost"))
        try place.write([], to: "certs/clients/.crt")
        try place.write([], to: "certs/clients/\u{1B}[2J.crt")
        #expect(folder.check().count { $0.severity == .failure } == 2)
    }

    @Test func anAuthorityKeyElsewhereKeepsWhatIsThereButIssuesNothing() throws {
        _ = try folder.initialise(san: names("localhost"))
        try FileManager.default.removeItem(atPath: folder.authorityFiles.key)
        #expect(try folder.initialise().map(\.action) == [.kept, .kept])
        #expect(faults() == ["notice file ca.key"])
        #expect(throws: TrustError.fileMissing(path: folder.authorityFiles.key)) { _ = try folder.issue(name: ThingName("alice")) }
    }

    @Test func halfAPairIsNeverCompletedInSilence() throws {
        _ = try folder.initialise(san: names("localhost"))
        try FileManager.default.removeItem(atPath: folder.serverFiles.certificate)
        #expect(throws: TrustError.incompletePair(present: folder.serverFiles.key, missing: folder.serverFiles.certificate)) {
            _ = try folder.initialise()
        }
        try FileManager.default.removeItem(atPath: folder.authorityFiles.certificate)
        #expect(throws: TrustError.incompletePair(present: folder.authorityFiles.key, missing: folder.authorityFiles.certificate)) {
            _ = try folder.initialise(force: true)
        }
    }

    @Test func nothingIsIssuedWithoutAnAuthority() throws {
        #expect(throws: TrustError.self) { _ = try folder.issue(name: ThingName("alice")) }
        #expect(!place.exists("certs/clients/alice.key"))
    }

    @Test("Days that are refused", arguments: [Int.min, -1, 0, 826, Int.max])
    func refusesDays(_ days: Int) throws {
        #expect(throws: TrustError.daysOutOfRange(days: days, limit: 825)) { _ = try folder.initialise(days: days) }
        #expect(!place.exists("certs"))
    }

    @Test func aLinkInTheWayIsNotFollowed() throws {
        _ = try folder.initialise(san: names("localhost"))
        let victim = try place.write(Array("precious".utf8), to: "victim")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/clients/alice.key", withDestinationPath: victim)
        #expect(throws: TrustError.self) { _ = try folder.issue(name: ThingName("alice")) }
        #expect(try place.read("victim") == Array("precious".utf8))
    }

    @Test func aFileThatIsThereIsNeverWrittenOverUnasked() throws {
        let file = try place.write(Array("precious".utf8), to: "file")
        #expect(throws: TrustError.fileExists(path: file)) { try FileBytes.write([1], to: file, mode: 0o600, replaces: false) }
        #expect(try place.read("file") == Array("precious".utf8))
        try FileBytes.write([1], to: file, mode: 0o600, replaces: true)
        #expect(try place.read("file") == [1])
        #expect(try place.mode("file") == 0o600)
        #expect(!place.exists("file.new"))
    }

    @Test func whatIsNoRegularFileOrTooLargeIsRefused() throws {
        #expect(throws: TrustError.notARegularFile(path: place.path)) { _ = try FileBytes.read(place.path) }
        let large = try place.write([UInt8](repeating: 0x0A, count: 1_048_577), to: "large")
        #expect(throws: TrustError.tooLarge(source: large, bytes: 1_048_577, limit: 1_048_576)) { _ = try FileBytes.read(large) }
    }

    @Test func defaultNamesAlwaysHoldTheLoopback() {
        #expect(CertificateFolder.defaultNames().map(\.description).starts(with: ["DNS:localhost", "IP:127.0.0.1", "IP:::1"]))
    }
}

@Suite struct CalendarDayTests {
    @Test(
        "Days around the corners of the calendar",
        arguments: [
            (0, "1970-01-01"), (-1, "1969-12-31"), (951_782_400, "2000-02-29"), (951_868_800, "2000-03-01"), (4_107_542_400, "2100-03-01"),
            (1_735_689_599, "2024-12-31"), (253_402_300_799, "9999-12-31"), (-62_135_596_800, "1-01-01"),
        ] as [(Int64, String)])
    func prints(_ row: (Int64, String)) {
        #expect(CalendarDay(secondsSince1970: row.0).description == row.1)
    }
}
