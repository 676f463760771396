import Foundation
import Subprocess
import SystemPackage
import Testing

/// The real openssl program, as the second opinion on what Trust makes and says.
enum OpenSSLProgram {
    struct Outcome {
        let succeeded: Bool
        let output: String
    }

    /// Runs it to its end; standard output and error together.
    static func run(_ arguments: String..., in directory: TemporaryDirectory? = nil) async throws -> Outcome {
        try await run(arguments, in: directory)
    }

    static func run(_ arguments: [String], in directory: TemporaryDirectory? = nil) async throws -> Outcome {
        let result = try await Subprocess.run(
            .name("openssl"), arguments: Arguments(arguments), workingDirectory: directory.map { .init($0.path) },
            output: .string(limit: 1_048_576), error: .combinedWithOutput)
        return Outcome(succeeded: result.terminationStatus.isSuccess, output: result.standardOutput)
    }
}

/// A directory of its own for one test, removed with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "crema-trust-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    func read(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(filePath: path + "/" + name)))
    }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    func setMode(_ mode: Int, of name: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + "/" + name)
    }

    func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: path + "/" + name)
    }
}
