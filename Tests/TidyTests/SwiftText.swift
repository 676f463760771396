/// Swift source reduced to code: comments and the text of string literals become spaces, so that braces and words in them do not count.
///
/// Lines and columns stay where they were. Code inside `\( … )` stays code.
struct SwiftText: Sendable {
    let characters: [Character]

    var lines: [Substring] { String(characters).split(separator: "\n", omittingEmptySubsequences: false) }

    init(_ text: String) {
        var reader = LiteralEraser(input: Array(text))
        reader.eraseCode(untilParenthesis: false)
        characters = reader.output
    }
}

/// Walks through source once and copies code only.
private struct LiteralEraser {
    let input: [Character]
    var output: [Character] = []
    var position = 0

    init(input: [Character]) {
        self.input = input
        output.reserveCapacity(input.count)
    }

    /// Copies code up to the end of the input, or to the parenthesis that closes an interpolation.
    mutating func eraseCode(untilParenthesis: Bool) {
        var depth = 0
        while position < input.count {
            if starts(with: "//") {
                erase(while: { $0 != "\n" })
            } else if starts(with: "/*") {
                eraseBlockComment()
            } else if let hashes = literalOpening() {
                eraseLiteral(hashes: hashes)
            } else {
                if input[position] == "(" { depth += 1 }
                if input[position] == ")" {
                    depth -= 1
                    if untilParenthesis && depth < 0 { return }
                }
                keep()
            }
        }
    }

    /// The number of `#` before the quotation mark of a literal that starts here.
    private func literalOpening() -> Int? {
        var hashes = 0
        while position + hashes < input.count, input[position + hashes] == "#" { hashes += 1 }
        guard position + hashes < input.count, input[position + hashes] == "\"" else { return nil }
        return hashes
    }

    private mutating func eraseLiteral(hashes: Int) {
        let pounds = String(repeating: "#", count: hashes)
        let multiline = starts(with: pounds + "\"\"\"")
        let end = (multiline ? "\"\"\"" : "\"") + pounds
        erase(count: hashes + (multiline ? 3 : 1))
        while position < input.count {
            if starts(with: end) { return erase(count: end.count) }
            if starts(with: "\\" + pounds + "(") {
                erase(count: hashes + 2)
                eraseCode(untilParenthesis: true)
                erase(count: 1)
            } else if starts(with: "\\" + pounds) {
                erase(count: hashes + 2)
            } else {
                erase(count: 1)
            }
        }
    }

    private mutating func eraseBlockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                erase(count: 2)
            } else if starts(with: "*/") {
                depth -= 1
                erase(count: 2)
            } else {
                erase(count: 1)
            }
        } while depth > 0 && position < input.count
    }

    private func starts(with text: String) -> Bool { input[position...].starts(with: text) }

    private mutating func keep() {
        output.append(input[position])
        position += 1
    }

    private mutating func erase(count: Int) {
        for _ in 0..<count where position < input.count {
            output.append(input[position] == "\n" ? "\n" : " ")
            position += 1
        }
    }

    private mutating func erase(while condition: (Character) -> Bool) {
        while position < input.count, condition(input[position]) { erase(count: 1) }
    }
}
