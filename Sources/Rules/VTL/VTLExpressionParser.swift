/// Reads expressions: operators by precedence, each level a loop.
extension VTLParser {
    mutating func expression() throws(VTLError) -> VTLExpression {
        var operands = [try conjunction()]
        while takeOperator("||", word: "or") { operands.append(try conjunction()) }
        return operands.count == 1 ? operands[0] : .any(operands)
    }

    private mutating func conjunction() throws(VTLError) -> VTLExpression {
        var operands = [try chain(0)]
        while takeOperator("&&", word: "and") { operands.append(try chain(0)) }
        return operands.count == 1 ? operands[0] : .all(operands)
    }

    /// From the loosest to the tightest; of two signs with one beginning the longer comes first.
    private static let levels: [[(sign: StaticString, word: StaticString?, VTLOperator)]] = [
        [("==", "eq", .equal), ("!=", "ne", .unequal)],
        [("<=", "le", .lessOrEqual), (">=", "ge", .greaterOrEqual), ("<", "lt", .less), (">", "gt", .greater)],
        [("+", nil, .add), ("-", nil, .subtract)],
        [("*", nil, .multiply), ("/", nil, .divide), ("%", nil, .remainder)],
    ]

    // Recursion goes through the four levels, and then to an operand.
    private mutating func chain(_ level: Int) throws(VTLError) -> VTLExpression {
        guard level < Self.levels.count else { return try operand() }
        let first = try chain(level + 1)
        var links: [(operation: VTLOperator, operand: VTLExpression)] = []
        search: while true {
            for (sign, word, operation) in Self.levels[level] where takeOperator(sign, word: word) {
                links.append((operation, try chain(level + 1)))
                continue search
            }
            return links.isEmpty ? first : .chain(first, links)
        }
    }

    private mutating func takeOperator(_ sign: StaticString, word: StaticString?) -> Bool {
        skipBlanks(andLines: true)
        if take(sign) { return true }
        guard let word, name(at: position, hyphens: false).elementsEqual("\(word)".utf8) else { return false }
        position += "\(word)".utf8.count
        return true
    }

    // MARK: Operands

    private mutating func operand() throws(VTLError) -> VTLExpression {
        skipBlanks(andLines: true)
        guard let byte else { throw error("a value expected") }
        switch byte {
        case UInt8(ascii: "!"):
            position += 1
            return .not(try nested { (parser) throws(VTLError) in try parser.operand() })
        case UInt8(ascii: "("):
            position += 1
            let inside = try nested { (parser) throws(VTLError) in try parser.expression() }
            skipBlanks(andLines: true)
            guard take(")") else { throw error("`)` expected") }
            return inside
        case UInt8(ascii: "["): return try list()
        case UInt8(ascii: "{"): return try map()
        case UInt8(ascii: "'"): return .constant(.text(try quoted(by: byte)))
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "$"):
            guard let reference = try reference() else { throw error("a name expected after `$`") }
            return .reference(reference)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: return try word()
        }
    }

    private mutating func word() throws(VTLError) -> VTLExpression {
        let word = name(at: position, hyphens: false)
        switch String(decoding: word, as: UTF8.self) {
        case "true":
            position = word.endIndex
            return .constant(.boolean(true))
        case "false":
            position = word.endIndex
            return .constant(.boolean(false))
        case "null":
            position = word.endIndex
            return .constant(.null)
        case "not":
            position = word.endIndex
            return .not(try nested { (parser) throws(VTLError) in try parser.operand() })
        default: throw error("a value expected")
        }
    }

    private mutating func number() throws(VTLError) -> VTLExpression {
        let start = position
        if byte == UInt8(ascii: "-") { position += 1 }
        func skipDigits(_ parser: inout VTLParser) {
            while let byte = parser.byte, JSONParser.isDigit(byte) { parser.position += 1 }
        }
        skipDigits(&self)
        // Two points are a range.
        if byte == UInt8(ascii: "."), let next = byte(after: 1), JSONParser.isDigit(next) {
            position += 1
            skipDigits(&self)
        }
        let text = bytes[start..<position]
        if let integer = Int(String(decoding: text, as: UTF8.self)) { return .constant(.integer(integer)) }
        guard let decimal = Double(String(decoding: text, as: UTF8.self)), decimal.isFinite, text.contains(UInt8(ascii: ".")) else {
            throw error("no number of 64 bits", at: start)
        }
        return .constant(.decimal(decimal, spelling: nil))
    }

    /// `[a, b]` or `[a..b]`.
    private mutating func list() throws(VTLError) -> VTLExpression {
        position += 1
        return try nested { (parser) throws(VTLError) in
            parser.skipBlanks(andLines: true)
            let start = parser.position
            if parser.byte != UInt8(ascii: "]") {
                let first = try parser.expression()
                parser.skipBlanks(andLines: true)
                if parser.take("..") {
                    let last = try parser.expression()
                    parser.skipBlanks(andLines: true)
                    guard parser.take("]") else { throw parser.error("`]` expected") }
                    return .range(first, last)
                }
                guard parser.byte == UInt8(ascii: ",") else {
                    guard parser.take("]") else { throw parser.error("`,`, `..` or `]` expected") }
                    return .list([first])
                }
                parser.position += 1
                return .list([first] + (try parser.items(until: UInt8(ascii: "]"))))
            }
            parser.position = start
            return .list(try parser.items(until: UInt8(ascii: "]")))
        }
    }

    private mutating func map() throws(VTLError) -> VTLExpression {
        position += 1
        return try nested { (parser) throws(VTLError) in
            var entries: [(key: VTLExpression, value: VTLExpression)] = []
            parser.skipBlanks(andLines: true)
            while !parser.take("}") {
                if !entries.isEmpty {
                    guard parser.take(",") else { throw parser.error("`,` or `}` expected") }
                }
                let key = try parser.expression()
                parser.skipBlanks(andLines: true)
                guard parser.take(":") else { throw parser.error("`:` expected after a key") }
                entries.append((key, try parser.expression()))
                parser.skipBlanks(andLines: true)
            }
            return .map(entries)
        }
    }

    // MARK: Strings

    /// What stands between quotes; two of them stand for one, and `\` is a character like any other.
    private mutating func quoted(by quote: UInt8) throws(VTLError) -> ArraySlice<UInt8> {
        let start = position
        position += 1
        var text: [UInt8] = []
        while let byte {
            position += 1
            guard byte == quote else {
                text.append(byte)
                continue
            }
            guard self.byte == quote else { return text[...] }
            text.append(quote)
            position += 1
        }
        throw error("a string without its end", at: start)
    }

    /// A string in double quotes is a template of its own.
    private mutating func string() throws(VTLError) -> VTLExpression {
        let start = position
        let text = try quoted(by: UInt8(ascii: "\""))
        guard text.contains(where: { $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "#") }) else { return .constant(.text(text)) }
        guard text.count == position - start - 2 else { throw error("`\"\"` beside `$` or `#` in a string is not supported", at: start) }
        let (after, outerLimit, outerLoops, wasInString) = (position, limit, loopDepth, isInString)
        position = start + 1
        limit = after - 1
        loopDepth = 0
        isInString = true
        let (statements, end) = try block()
        guard case .text = end else { throw error("`#end`, `#else` or `#elseif` without its `#if` in a string", at: start) }
        position = after
        limit = outerLimit
        loopDepth = outerLoops
        isInString = wasInString
        if statements.isEmpty { return .constant(.text([])) }
        if statements.count == 1, case .text(let text) = statements[0] { return .constant(.text(text)) }
        return .interpolation(statements)
    }
}
