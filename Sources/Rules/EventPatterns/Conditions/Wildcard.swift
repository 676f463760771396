/// A text in which each `*` stands for any characters or none.
struct Wildcard: Sendable, Equatable {
    /// As the pattern has it, escapes included.
    let spelling: [UInt8]
    /// What stands between the stars, escapes resolved: one more than there are stars.
    let literals: [[UInt8]]

    /// Reads a wildcard: `\*` and `\\` are the characters themselves.
    ///
    /// - Throws: what is wrong, in the service's words; positions count the bytes, the quote before the text as the first.
    init(parsing text: ArraySlice<UInt8>) throws(EventPatternError) {
        spelling = Array(text)
        var literals: [[UInt8]] = [[]]
        let star = UInt8(ascii: "*")
        let backslash = UInt8(ascii: "\\")
        var index = text.startIndex
        while index < text.endIndex {
            let next = index + 1 < text.endIndex ? text[index + 1] : nil
            if text[index] == star {
                if next == star { throw .invalid("Consecutive wildcard characters at pos \(index - text.startIndex + 1)") }
                literals.append([])
            } else if text[index] == backslash {
                guard let next, next == star || next == backslash else {
                    throw .invalid("Invalid escape character at pos \(index - text.startIndex + 1)")
                }
                literals[literals.count - 1].append(next)
                index += 1
            } else {
                literals[literals.count - 1].append(text[index])
            }
            index += 1
        }
        self.literals = literals
    }

    /// Whether the whole value matches.
    ///
    /// Each literal is taken at its first place behind the one before; no later place could do better. The limit on complexity
    /// bounds how often one byte is looked at.
    func matches(_ value: ArraySlice<UInt8>) -> Bool {
        guard let first = literals.first, let last = literals.last else { return false }
        guard literals.count > 1 else { return value.elementsEqual(first) }
        guard value.count >= first.count + last.count, value.starts(with: first), value.suffix(last.count).elementsEqual(last) else {
            return false
        }
        var rest = value.dropFirst(first.count).dropLast(last.count)
        for literal in literals.dropFirst().dropLast() {
            guard let end = Self.endOfFirst(literal, in: rest) else { return false }
            rest = rest[end...]
        }
        return true
    }

    private static func endOfFirst(_ literal: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard let first = literal.first else { return text.startIndex }
        let bytes = text.span
        let literalBytes = literal.span
        guard bytes.count >= literalBytes.count else { return nil }
        var start = 0
        while start <= bytes.count - literalBytes.count {
            if bytes[start] == first {
                var length = 1
                while length < literalBytes.count, bytes[start + length] == literalBytes[length] { length += 1 }
                if length == literalBytes.count { return text.startIndex + start + length }
            }
            start += 1
        }
        return nil
    }
}
