/// Replaces CloudFormation's intrinsic functions in a value by what they give.
///
/// `Ref`, `Fn::Sub`, `Fn::GetAtt` and `Fn::Join` are evaluated. Every other function becomes an unresolved value, which fails with
/// the function's name where somebody needs it and harms nobody where nobody does.
struct IntrinsicResolver {
    let scope: TemplateScope

    // Recursion is bounded by the document's depth.
    func resolve(_ node: Node) -> Node {
        if let tag = node.tag {
            return evaluate(Self.function(forTag: tag), argument: Node(node.content, at: node.location), at: node.location)
        }
        switch node.content {
        case .scalar(let scalar):
            return resolveDynamicReference(scalar, node)
        case .sequence(let elements):
            return Node(.sequence(elements.map(resolve).filter { !$0.isNoValue }), at: node.location)
        case .mapping(let entries):
            if let only = entries.first, entries.count == 1, only.key == "Ref" || only.key.hasPrefix("Fn::") || only.key == "Condition" {
                // `Condition` is a function only with a name as its argument; as a mapping it belongs to a policy statement.
                if only.key != "Condition" || only.value.isScalar {
                    return evaluate(only.key, argument: only.value, at: node.location)
                }
            }
            return Node(.mapping(entries.compactMap(resolve)), at: node.location)
        case .unresolved:
            return node
        }
    }

    private func resolve(_ entry: Node.Entry) -> Node.Entry? {
        var resolved = entry
        resolved.value = resolve(entry.value)
        return resolved.value.isNoValue ? nil : resolved
    }

    static func function(forTag tag: String) -> String {
        let name = tag.dropFirst()
        return name == "Ref" || name == "Condition" ? String(name) : "Fn::\(name)"
    }

    private func evaluate(_ function: String, argument: Node, at location: SourceLocation) -> Node {
        switch function {
        case "Ref":
            guard let name = argument.plainText else { return unresolved("Ref takes one name", at: location) }
            return name == "AWS::NoValue" ? .noValue(at: location) : scope.reference(name, at: location)
        case "Fn::GetAtt": return attribute(argument, at: location)
        case "Fn::Sub": return substitute(argument, at: location)
        case "Fn::Join": return join(argument, at: location)
        default: return unresolved("the intrinsic function \(function) is not supported", at: location)
        }
    }

    private func attribute(_ argument: Node, at location: SourceLocation) -> Node {
        var parts: [String] = []
        if let text = argument.plainText {
            parts = text.split(separator: ".", maxSplits: 1).map(String.init)
        } else if case .sequence(let elements) = argument.content {
            parts = elements.map(resolve).compactMap(\.plainText)
        }
        guard parts.count == 2 else { return unresolved("Fn::GetAtt takes a resource and an attribute", at: location) }
        return scope.attribute(parts[1], of: parts[0], at: location)
    }

    private func join(_ argument: Node, at location: SourceLocation) -> Node {
        guard case .sequence(let pair) = argument.content, pair.count == 2, let delimiter = pair[0].plainText else {
            return unresolved("Fn::Join takes a delimiter and a list", at: location)
        }
        let list = resolve(pair[1])
        guard case .sequence(let elements) = list.content else {
            if case .unresolved = list.content { return list }
            return unresolved("Fn::Join takes a delimiter and a list", at: location)
        }
        var texts: [String] = []
        for element in elements {
            guard let text = element.plainText else {
                if case .unresolved = element.content { return element }
                return unresolved("Fn::Join joins text only", at: location)
            }
            texts.append(text)
        }
        return .string(texts.joined(separator: delimiter), at: location)
    }

    private func substitute(_ argument: Node, at location: SourceLocation) -> Node {
        var template = argument
        var variables: [String: Node] = [:]
        if case .sequence(let pair) = argument.content {
            guard pair.count == 2, case .mapping(let entries) = pair[1].content else {
                return unresolved("Fn::Sub takes text, or text and a mapping of values", at: location)
            }
            template = pair[0]
            for entry in entries { variables[entry.key] = resolve(entry.value) }
        }
        guard let text = template.plainText else {
            return unresolved("Fn::Sub takes text, or text and a mapping of values", at: location)
        }
        return substitute(text, variables: variables, at: location)
    }

    private func substitute(_ text: String, variables: [String: Node], at location: SourceLocation) -> Node {
        var output = ""
        var rest = Substring(text)
        while let start = rest.firstRange(of: "${") {
            output += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                return unresolved("Fn::Sub: `${` without `}`", at: location)
            }
            let name = rest[start.upperBound..<end]
            rest = rest[rest.index(after: end)...]
            if name.first == "!" {
                output += "${\(name.dropFirst())}"  // `${!Name}` is the way to write `${Name}`.
                continue
            }
            let value = variable(String(name.trimmingBlanks()), variables: variables, at: location)
            guard let insertion = value.plainText else {
                if case .unresolved = value.content { return value }
                return unresolved("Fn::Sub: the value of `\(name)` is not text", at: location)
            }
            output += insertion
        }
        return .string(output + rest, at: location)
    }

    private func variable(_ name: String, variables: [String: Node], at location: SourceLocation) -> Node {
        if let value = variables[name] { return value }
        if let dot = name.firstIndex(of: ".") {
            return scope.attribute(String(name[name.index(after: dot)...]), of: String(name[..<dot]), at: location)
        }
        return scope.reference(name, at: location)
    }

    /// `{{resolve:ssm:…}}` asks a service that is not here.
    private func resolveDynamicReference(_ scalar: Node.Scalar, _ node: Node) -> Node {
        guard scalar.text.contains("{{resolve:") else { return node }
        return unresolved("dynamic references (`\(scalar.text)`) are not supported", at: node.location)
    }

    private func unresolved(_ reason: String, at location: SourceLocation) -> Node {
        Node(.unresolved(reason: reason), at: location)
    }
}

extension Node {
    private static let noValueReason = "AWS::NoValue"

    /// The value of `AWS::NoValue`: the property that has it is left out.
    fileprivate static func noValue(at location: SourceLocation) -> Node {
        Node(.unresolved(reason: noValueReason), at: location)
    }

    fileprivate var isNoValue: Bool { content == .unresolved(reason: Self.noValueReason) }
}

extension Substring {
    fileprivate func trimmingBlanks() -> Substring {
        var trimmed = drop { $0 == " " }
        while trimmed.last == " " { trimmed.removeLast() }
        return trimmed
    }
}
