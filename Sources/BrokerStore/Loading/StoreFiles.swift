import Foundation
import GRDB
import Glibc

/// The files of a store, and who may read them.
enum StoreFiles {
    /// Makes the directory, for the broker's user alone; it outlives a power cut.
    static func make(_ directory: String) throws(StoreError) {
        let missing = missing(directory)
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw StoreError("data: \(directory) cannot be made: \(error.localizedDescription)") }
        for made in missing { try sync(made.deletingLastPathComponent().path) }
    }

    /// Makes an empty file in a directory that is locked, for the broker's user alone; it outlives a power cut.
    static func prepare(_ directory: String, _ path: String) throws(StoreError) {
        let isNew = !FileManager.default.fileExists(atPath: path)
        for file in [path, path + "-wal"] {
            // SQLite gives the log the rights of the file.
            if file != path, !FileManager.default.fileExists(atPath: file) { continue }
            let descriptor = unsafe Glibc.open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw StoreError("data: \(file) cannot be opened: \(reason)") }
            defer { Glibc.close(descriptor) }
            guard fchmod(descriptor, 0o600) == 0 else { throw StoreError("data: \(file): its rights cannot be set to 0600: \(reason)") }
        }
        // SQLite syncs the directory for its log, later; a file whose name is not safe would be gone with all that was synced in it.
        if isNew { try sync(directory) }
        try keepLog(of: path)
    }

    /// The directory, and those that it lies in, as far as they are not there.
    private static func missing(_ directory: String) -> [URL] {
        var missing: [URL] = []
        var place = URL(fileURLWithPath: directory, isDirectory: true)
        while place.path != "/", !FileManager.default.fileExists(atPath: place.path) {
            missing.append(place)
            place.deleteLastPathComponent()
        }
        return missing
    }

    /// Brings the names that a directory has to the disk.
    private static func sync(_ directory: String) throws(StoreError) {
        let descriptor = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError("data: \(directory) cannot be opened: \(reason)") }
        defer { Glibc.close(descriptor) }
        // A file system that syncs no directories says that this makes no sense.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw StoreError("data: \(directory) cannot be synced: \(reason)") }
    }

    // MARK: The log as it was found

    private static func foundLog(of path: String) -> String { path + "-wal.found" }

    /// Gives the log a second name.
    ///
    /// A connection that closes brings the log into the file and removes it, also when the file is damaged.
    private static func keepLog(of path: String) throws(StoreError) {
        forgetLog(of: path)
        guard FileManager.default.fileExists(atPath: path + "-wal") else { return }
        // Not every file system gives a file two names.
        if unsafe link(path + "-wal", foundLog(of: path)) == 0 { return }
        do { try FileManager.default.copyItem(atPath: path + "-wal", toPath: foundLog(of: path)) } catch {
            throw StoreError("data: \(path)-wal cannot be copied: \(error.localizedDescription)")
        }
    }

    private static func newLog(of path: String) -> String { path + "-wal.new" }

    /// Puts a copy of the log in its place, which is on the disk by then.
    ///
    /// What a failed sync leaves in memory counts as written from then on, and no later sync brings it to the disk: as if it had been. Written over
    /// in its place, what is safe would be at risk.
    static func renewLog(of path: String) throws {
        let old = unsafe Glibc.open(path + "-wal", O_RDONLY | O_CLOEXEC)
        if old < 0, errno == ENOENT { return }
        guard old >= 0 else { throw failure }
        defer { Glibc.close(old) }
        let new = unsafe Glibc.open(newLog(of: path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard new >= 0 else { throw failure }
        defer { Glibc.close(new) }
        var part = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe part.withUnsafeMutableBytes { bytes in unsafe read(old, bytes.baseAddress, bytes.count) }
            guard count >= 0 else { throw failure }
            if count == 0 { break }
            let written = unsafe part.withUnsafeBytes { bytes in unsafe write(new, bytes.baseAddress, count) }
            guard written == count else { throw failure }
        }
        guard fsync(new) == 0, unsafe rename(newLog(of: path), path + "-wal") == 0 else { throw failure }
        try sync(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }

    private static var failure: StoreError { StoreError("the log cannot be written anew: \(reason)") }

    /// The file is as it should be, or nobody's: its log needs no second name.
    static func forgetLog(of path: String) { for name in [foundLog(of: path), newLog(of: path)] { _ = unsafe unlink(name) } }

    private static var reason: String { unsafe String(cString: strerror(errno)) }

    /// Whether an error says that the file is not as it was written, and not that it cannot be reached.
    static func isDamage(_ error: any Error) -> Bool {
        if error is RecordBytes.Damaged || error is RowDecodingError { return true }
        guard let error = error as? DatabaseError else { return false }
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_CONSTRAINT: return true
        default: return false
        }
    }

    /// Gives the file another name, and its log as it was found; answers the file's.
    static func setAside(_ path: String) throws(StoreError) -> String {
        let time = Int64(Date().timeIntervalSince1970 * 1_000)
        let name = "\(path).damaged-\(time)"
        // The log first: a file without it could pass for a whole one, should this be cut off.
        try move(foundLog(of: path), to: name + "-wal")
        try move(path, to: name)
        // What the connection has left of it.
        for suffix in ["-wal", "-shm"] { _ = unsafe unlink(path + suffix) }
        try sync(URL(fileURLWithPath: path).deletingLastPathComponent().path)
        return name
    }

    private static func move(_ path: String, to name: String) throws(StoreError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        do { try FileManager.default.moveItem(atPath: path, toPath: name) } catch {
            throw StoreError("data: the damaged file \(path) cannot be set aside: \(error.localizedDescription)")
        }
    }
}
