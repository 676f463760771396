/// The directives of Velocity by their names.
enum VTLDirective: String {
    case set, `if`, elseif, `else`, end, foreach, `break`, stop
    case macro, parse, include, define, evaluate, `return`

    var isSupported: Bool {
        switch self {
        case .set, .if, .elseif, .else, .end, .foreach, .break, .stop: true
        case .macro, .parse, .include, .define, .evaluate, .return: false
        }
    }
}

/// Reads directives and comments.
extension VTLParser {
    enum Found {
        case text(ArraySlice<UInt8>)
        case statement(VTLStatement)
        case end(End)
    }

    /// The name after `#`, also in braces, and where what follows it begins.
    func directiveName() -> (name: String, end: Int) {
        let isBraced = byte(after: 1) == UInt8(ascii: "{")
        let name = name(at: position + (isBraced ? 2 : 1), hyphens: false)
        guard !name.isEmpty else { return ("", position + 1) }
        if isBraced {
            guard name.endIndex < limit, bytes[name.endIndex] == UInt8(ascii: "}") else { return ("", position + 1) }
        }
        return (String(decoding: name, as: UTF8.self), name.endIndex + (isBraced ? 1 : 0))
    }

    /// Reads what stands at `#`.
    ///
    /// `#set` takes the blanks in front of it from the text before it, `literal`.
    mutating func directive(_ literal: inout [UInt8]) throws(VTLError) -> Found {
        let start = position
        if take("##") {
            position = bytes[position..<limit].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? limit
            return .text([])
        }
        if take("#*") { return .text(try skip(to: "*#", from: start).prefix(0)) }
        if take("#[[") { return .text(try skip(to: "]]#", from: start)) }
        let (name, end) = directiveName()
        guard let directive = VTLDirective(rawValue: name) else {
            position += 1
            return .text(bytes[start..<position])
        }
        guard directive.isSupported else { throw error("#\(name) is not supported") }
        position = end
        switch directive {
        case .set:
            let indentation = literal.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count
            if indentation == literal.count || literal.dropLast(indentation).last == UInt8(ascii: "\n") { literal.removeLast(indentation) }
            return .statement(try set(from: start))
        case .if: return .statement(try branches(from: start))
        case .foreach: return .statement(try loop(from: start))
        case .end:
            skipLineEnd()
            return .end(.end)
        case .else:
            skipLineEnd()
            return .end(.otherwise)
        case .elseif: return .end(.otherwiseIf)
        case .break:
            guard loopDepth > 0 else { throw error("#break outside of #foreach", at: start) }
            skipLineEnd()
            return .statement(.leaveLoop)
        default:
            guard !isInString else { throw error("#stop in a string is not supported", at: start) }
            return .statement(.stop)
        }
    }

    /// The text up to a sign that must come; goes behind it.
    private mutating func skip(to sign: StaticString, from start: Int) throws(VTLError) -> ArraySlice<UInt8> {
        let first = position
        while position < limit {
            let end = position
            if take(sign) { return bytes[first..<end] }
            position += 1
        }
        throw error("`\(sign)` is missing", at: start)
    }

    private mutating func open(_ name: String) throws(VTLError) {
        skipBlanks()
        guard take("(") else { throw error("`(` expected after #\(name)") }
    }

    private mutating func close() throws(VTLError) {
        skipBlanks(andLines: true)
        guard take(")") else { throw error("`)` expected") }
        skipLineEnd()
    }

    // MARK: #set

    private mutating func set(from start: Int) throws(VTLError) -> VTLStatement {
        try open("set")
        if let part = try override() {
            let value = try assignment()
            return .override(part, value)
        }
        let target = try target(of: "#set")
        let value = try assignment()
        switch target.steps.last {
        case nil: return .set(slot: target.slot, value)
        case .call: throw error("#set of what a method answers is not supported", at: start)
        case .property, .index: return .setPart(VTLReference(root: .variable(target.slot), steps: target.steps, source: []), value)
        }
    }

    /// `= value)`.
    private mutating func assignment() throws(VTLError) -> VTLExpression {
        skipBlanks(andLines: true)
        guard byte == UInt8(ascii: "="), byte(after: 1) != UInt8(ascii: "=") else { throw error("`=` expected") }
        position += 1
        let value = try expression()
        try close()
        return value
    }

    /// The variable that a directive gives a value, or the member or element of one.
    private mutating func target(of directive: String) throws(VTLError) -> (slot: Int, steps: [VTLReference.Step]) {
        skipBlanks(andLines: true)
        let start = position
        guard take("$") else { throw error("`$` expected: \(directive) gives a variable a value") }
        _ = take("!")
        let isBraced = take("{")
        let name = name(at: position, hyphens: true)
        guard !name.isEmpty else { throw error("\(directive) wants a name after `$`") }
        let text = String(decoding: name, as: UTF8.self)
        position = name.endIndex
        if Self.reserved.contains(text) {
            if text == "context" {
                throw error("\(directive) of $context is not supported, but for responseOverride in the template of a response", at: start)
            }
            throw error("\(directive): `$\(text)` is the service's own", at: start)
        }
        var steps: [VTLReference.Step] = []
        while let step = try step() { steps.append(step) }
        if isBraced {
            guard take("}") else { throw error("`}` expected") }
        }
        return (slot(of: name), steps)
    }

    static let reserved: Set<String> = ["input", "util", "context", "stageVariables", "foreach", "velocityCount", "velocityHasNext"]

    // MARK: #if, #foreach

    private mutating func branches(from start: Int) throws(VTLError) -> VTLStatement {
        var branches: [VTLBranch] = []
        try open("if")
        var condition: VTLExpression? = try expression()
        try close()
        while true {
            let (body, end) = try block()
            branches.append(VTLBranch(condition: condition, body: body))
            switch end {
            case .end: return .branches(branches)
            case .text: throw error("#if without its #end", at: start)
            case .otherwise, .otherwiseIf:
                guard condition != nil else { throw error("#else is the last branch of #if") }
                condition = nil
                if case .otherwiseIf = end {
                    try open("elseif")
                    condition = try expression()
                    try close()
                }
            }
        }
    }

    private mutating func loop(from start: Int) throws(VTLError) -> VTLStatement {
        try open("foreach")
        let (slot, steps) = try target(of: "#foreach")
        guard steps.isEmpty else { throw error("#foreach gives its values to a variable, not to a member or an element", at: start) }
        skipBlanks(andLines: true)
        guard name(at: position, hyphens: true).elementsEqual("in".utf8) else { throw error("`in` expected") }
        position += 2
        let elements = try expression()
        try close()
        loopDepth += 1
        defer { loopDepth -= 1 }
        let (body, end) = try block()
        guard case .end = end else { throw error("#foreach without its #end", at: start) }
        return .loop(VTLLoop(slot: slot, elements: elements, body: body))
    }
}
