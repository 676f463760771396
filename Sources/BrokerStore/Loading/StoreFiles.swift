import Foundation
import GRDB
import Glibc

/// The files of a store, and who may read them.
enum StoreFiles {
    /// Makes the directory and an empty file, for the broker's user alone.
    static func prepare(_ directory: String, _ path: String) throws(StoreError) {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw StoreError("data: \(directory) cannot be made: \(error.localizedDescription)") }
        for file in [path, path + "-wal"] {
            // SQLite gives the log the rights of the file.
            if file != path, !FileManager.default.fileExists(atPath: file) { continue }
            let descriptor = unsafe Glibc.open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw StoreError("data: \(file) cannot be opened: \(reason)") }
            defer { Glibc.close(descriptor) }
            guard fchmod(descriptor, 0o600) == 0 else { throw StoreError("data: \(file): its rights cannot be set to 0600: \(reason)") }
        }
    }

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

    /// Gives the file and its log another name; answers the file's.
    static func setAside(_ path: String) throws(StoreError) -> String {
        let time = Int64(Date().timeIntervalSince1970 * 1_000)
        let name = "\(path).damaged-\(time)"
        for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
            do { try FileManager.default.moveItem(atPath: path + suffix, toPath: name + suffix) } catch {
                throw StoreError("data: the damaged file \(path + suffix) cannot be set aside: \(error.localizedDescription)")
            }
        }
        return name
    }
}
