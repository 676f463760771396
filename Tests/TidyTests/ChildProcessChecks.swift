/// Spelled in halves, so that this file does not find itself.
private let foundationProcess = "Process" + "()"

/// Children started by Foundation: on Linux its `Process` of Swift 6.3 copies a whole directory entry out of a buffer that may end before it,
/// and now and then ends the process that has many files open (record 0014).
func foundationProcesses(_ files: [TextFile]) -> [Finding] {
    files.filter(\.isSwift).flatMap { file in
        file.lines.enumerated().filter {
            $0.element.split(whereSeparator: { $0.isWhitespace || $0 == "=" }).contains { $0 == foundationProcess }
        }
        .map { Finding(path: file.path, line: $0.offset + 1, reason: "\(foundationProcess): start children with Subprocess") }
    }
}
