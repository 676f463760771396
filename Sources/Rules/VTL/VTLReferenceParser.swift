/// Reads references.
extension VTLParser {
    /// Reads what stands at `$`; nil, and nothing read, where that is no reference.
    mutating func reference() throws(VTLError) -> VTLReference? {
        let start = position
        position += 1
        _ = take("!")
        let isBraced = take("{")
        let name = name(at: position, hyphens: true)
        guard !name.isEmpty else {
            position = start
            return nil
        }
        position = name.endIndex
        let root = try root(String(decoding: name, as: UTF8.self), name, at: start)
        var steps: [VTLReference.Step] = []
        while let step = try step() { steps.append(step) }
        if isBraced {
            guard take("}") else { throw error("`}` is missing: `${` begins a reference", at: start) }
        }
        try check(root, steps, at: start)
        return VTLReference(root: root, steps: steps, source: bytes[start..<position])
    }

    mutating func step() throws(VTLError) -> VTLReference.Step? {
        if byte == UInt8(ascii: "[") {
            position += 1
            let index = try nested { (parser) throws(VTLError) in try parser.expression() }
            skipBlanks(andLines: true)
            guard take("]") else { throw error("`]` expected") }
            return .index(index)
        }
        guard byte == UInt8(ascii: ".") else { return nil }
        let name = name(at: position + 1, hyphens: true)
        guard !name.isEmpty else { return nil }
        let start = position + 1
        position = name.endIndex
        guard byte == UInt8(ascii: "(") else { return .property(name) }
        let text = String(decoding: name, as: UTF8.self)
        guard let method = VTLMethod(rawValue: text) else { throw error("the method .\(text)() is not supported", at: start) }
        let arguments = try arguments()
        guard method.arity.contains(arguments.count) else {
            throw error(".\(text)() does not take \(arguments.count) arguments", at: start)
        }
        return .call(VTLCall(method: method, arguments: arguments, expression: try expression(of: method, arguments, at: start)))
    }

    private func expression(
        of method: VTLMethod, _ arguments: [VTLExpression], at start: Int
    ) throws(VTLError) -> RegularExpression? {
        guard method.takesExpression, case .constant(.text(let text))? = arguments.first else { return nil }
        do throws(RegularExpressionProblem) {
            return try method.expression(text)
        } catch {
            throw self.error(".\(method.rawValue)(): \(error.message)", at: start)
        }
    }

    /// What stands in `(…)`.
    private mutating func arguments() throws(VTLError) -> [VTLExpression] {
        guard take("(") else { throw error("`(` expected") }
        return try nested { (parser) throws(VTLError) in try parser.items(until: UInt8(ascii: ")")) }
    }

    /// Expressions between commas, up to the sign that ends them.
    mutating func items(until end: UInt8) throws(VTLError) -> [VTLExpression] {
        var items: [VTLExpression] = []
        skipBlanks(andLines: true)
        while byte != end {
            if !items.isEmpty {
                guard take(",") else { throw error("`,` or `\(Character(Unicode.Scalar(end)))` expected") }
            }
            items.append(try expression())
            skipBlanks(andLines: true)
        }
        position += 1
        return items
    }

    // MARK: The service's own objects

    private mutating func root(
        _ text: String, _ name: ArraySlice<UInt8>, at start: Int
    ) throws(VTLError) -> VTLReference.Root {
        switch text {
        case "input": return try input(at: start)
        case "util": return try utility(at: start)
        case "context":
            program.needs.insert(.context)
            return .context
        case "stageVariables": return .stageVariables
        case "velocityCount": return .loop(.count, parents: 0)
        case "velocityHasNext": return .loop(.hasNext, parents: 0)
        case "foreach":
            var (property, parents) = (member(), 0)
            while property == "parent" { (property, parents) = (member(), parents + 1) }
            guard let property, let found = VTLReference.LoopProperty(rawValue: property) else {
                let known = Self.list(VTLReference.LoopProperty.allCases.map(\.rawValue) + ["parent"])
                throw error("$foreach has \(known)\(parents > 0 ? "; `parent` has one of them behind it" : "")", at: start)
            }
            return .loop(found, parents: parents)
        default: return .variable(slot(of: name))
        }
    }

    /// Reads `.name`.
    private mutating func member() -> String? {
        guard byte == UInt8(ascii: ".") else { return nil }
        let name = name(at: position + 1, hyphens: true)
        guard !name.isEmpty else { return nil }
        position = name.endIndex
        return String(decoding: name, as: UTF8.self)
    }

    private static func list(_ names: [String]) -> String { names.sorted().map { "`\($0)`" }.joined(separator: ", ") }

    private mutating func input(at start: Int) throws(VTLError) -> VTLReference.Root {
        switch member() {
        case "body": return .body
        case "json":
            program.needs.insert(.json)
            return .json(try path("json"))
        case "path":
            program.needs.insert(.json)
            return .path(try path("path"))
        case "params":
            program.needs.insert(.parameters)
            let arguments = try arguments()
            guard arguments.count < 2 else { throw error("$input.params() takes one name or none", at: start) }
            return arguments.first.map { .parameter($0) } ?? .parameters
        case let name:
            throw error("$input\(name.map { ".\($0)" } ?? "") is not supported; $input has `body`, `json`, `params`, `path`", at: start)
        }
    }

    private mutating func path(_ function: String) throws(VTLError) -> VTLPath {
        let start = position
        let arguments = try arguments()
        guard arguments.count == 1, let argument = arguments.first else { throw error("$input.\(function)() takes one path", at: start) }
        guard case .constant(.text(let text)) = argument else { return .computed(argument) }
        do throws(EventPathError) {
            return .constant(try EventPath(parsing: String(decoding: text, as: UTF8.self), reach: .many))
        } catch {
            throw self.error("$input.\(function)(): \(error)", at: start)
        }
    }

    private mutating func utility(at start: Int) throws(VTLError) -> VTLReference.Root {
        let name = member()
        guard let name, let utility = VTLUtility(rawValue: name) else {
            let known = Self.list(VTLUtility.allCases.map(\.rawValue))
            throw error("$util\(name.map { ".\($0)" } ?? "") is not supported; $util has \(known)", at: start)
        }
        let arguments = try arguments()
        guard arguments.count == 1, let argument = arguments.first else { throw error("$util.\(name)() takes one argument", at: start) }
        return .utility(utility, argument)
    }

    /// Names of `$context` and `$stageVariables` that there are not.
    private func check(_ root: VTLReference.Root, _ steps: [VTLReference.Step], at start: Int) throws(VTLError) {
        guard case .property(let bytes)? = steps.first else { return }
        let name = String(decoding: bytes, as: UTF8.self)
        switch root {
        case .context:
            guard VTLContext.names.contains(name) else { throw error("$context.\(name) is not known to the service", at: start) }
            guard !VTLContext.overrides.contains(name) else { throw error("$context.\(name) is not supported", at: start) }
            guard name == "identity", steps.count > 1, case .property(let member) = steps[1] else { return }
            let text = String(decoding: member, as: UTF8.self)
            guard VTLContext.identity.contains(text) else {
                throw error("$context.identity.\(text) is not known to the service", at: start)
            }
        case .stageVariables:
            guard stageVariables.contains(name) else {
                throw error("$stageVariables.\(name) has no value; give `stageVariables.\(name)` one under `parameters`", at: start)
            }
        default: return
        }
    }
}
