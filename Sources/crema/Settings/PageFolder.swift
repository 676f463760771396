import Documents
import Foundation
import Gateway
import HTTPListening

/// A folder of files for browsers, which is read when the configuration is, and never while requests are answered.
///
/// What a URL would have to encode, what is hidden and what leads out of the folder is refused, so nobody wonders why it is not served.
struct PageFolder {
    private let path: String

    init(_ path: String) { self.path = path }

    /// The paths of all its files; none when it cannot be read.
    var files: [String] { (try? names()).map { $0.map { "\(path)/\($0)" } } ?? [] }

    /// Reads every file.
    ///
    /// - Throws: the reason, in words.
    func read(_ limits: GatewayLimits) throws(PageFolderError) -> PageTable {
        var bytesLeft = limits.pageBytesInAllMax
        var files: [String: PageFile] = [:]
        let names = try names()
        guard names.count <= limits.pageFilesMax else { throw .tooManyFiles(names.count, limit: limits.pageFilesMax) }
        for name in names {
            guard let bytes = FileManager.default.contents(atPath: "\(path)/\(name)") else { throw .unreadable(name) }
            bytesLeft -= bytes.count
            guard bytesLeft >= 0 else { throw .tooManyBytes(limit: limits.pageBytesInAllMax) }
            files["/\(name)"] = PageFile(named: name, bytes: Array(bytes))
        }
        return PageTable(files)
    }

    /// The files, relative to the folder, in order.
    private func names() throws(PageFolderError) -> [String] {
        let manager = FileManager.default
        var isFolder: ObjCBool = false
        // Of a file's name Foundation says that there is nothing in it.
        if unsafe manager.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue { throw .notAFolder }
        guard let found = try? manager.subpathsOfDirectory(atPath: path) else { throw .noFolder }
        var names: [String] = []
        for name in found.sorted() {
            let part = name.split(separator: "/").last ?? ""
            guard PageTable.takes(name: String(part)) else { throw .name(name) }
            switch try? manager.attributesOfItem(atPath: "\(path)/\(name)")[.type] as? FileAttributeType {
            case .typeDirectory?: continue
            case .typeRegular?: names.append(name)
            default: throw .notRegular(name)
            }
        }
        return names
    }
}

/// Why the files of a folder are not served.
enum PageFolderError: Error, CustomStringConvertible {
    case noFolder
    /// It is a file.
    case notAFolder
    case name(String)
    /// A symbolic link, which might lead anywhere, a pipe or a device.
    case notRegular(String)
    case unreadable(String)
    case tooManyFiles(Int, limit: Int)
    case tooManyBytes(limit: Int)

    var description: String {
        switch self {
        case .noFolder: "there is no such folder, or it cannot be read"
        case .notAFolder: "this is a file, and no folder: name the folder that the pages are in"
        case .name(let name):
            "\(name): a page's name has letters, digits, `-`, `_` and `.` only, and does not begin with `.`; rename it, or move it elsewhere"
        case .notRegular(let name): "\(name) is no regular file; links are not followed: copy what it leads to"
        case .unreadable(let name): "\(name) cannot be read"
        case .tooManyFiles(let count, let limit): "\(count) files are more than \(limit) (pageFilesMax)"
        case .tooManyBytes(let limit): "its files have more than \(limit) bytes together (pageBytesInAllMax)"
        }
    }
}

extension LoadedConfiguration {
    /// Reads the files for browsers.
    static func pages(of configuration: Configuration) throws(DocumentError) -> [String: PageTable] {
        var problems = ProblemCollector()
        var pages: [String: PageTable] = [:]
        for listener in configuration.listeners {
            guard let folder = listener.pages else { continue }
            do throws(PageFolderError) {
                pages[listener.name] = try PageFolder(folder).read(KnownLimits.gateway(configuration.limits))
            } catch {
                problems.add("pages \(folder): \(error)", at: listener.location)
            }
        }
        try problems.finish()
        return pages
    }
}
