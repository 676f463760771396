import Foundation
import Testing
import Trust

@Suite struct PasswordUsersFileTests {
    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("crema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func lines(_ path: String) throws -> [Substring] { try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") }

    @Test("Users come, change their password and go, and leave comments and others alone; the file is its owner's")
    func users() throws {
        try withFolder { (folder) throws in
            let path = folder.appendingPathComponent("passwords").path
            let file = PasswordUsersFile(path: path)
            try file.set(password: "one", of: "ann")
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            try "# baristas\n\(String(contentsOfFile: path, encoding: .utf8))".write(toFile: path, atomically: false, encoding: .utf8)
            try file.set(password: "two", of: "bob", by: .pbkdf2)
            let before = try lines(path)
            try file.set(password: "three", of: "ann")
            let after = try lines(path)
            #expect(before.count == 3 && after.count == 3)
            #expect(after[0] == "# baristas" && after[1] == before[2] && after[2].hasPrefix("ann:$argon2id$") && after[2] != before[1])
            #expect(try file.users().map(\.name) == ["bob", "ann"])
            #expect(try file.users().map(\.kept).first == "PBKDF2-HMAC-SHA512 with 210000 iterations")
            let read = try PasswordFile(file: path)
            #expect(try #require(read.entry(of: Array("ann".utf8))).matches(Array("three".utf8)))
            try file.remove("bob")
            #expect(try lines(path) == [after[0], after[2]])
            #expect(throws: TrustError.noSuchUser(path: path, name: "bob")) { try file.remove("bob") }
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["passwords"])
        }
    }

    @Test("Threat 41: a file with a mistake in it, or that others may read, is neither read nor written over")
    func damagedFile() throws {
        try withFolder { (folder) throws in
            let path = folder.appendingPathComponent("passwords").path
            let file = PasswordUsersFile(path: path)
            try "ann:\n".write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(throws: TrustError.self) { try file.set(password: "x", of: "bob") }
            #expect(throws: TrustError.self) { try file.remove("ann") }
            #expect(throws: TrustError.self) { try file.users() }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "ann:\n")
            try "".write(toFile: path, atomically: false, encoding: .utf8)
            for mode in [0o640, 0o604, 0o660] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
                #expect(throws: TrustError.credentialsReadableByOthers(path: path, mode: UInt32(mode))) { _ = try PasswordFile(file: path) }
                #expect(throws: TrustError.self) { try file.set(password: "x", of: "bob") }
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8).isEmpty)
        }
    }

    @Test("Names and passwords that a line cannot hold are refused")
    func unusable() throws {
        try withFolder { (folder) throws in
            let file = PasswordUsersFile(path: folder.appendingPathComponent("passwords").path)
            for name in ["", "a:b", "#a", "a\nb", String(repeating: "u", count: 257)] {
                #expect(throws: TrustError.self) { try file.set(password: "x", of: name) }
            }
            for password in ["", "a\nb", String(repeating: "p", count: 1_025)] {
                #expect(throws: TrustError.self) { try file.set(password: password, of: "ann") }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        }
    }
}
