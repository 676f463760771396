/// Cuts a statement into tokens.
struct SQLLexer {
    enum Token: Equatable {
        /// A name or keyword, as spelled.
        case word(String)
        case string(ArraySlice<UInt8>)
        /// A name after `@`.
        case variable(String)
        case number(ArraySlice<UInt8>)
        case symbol(Symbol)
        case end

        /// How a message names the token.
        var name: String {
            switch self {
            case .word(let word): "'\(word)'"
            case .string: "a string"
            case .variable(let name): "'@\(name)'"
            case .number(let text): "'\(String(decoding: text, as: UTF8.self))'"
            case .symbol(let symbol): "'\(symbol.rawValue)'"
            case .end: "the end of the text"
            }
        }
    }

    enum Symbol: String {
        case star = "*"
        case slash = "/"
        case percent = "%"
        case plus = "+"
        case minus = "-"
        case equal = "="
        case notEqual = "<>"
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case open = "("
        case close = ")"
        case comma = ","
        case dot = "."
        case openBracket = "["
        case closeBracket = "]"
        case openBrace = "{"
        case closeBrace = "}"
        case colon = ":"
    }

    private let bytes: ArraySlice<UInt8>
    /// Where the next token is looked for.
    private(set) var position: Int
    /// Where the last token begins.
    private(set) var tokenStart: Int

    /// Reads from `position` on; offsets in errors count from the start of `bytes`, which begins at index 0.
    init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes[...]
        self.position = position
        tokenStart = position
    }

    private func byte(at index: Int) -> UInt8? { bytes.indices.contains(index) ? bytes[index] : nil }

    mutating func next() throws(SQLError) -> Token {
        while let byte = byte(at: position), byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
        tokenStart = position
        guard let byte = byte(at: position) else { return .end }
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return try string(quote: byte)
        case UInt8(ascii: "@"): return try variable()
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case let letter where SQLLexer.isNameStart(letter): return word()
        default: return try symbol(byte)
        }
    }

    private static func isNameStart(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    private mutating func word() -> Token {
        while let byte = byte(at: position), SQLLexer.isNameStart(byte) || JSONParser.isDigit(byte) { position += 1 }
        return .word(String(decoding: bytes[tokenStart..<position], as: UTF8.self))
    }

    /// The longest name of a variable, in bytes.
    private static let variableBytesMax = 64

    private mutating func variable() throws(SQLError) -> Token {
        position += 1
        let start = position
        while let byte = byte(at: position), SQLLexer.isNameStart(byte) || JSONParser.isDigit(byte) { position += 1 }
        guard (1...SQLLexer.variableBytesMax).contains(position - start) else {
            throw SQLError(
                offset: tokenStart, message: "the name of a variable has 1 to \(SQLLexer.variableBytesMax) letters, digits and '_'")
        }
        return .variable(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func string(quote: UInt8) throws(SQLError) -> Token {
        let start = position + 1
        guard let end = bytes[start...].firstIndex(of: quote) else {
            throw SQLError(offset: position, message: "string without its closing quote")
        }
        let content = bytes[start..<end]
        // How the service reads escapes is not documented: refused, and never read another way.
        if let backslash = content.firstIndex(of: UInt8(ascii: "\\")) {
            throw SQLError(offset: backslash, message: "escapes in strings are not supported; chr(n) makes any ASCII character")
        }
        position = end + 1
        if byte(at: position) == quote {
            throw SQLError(offset: position, message: "a doubled quote in a string is not supported; use the other quotes")
        }
        return .string(content)
    }

    private mutating func number() throws(SQLError) -> Token {
        skipDigits()
        if byte(at: position) == UInt8(ascii: "."), JSONParser.isDigit(byte(at: position + 1) ?? 0) {
            position += 1
            skipDigits()
        }
        if let letter = byte(at: position), letter | 0x20 == UInt8(ascii: "e") {
            let sign = byte(at: position + 1)
            let digits = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") ? position + 2 : position + 1
            if JSONParser.isDigit(byte(at: digits) ?? 0) {
                position = digits
                skipDigits()
            }
        }
        if let byte = byte(at: position), SQLLexer.isNameStart(byte) || byte == UInt8(ascii: ".") {
            throw SQLError(offset: tokenStart, message: "malformed number")
        }
        return .number(bytes[tokenStart..<position])
    }

    private mutating func skipDigits() {
        while let byte = byte(at: position), JSONParser.isDigit(byte) { position += 1 }
    }

    private mutating func symbol(_ first: UInt8) throws(SQLError) -> Token {
        let second = byte(at: position + 1)
        // What stands behind it would count as a part of the statement.
        if first == UInt8(ascii: "-"), second == first {
            throw SQLError(offset: position, message: "comments ('--') are not supported; two minus signs have a space between them")
        }
        if first == UInt8(ascii: "!"), second == UInt8(ascii: "=") {
            throw SQLError(offset: position, message: "'!=' is not an operator of this language; write '<>'")
        }
        if first == UInt8(ascii: "="), second == UInt8(ascii: "=") {
            throw SQLError(offset: position, message: "'==' is not an operator of this language; write '='")
        }
        if first < 0x80, let second, second < 0x80,
            let symbol = Symbol(rawValue: String(Unicode.Scalar(first)) + String(Unicode.Scalar(second)))
        {
            position += 2
            return .symbol(symbol)
        }
        guard first < 0x80, let symbol = Symbol(rawValue: String(Unicode.Scalar(first))) else {
            let name = (0x21..<0x7F).contains(first) ? "'\(Unicode.Scalar(first))'" : "byte 0x\(String(first, radix: 16))"
            throw SQLError(offset: position, message: "unexpected \(name)")
        }
        position += 1
        return .symbol(symbol)
    }
}
