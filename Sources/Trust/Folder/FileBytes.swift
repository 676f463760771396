import Glibc

/// Reading and writing small files, with what keys need: a bound, an exact mode, and never writing over a file by accident.
enum FileBytes {
    /// Reads a regular file of at most `bytesMax` bytes.
    static func read(
        _ path: String, bytesMax: Int = CertificateLimits.fileBytesMax
    ) throws(TrustError) -> (bytes: [UInt8], mode: UInt32) {
        // O_NONBLOCK: opening a named pipe must not wait for a writer.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw errno == ENOENT ? .fileMissing(path: path) : failure("open it", path) }
        defer { close(file) }
        let mode = try permissions(ofOpen: file, path)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            if count == 0 { return (bytes, mode) }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw failure("read it", path)
            }
            bytes += chunk.prefix(count)
            guard bytes.count <= bytesMax else { throw .tooLarge(source: path, bytes: bytes.count, limit: bytesMax) }
        }
    }

    /// Writes a file that must not exist yet, or takes the place of the one that does, whole, when `replaces`.
    ///
    /// The bytes are on disk when this returns. A file that could not be written whole is removed.
    static func write(_ bytes: [UInt8], to path: String, mode: UInt32, replaces: Bool) throws(TrustError) {
        let target = replaces ? path + ".new" : path
        if replaces {
            unsafe unlink(target)  // left over from a run that was interrupted
        }
        let file = unsafe open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw errno == EEXIST ? .fileExists(path: target) : failure("create it", target) }
        do throws(TrustError) {
            defer { close(file) }
            try writeAll(bytes, to: file, target)
            // The umask may have taken bits away from a file that others are to read.
            guard fchmod(file, mode) == 0 else { throw failure("set its mode", target) }
            guard fsync(file) == 0 else { throw failure("write it to disk", target) }
        } catch {
            unsafe unlink(target)
            throw error
        }
        guard unsafe !replaces || rename(target, path) == 0 else {
            let error = failure("replace it", path)
            unsafe unlink(target)
            throw error
        }
    }

    /// Carries out a change of a file, from reading it to writing it, while no other process changes one of its directory in this way.
    ///
    /// Where a file system has no locks, nobody waits for anybody.
    static func changing<Result>(_ path: String, _ change: () throws(TrustError) -> Result) throws(TrustError) -> Result {
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let lock = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A directory that cannot be opened is for the change to name.
        guard lock >= 0 else { return try change() }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0, errno == EINTR {}
        return try change()
    }

    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    static func remove(_ path: String) {
        unsafe unlink(path)
    }

    /// Makes a directory for certificates if there is none.
    ///
    /// Its parent must exist.
    static func makeDirectory(_ path: String) throws(TrustError) {
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("make the directory", path) }
    }

    /// Names in a directory, sorted; none if it does not exist.
    static func names(in path: String) throws(TrustError) -> [String] {
        guard let directory = unsafe opendir(path) else {
            if errno == ENOENT { return [] }
            throw failure("list it", path)
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
        return names.sorted()
    }

    /// The file's mode.
    ///
    /// Without its group's right to read where root owns the file, and this process is not root's: so orchestrators and service managers hand
    /// out secrets (`fsGroup` of Kubernetes, `LoadCredential=` of systemd), and whoever they are for cannot change it.
    private static func permissions(ofOpen file: Int32, _ path: String) throws(TrustError) -> UInt32 {
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw failure("look at it", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile(path: path) }
        let mode = status.st_mode & 0o777
        return status.st_uid == 0 && geteuid() != 0 ? mode & ~0o040 : mode
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32, _ path: String) throws(TrustError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if count < 0 && errno == EINTR { continue }
                throw failure("write it", path)
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ operation: String, _ path: String) -> TrustError {
        .fileOperation(operation: operation, path: path, errno: errno)
    }
}

extension Certificate {
    /// Reads every certificate of a PEM file, in order.
    package static func list(file path: String) throws(TrustError) -> [Certificate] {
        try list(pem: FileBytes.read(path).bytes, source: path)
    }
}

extension PrivateKey {
    /// Reads a private key from a PEM file that only its owner may read.
    ///
    /// - Throws: ``TrustError/privateKeyReadableByOthers(path:mode:)`` when the mode lets group or others in.
    package convenience init(file path: String) throws(TrustError) {
        let (bytes, mode) = try FileBytes.read(path)
        guard mode & 0o077 == 0 else { throw .privateKeyReadableByOthers(path: path, mode: mode) }
        try self.init(pem: bytes, source: path)
    }
}
