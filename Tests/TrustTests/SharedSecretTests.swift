import Foundation
import Testing
import Trust

@Suite struct SharedSecretTests {
    private static let secret = "0123456789abcdef0123456789abcdef"

    private func secret(_ text: String, mode: Int = 0o600) throws(TrustError) -> SharedSecret {
        let path = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        return try SharedSecret(file: path)
    }

    @Test(
        "Threat 57: a file's secret is what stands before its one line end",
        arguments: ["", "\n", "\r\n"]) func lineEnds(end: String) throws
    {
        let secret = try secret(Self.secret + end)
        #expect(secret.matches(Array(Self.secret.utf8)))
        for other in ["", Self.secret + "\n", Self.secret + " ", String(Self.secret.dropLast()), String(Self.secret.reversed())] {
            #expect(!secret.matches(Array(other.utf8)))
        }
    }

    @Test("Files that others can read, and secrets that can be guessed, are refused") func refusals() {
        #expect(throws: TrustError.self) { try secret(Self.secret, mode: 0o644) }
        #expect(throws: TrustError.self) { try secret(Self.secret, mode: 0o640) }
        for text in ["", "\n", "secret", String(Self.secret.dropLast()) + "\n"] { #expect(throws: TrustError.self) { try secret(text) } }
        #expect(throws: TrustError.self) { try secret(Self.secret + String(repeating: "x", count: 8_192)) }
    }
}
