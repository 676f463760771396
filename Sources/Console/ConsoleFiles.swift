internal import ConsolePages

/// The files of the console, which are parts of the program (record 0030).
package enum ConsoleFiles {
    /// By the paths that they are asked for by, `/index.html` among them.
    package static var all: [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        var index = 0
        // What is pointed to is constant for as long as the program runs.
        while let file = unsafe console_file_at(index)?.pointee {
            let path = unsafe String(cString: file.path)
            files[path] = unsafe Array(UnsafeBufferPointer(start: file.bytes, count: file.length))
            index += 1
        }
        return files
    }
}
