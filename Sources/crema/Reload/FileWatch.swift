import Glibc
import ServiceLifecycle

/// What tells a file from what is there under its name after it was written, replaced, or given other rights.
struct FileIdentity: Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let modified: [Int]
    private let changed: [Int]

    /// Follows symbolic links, so that a link that is turned round counts as a change; `nil` where there is no file.
    init?(path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
        changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }
}

/// Decides when files that have changed are worth reading: when they are at rest.
///
/// A file that is being written looks different at each look, and is left alone until two looks find the same.
struct FileWatch {
    /// As of the last time that they were worth reading.
    private var taken: [String: FileIdentity?]
    private var last: [String: FileIdentity?]

    init(_ files: [String: FileIdentity?]) { (taken, last) = (files, files) }

    /// Takes what is there now, by path; answers whether to read the files.
    ///
    /// Files that were not looked at before are taken as they are found: whoever added them has read them.
    mutating func look(_ files: [String: FileIdentity?]) -> Bool {
        defer { last = files }
        taken = taken.filter { files.keys.contains($0.key) }
        for (path, identity) in files where !taken.keys.contains(path) { taken[path] = identity }
        guard files != taken, files == last else { return false }
        taken = files
        return true
    }
}

/// Looks after the site's files, where the configuration says `watchFiles: true`.
///
/// By looking at them once a second, not by inotify: that sees nothing on many network and overlay file systems, and a list of names is
/// looked at in microseconds.
struct FileWatchService: Service {
    private static let pause = Duration.seconds(1)

    let watched: WatchedPaths
    let requests: ReloadRequests

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var watch = FileWatch(identities())
            while !Task.isCancelled {
                try await Task.sleep(for: Self.pause)
                if watch.look(identities()) { requests.ask() }
            }
        }
        try? await gracefulShutdown()
    }

    private func identities() -> [String: FileIdentity?] {
        Dictionary(watched.paths.map { ($0, FileIdentity(path: $0)) }) { first, _ in first }
    }
}
