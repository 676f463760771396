import Documents
import Foundation
import Synchronization
import Trust

extension Configuration {
    /// Every file that it names, and that a reload reads anew.
    var namedFiles: [String] {
        listeners.flatMap { [$0.certificate, $0.key, $0.clientCA, $0.crl, $0.scramUsers, $0.passwords, $0.adminToken] }.compactMap(\.self)
            + resources.map(\.path) + [accessFile?.path].compactMap(\.self) + tokens.compactMap(\.file)
            + (accessKeys ?? []).compactMap(\.file) + listeners.compactMap(\.pages).flatMap { PageFolder($0).files }
            + listeners.flatMap(\.authorizers).compactMap(\.signingKeys)
    }
}

extension Configuration.AccessKeyEntry {
    /// Where its secret is; `nil` when the configuration says it.
    fileprivate var file: String? {
        if case .file(let path) = secret { return path }
        return nil
    }
}

extension Configuration.TokenIssuer {
    /// Where its keys or its secret are; `nil` when they are fetched.
    fileprivate var file: String? {
        switch keys {
        case .file(let path), .secretFile(let path): path
        case .url: nil
        }
    }
}

/// What the site's files say, as far as it can be told that they say something else later.
struct SiteFiles {
    private let digests: [String: [UInt8]]

    /// Reads the files; one that cannot be read says nothing.
    init(_ paths: [String]) {
        let known = Set(paths).map { path in
            (path, Self.bytes(of: path).flatMap { Digest.hash($0, algorithm: "SHA256") } ?? [])
        }
        digests = Dictionary(known) { first, _ in first }
    }

    /// What a regular file holds; nothing of a pipe, whose writer nobody must wait for.
    private static func bytes(of path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return (try? handle.readToEnd()).flatMap { $0 }.map { Array($0) } ?? []
    }

    /// Paths of those that say something else than before, or were not there.
    func changes(since former: SiteFiles) -> [String] {
        digests.filter { former.digests[$0.key] != $0.value }.keys.sorted()
    }
}

/// Paths of the files that are looked after for changes: those of the configuration that was read last, whether it could be used or not.
final class WatchedPaths: Sendable {
    private let current: Mutex<[String]>

    init(_ paths: [String]) { current = Mutex(paths) }

    var paths: [String] {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
