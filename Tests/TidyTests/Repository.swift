import Foundation
import Subprocess
import SystemPackage

/// One text file of the repository.
struct TextFile: Sendable {
    /// The path below the repository's root, with `/` between its parts.
    var path: String
    var text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The number of lines as `wc -l` counts them.
    var lineCount: Int { text.isEmpty ? 0 : lines.count - (text.hasSuffix("\n") ? 1 : 0) }

    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The target that the file belongs to, when it lies below `Sources`.
    var target: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }
}

/// Something that a check objects to.
///
/// Lines count from 1; line 0 stands for the whole file.
struct Finding: Equatable, CustomStringConvertible, Sendable {
    var path: String
    var line = 0
    var reason: String

    var description: String { line == 0 ? "\(path): \(reason)" : "\(path):\(line): \(reason)" }
}

/// What git knows of this repository: the files that are, or are about to be, committed.
struct Repository: Sendable {
    /// Paths of all such files, also of those that are not text.
    let paths: [String]
    let files: [TextFile]

    init() async throws {
        let root = URL(filePath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        // A folder owned by somebody else (`sudo make test`) is no reason for git to refuse a list of names.
        let listing = try await Repository.outputOfGit(
            ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], in: root)
        let listed = String(decoding: listing, as: UTF8.self).split(separator: "\0").map(String.init)
        paths = Set(listed).sorted().filter { FileManager.default.fileExists(atPath: root.appending(path: $0).path) }
        files = paths.compactMap { path in
            guard let data = try? Data(contentsOf: root.appending(path: path)), !data.contains(0) else { return nil }
            return String(data: data, encoding: .utf8).map { TextFile(path: path, text: $0) }
        }
    }

    var swiftSources: [TextFile] { files.filter { $0.isSwift && $0.path.hasPrefix("Sources/") } }

    private struct GitFailed: Error { var status: TerminationStatus }

    private static func outputOfGit(_ arguments: [String], in folder: URL) async throws -> Data {
        let result = try await Subprocess.run(
            .name("git"), arguments: Arguments(arguments), workingDirectory: .init(folder.path),
            output: .bytes(limit: 16_777_216), error: .currentStandardError)
        guard result.terminationStatus.isSuccess else { throw GitFailed(status: result.terminationStatus) }
        return Data(result.standardOutput)
    }
}
