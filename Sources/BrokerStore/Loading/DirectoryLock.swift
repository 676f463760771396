import Glibc

/// Keeps a data directory for one process, for as long as this lives.
///
/// SQLite's own lock ends with its connection, and that is given up while the disk makes trouble: then another broker could take the files
/// over, and this one would write its log anew in the place of the other's.
final class DirectoryLock: Sendable {
    static let fileName = "crema.lock"

    private let descriptor: Int32

    /// - Throws: where another process has the directory, or the file cannot be made.
    init(_ directory: String) throws(StoreError) {
        let path = directory + "/" + Self.fileName
        let opened = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard opened >= 0 else { throw StoreError("data: \(path) cannot be opened: \(unsafe String(cString: strerror(errno)))") }
        let problem = flock(opened, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
        // Not every file system has such locks; SQLite's is there as well.
        if problem == EWOULDBLOCK {
            // While it is not this object's yet: one that is whole is deinitialized when it throws, and would close the number once more, which
            // may be another file's by then.
            Glibc.close(opened)
            throw .inUse(directory)
        }
        descriptor = opened
    }

    deinit {
        // Said outright: a program that this process is just starting has the descriptor, too, until it runs.
        _ = flock(descriptor, LOCK_UN)
        Glibc.close(descriptor)
    }
}
