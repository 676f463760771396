/// Files that have more lines than `limit`.
func tooLongFiles(_ files: [TextFile], limit: Int) -> [Finding] {
    files.filter { $0.lineCount > limit }
        .map { Finding(path: $0.path, reason: "\($0.lineCount) lines, at most \(limit): split it by concern") }
}

/// Functions, initializers and subscripts that have more lines than `limit`, from their keyword to their last brace.
func tooLongFunctions(_ files: [TextFile], limit: Int) -> [Finding] {
    files.flatMap { file in
        functions(in: SwiftText(file.text)).filter { $0.lastLine - $0.firstLine + 1 > limit }.map {
            Finding(
                path: file.path, line: $0.firstLine,
                reason: "a function of \($0.lastLine - $0.firstLine + 1) lines, at most \(limit)")
        }
    }
}

/// Where a function with a body begins and ends.
struct FunctionExtent: Equatable {
    var firstLine: Int
    var lastLine: Int
}

/// Finds every function that has a body, nested ones included.
func functions(in source: SwiftText) -> [FunctionExtent] {
    let beginnings: Set = ["func", "init", "deinit", "subscript"]
    // One of these before any brace: what came before was a protocol's requirement, which has no body.
    let others: Set = ["var", "let", "static", "mutating", "associatedtype", "case", "typealias", "struct", "class", "enum", "extension"]
    var found: [FunctionExtent] = []
    var braces: [Int?] = []  // the first line of the function that each open brace belongs to
    var pending: (line: Int, parentheses: Int)?
    var line = 1
    var parentheses = 0
    var word = ""
    var before: Character = " "  // what stood in front of the word

    func finishWord(followedBy next: Character) {
        defer { word = "" }
        guard parentheses == pending?.parentheses ?? parentheses else { return }
        let calls = word == "init" && !"(<?".contains(next)
        if beginnings.contains(word), before != ".", !calls {
            pending = (line, parentheses)
        } else if others.contains(word), before != "." {
            pending = nil
        }
    }

    for character in source.characters {
        if character.isLetter || character.isNumber || character == "_" {
            word.append(character)
            continue
        }
        if !word.isEmpty { finishWord(followedBy: character) }
        before = character
        switch character {
        case "\n": line += 1
        case "(", "[": parentheses += 1
        case ")", "]": parentheses -= 1
        case "{":
            let opens = pending.map { $0.parentheses == parentheses } ?? false
            braces.append(opens ? pending?.line : nil)
            if opens { pending = nil }
        case "}":
            if pending?.parentheses == parentheses { pending = nil }
            if let first = braces.popLast() ?? nil { found.append(FunctionExtent(firstLine: first, lastLine: line)) }
        default: break
        }
    }
    return found.sorted { $0.firstLine < $1.firstLine }
}
