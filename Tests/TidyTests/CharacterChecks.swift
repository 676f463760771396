/// Beginnings that decide over text of clients, and are looked for among characters.
///
/// A combining mark behind the last byte makes another character of it, so that `$` and a mark do not begin with `$` for `hasPrefix`. Bytes do.
private let beginnings = ["hasPrefix(\"$", "hasPrefix(\"topic", "hasPrefix(\"aws.", "hasPrefix(BasicIngest", "hasPrefix(SharedFilter"]

/// Lines that ask for the beginning of a topic, a filter or a source by characters.
func charactersForBytes(_ files: [TextFile]) -> [Finding] {
    files.flatMap { file in
        file.lines.enumerated().flatMap { index, line in
            beginnings.filter { line.contains($0) }
                .map { Finding(path: file.path, line: index + 1, reason: "\($0)…: ask utf8.starts(with:) or utf8.first") }
        }
    }
}
