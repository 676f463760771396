/// Reads the text of a template: what is written out, references and directives.
struct VTLParser {
    /// What ends a block.
    enum End { case end, otherwise, otherwiseIf, text }

    let bytes: [UInt8]
    let stageVariables: Set<String>
    var position: Int
    /// Where reading ends; inside a string in quotes before the whole text does.
    var limit: Int
    var program = VTLProgram()
    private var slots: [ByteKey: Int] = [:]
    private var depth = 0
    var loopDepth = 0
    var isInString = false
    /// Whether there is a response whose status and headers may be set.
    var isOfResponse = false

    init(_ text: String, stageVariables: Set<String>) {
        bytes = Array(text.utf8)
        self.stageVariables = stageVariables
        position = 0
        limit = bytes.count
    }

    mutating func template() throws(VTLError) -> VTLProgram {
        guard bytes.count <= VTLTemplate.bytesMax else {
            throw VTLError(
                line: 1, column: 1, message: "the template is longer than \(VTLTemplate.bytesMax) bytes (templateBytesMax)")
        }
        let start = position
        let (statements, end) = try block()
        guard case .text = end else { throw error("`#end`, `#else` or `#elseif` without `#if` or `#foreach`", at: start) }
        program.statements = statements
        return program
    }

    // MARK: What all parts need

    var byte: UInt8? { position < limit ? bytes[position] : nil }

    func byte(after distance: Int) -> UInt8? { position + distance < limit ? bytes[position + distance] : nil }

    func error(_ message: String, at place: Int? = nil) -> VTLError {
        let before = bytes[..<(place ?? position)]
        let line = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return VTLError(line: 1 + before.count { $0 == UInt8(ascii: "\n") }, column: 1 + before.count - line, message: message)
    }

    /// Goes one level down; levels are the recursion of reading and of rendering.
    mutating func nested<Value>(_ body: (inout VTLParser) throws(VTLError) -> Value) throws(VTLError) -> Value {
        guard depth < VTLTemplate.nestingMax else {
            throw error("nested deeper than \(VTLTemplate.nestingMax) levels (templateNestingMax)")
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    mutating func slot(of name: ArraySlice<UInt8>) -> Int {
        if let slot = slots[ByteKey(name)] { return slot }
        slots[ByteKey(name)] = program.slotCount
        program.slotCount += 1
        return program.slotCount - 1
    }

    mutating func take(_ text: StaticString) -> Bool {
        let wanted = Array("\(text)".utf8)
        guard bytes[position..<limit].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    mutating func skipBlanks(andLines: Bool = false) {
        while let byte, byte == 0x20 || byte == 0x09 || andLines && (byte == 0x0A || byte == 0x0D) { position += 1 }
    }

    /// A directive takes the rest of its line with it, if nothing else stands there.
    mutating func skipLineEnd() {
        let start = position
        skipBlanks()
        if take("\r\n") || take("\n") || take("\r") { return }
        position = start
    }

    /// Letters, digits, `_` and, in the names of references, `-`; a letter or `_` first.
    func name(at start: Int, hyphens: Bool) -> ArraySlice<UInt8> {
        guard start < limit, Self.isLetter(bytes[start]) else { return [] }
        let end = bytes[start..<limit].firstIndex { byte in
            !Self.isLetter(byte) && !JSONParser.isDigit(byte) && !(hyphens && byte == UInt8(ascii: "-"))
        }
        return bytes[start..<(end ?? limit)]
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    // MARK: Text

    /// Reads statements up to what ends the block, which is read as well.
    mutating func block() throws(VTLError) -> ([VTLStatement], End) {
        try nested { (parser) throws(VTLError) in try parser.statements() }
    }

    private mutating func statements() throws(VTLError) -> ([VTLStatement], End) {
        var statements: [VTLStatement] = []
        var literal: [UInt8] = []
        func endLiteral(_ statements: inout [VTLStatement], _ literal: inout [UInt8]) {
            if !literal.isEmpty { statements.append(.text(literal[...])) }
            literal = []
        }
        while let byte {
            let start = position
            switch byte {
            case UInt8(ascii: "\\"): try escape(&statements, &literal)
            case UInt8(ascii: "$"):
                guard let reference = try reference() else {
                    literal.append(byte)
                    position = start + 1
                    continue
                }
                endLiteral(&statements, &literal)
                statements.append(.reference(reference, backslashes: 0))
            case UInt8(ascii: "#"):
                switch try directive(&literal) {
                case .text(let text): literal += text
                case .statement(let statement):
                    endLiteral(&statements, &literal)
                    statements.append(statement)
                case .end(let end):
                    endLiteral(&statements, &literal)
                    return (statements, end)
                }
            default:
                literal.append(byte)
                position += 1
            }
        }
        endLiteral(&statements, &literal)
        return (statements, .text)
    }

    /// `\` before a reference or a directive; anywhere else it is text.
    private mutating func escape(_ statements: inout [VTLStatement], _ literal: inout [UInt8]) throws(VTLError) {
        let start = position
        while byte == UInt8(ascii: "\\") { position += 1 }
        let count = position - start
        if byte == UInt8(ascii: "$"), let reference = try reference() {
            if !literal.isEmpty { statements.append(.text(literal[...])) }
            literal = []
            statements.append(.reference(reference, backslashes: count))
        } else if byte == UInt8(ascii: "#"), VTLDirective(rawValue: directiveName().name) != nil {
            literal += repeatElement(UInt8(ascii: "\\"), count: count / 2)
            guard count % 2 == 1 else { return }
            literal.append(UInt8(ascii: "#"))
            position += 1
        } else {
            position = start + count
            literal += repeatElement(UInt8(ascii: "\\"), count: count)
        }
    }
}
