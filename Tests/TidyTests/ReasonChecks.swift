/// Places where a check of the compiler is switched off and no comment right above says why that is sound.
func missingReasons(_ files: [TextFile]) -> [Finding] {
    files.flatMap { file -> [Finding] in
        let raw = file.lines.map { $0.trimmingPrefix { $0.isWhitespace } }
        return SwiftText(file.text).lines.enumerated().flatMap { index, code in
            switchesOff(code).filter { _ in !hasCommentAbove(index, in: raw) }
                .map { Finding(path: file.path, line: index + 1, reason: "\($0) without a comment right above that says why") }
        }
    }
}

/// The marks on one line of code that take a proof away from the compiler.
private func switchesOff(_ code: Substring) -> [String] {
    var marks = ["@unchecked Sendable", "nonisolated(unsafe)", "try!", "as!"].filter { code.contains($0) }
    let characters = Array(code)
    for (index, character) in characters.enumerated() where character == "!" && index > 0 {
        let before = characters[index - 1]
        let after = index + 1 < characters.count ? characters[index + 1] : " "
        let word = String(characters[..<index].reversed().prefix { $0.isLetter }.reversed())
        guard before.isLetter || before.isNumber || "_)]>?".contains(before) else { continue }
        if after != "=" && word != "try" && word != "as" { marks.append("a forced unwrap") }
    }
    return marks
}

/// Whether the line before this one is a comment, attributes in between aside.
private func hasCommentAbove(_ index: Int, in lines: [Substring]) -> Bool {
    var above = index - 1
    while above >= 0, lines[above].hasPrefix("@") { above -= 1 }
    return above >= 0 && lines[above].hasPrefix("//")
}
