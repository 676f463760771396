import FaultyDisk
import Foundation
import Synchronization

/// What SQLite asks of the disk.
enum DiskStep: Sendable, Equatable {
    case create(String)
    case write(String, at: Int, [UInt8])
    case truncate(String, to: Int)
    case sync(String, withDirectory: Bool)
    case delete(String, withDirectory: Bool)
}

/// What becomes of it.
enum DiskAnswer: Equatable {
    case carriedOut
    /// Reported as done, and not done.
    case pretended
    /// SQLite's code of the error.
    case failed(Int32)

    static let full = Self.failed(13)
    static let ioError = Self.failed(10)
}

/// A directory between SQLite and the disk: a test decides what becomes of each step, on the thread that asks for it.
final class WatchedDisk: Sendable {
    typealias Rule = @Sendable (DiskStep) -> DiskAnswer

    private static let watched = Mutex<[String: Rule]>([:])
    private static let installed: Int32 = faulty_disk_install { call in
        guard let call = call?.pointee, let path = call.path else { return 0 }
        return answer(call, URL(fileURLWithPath: String(cString: path)))
    }

    private let directory: String

    init(_ directory: String, _ rule: @escaping Rule) {
        precondition(Self.installed == 0, "SQLite takes no other disk")
        self.directory = directory
        Self.watched.withLock { $0[directory] = rule }
    }

    deinit { Self.watched.withLock { _ = $0.removeValue(forKey: directory) } }

    private static func answer(_ call: faulty_disk_call, _ path: URL) -> Int32 {
        guard let rule = watched.withLock({ $0[path.deletingLastPathComponent().path] }) else { return 0 }
        switch rule(DiskStep(call, path.lastPathComponent)) {
        case .carriedOut: return 0
        case .pretended: return FAULTY_DISK_PRETEND
        case .failed(let code): return code
        }
    }
}

extension DiskStep {
    fileprivate init(_ call: faulty_disk_call, _ file: String) {
        switch call.operation {
        case FAULTY_DISK_CREATE: self = .create(file)
        case FAULTY_DISK_WRITE:
            self = .write(file, at: Int(call.offset), Array(UnsafeRawBufferPointer(start: call.bytes, count: Int(call.count))))
        case FAULTY_DISK_TRUNCATE: self = .truncate(file, to: Int(call.offset))
        case FAULTY_DISK_SYNC: self = .sync(file, withDirectory: call.syncs_directory != 0)
        default: self = .delete(file, withDirectory: call.syncs_directory != 0)
        }
    }
}
