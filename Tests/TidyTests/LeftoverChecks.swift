/// Marks of unfinished work.
///
/// Spelled in halves, so that this file does not find itself.
private let leftovers = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "fatalError(\"not " + "implemented"]

/// Lines that say that something is still to be done.
func leftoverMarkers(_ files: [TextFile]) -> [Finding] {
    files.flatMap { file in
        file.lines.enumerated().flatMap { index, line in
            leftovers.filter { isWord($0, in: line) }.map { Finding(path: file.path, line: index + 1, reason: "\($0): finish it") }
        }
    }
}

private func isWord(_ word: String, in line: Substring) -> Bool {
    line.ranges(of: word).contains { range in
        let before = range.lowerBound == line.startIndex ? " " : line[line.index(before: range.lowerBound)]
        let after = range.upperBound == line.endIndex ? " " : line[range.upperBound]
        return !before.isLetter && !(after.isLetter && word.allSatisfy(\.isLetter))
    }
}

/// Files that a build or a run makes, and files that hold secrets.
func trackedOutput(_ paths: [String]) -> [Finding] {
    let folders: Set<Substring> = [".build", "__pycache__", ".venv", "DerivedData"]
    let suffixes = [".o", ".profraw", ".profdata", ".pyc", ".key", ".p12", ".pfx", ".db", ".sqlite", "Package.resolved"]
    return paths.filter { path in
        path.split(separator: "/").contains { folders.contains($0) || $0.hasPrefix(".build-") || $0.hasPrefix(".build_") }
            || suffixes.contains { path.hasSuffix($0) }
    }.map { Finding(path: $0, reason: "belongs in .gitignore") }
}

/// Files with a PEM private key in them: the header line, and a line of base64 after it.
func privateKeys(_ files: [TextFile]) -> [Finding] {
    files.flatMap { file in
        let lines = file.lines
        return lines.indices.dropLast().filter { index in
            let opens = lines[index].contains("-----BEGIN ") && lines[index].contains("PRIVATE KEY-----")
            let body = lines[index + 1].drop(while: \.isWhitespace)
            return opens && body.count >= 40 && body.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+/=".contains($0)) }
        }.map { Finding(path: file.path, line: $0 + 1, reason: "a private key") }
    }
}

/// Markdown files that do not begin with their one title.
func badTitles(_ files: [TextFile]) -> [Finding] {
    files.filter { $0.path.hasSuffix(".md") }.compactMap { file in
        var fenced = false
        let titles = file.lines.filter { line in
            if line.hasPrefix("```") { fenced.toggle() }
            return !fenced && line.hasPrefix("# ")
        }
        let first = file.lines.first { !$0.isEmpty }
        return titles.count == 1 && first == titles.first
            ? nil : Finding(path: file.path, reason: "\(titles.count) lines with `# Title`; one, at the top, is wanted")
    }
}
