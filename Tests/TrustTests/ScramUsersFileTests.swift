import Foundation
import Testing
import Trust

@Suite struct ScramUsersFileTests {
    @Test("Users come one by one, change their password, and leave comments alone; the file is its owner's")
    func users() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("crema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("users").path
        let file = ScramUsersFile(path: path)
        try file.set(password: "one", of: "ann")
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try "# baristas\n\(String(contentsOfFile: path, encoding: .utf8))".write(toFile: path, atomically: false, encoding: .utf8)
        try file.set(password: "two", of: "bob")
        let before = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        try file.set(password: "three", of: "ann")
        let after = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(before.count == 3 && after.count == 3)
        #expect(after[0] == "# baristas" && after[1] == before[2] && after[2].hasPrefix("ann:") && after[2] != before[1])
        #expect(try ScramCredentials(file: path).count == 2)
    }

    @Test("Who changes the file at the same time loses no user of another's")
    func changedTwiceAtOnce() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("crema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("users").path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for one in ["a", "b", "c"] {
                group.addTask { for number in 0..<15 { try ScramUsersFile(path: path).set(password: "x", of: "\(one)\(number)") } }
            }
            try await group.waitForAll()
        }
        #expect(try ScramCredentials(file: path).count == 45)
    }

    @Test("Threat 41: a file with a mistake in it is not written over")
    func damagedFile() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("crema-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try "ann:nonsense\n".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(throws: TrustError.self) { try ScramUsersFile(path: path).set(password: "x", of: "bob") }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "ann:nonsense\n")
    }
}
