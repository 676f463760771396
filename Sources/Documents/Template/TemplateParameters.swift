extension TemplateScope {
    /// Enters the template's parameters: the given value, else the default, else a reason why there is none.
    mutating func declareParameters(of root: Node, given: [String: String]) throws(DocumentError) {
        guard let section = root["Parameters"] else { return }
        var problems = ProblemCollector()
        for entry in try section.entries("Parameters") {
            _ = problems.collect { () throws(DocumentError) in try declareParameter(entry, given: given[entry.key]) }
        }
        try problems.finish()
    }

    private mutating func declareParameter(_ entry: Node.Entry, given: String?) throws(DocumentError) {
        let what = "the parameter \(entry.key)"
        _ = try entry.value.entries(what, known: Self.parameterKeys)
        let type = try entry.value.required("Type", in: what).text("Type")
        // The default of such a type is a key in a service that is not here.
        let isStored = type.hasPrefix("AWS::SSM::Parameter::Value")
        var value = given
        if value == nil, !isStored { value = try entry.value["Default"]?.text("Default") }
        guard let text = value else {
            let reason = isStored ? "is of type \(type), which Crema cannot look up" : "has no default"
            parameters[entry.key] = nil
            missingParameters[entry.key] = "the parameter `\(entry.key)` \(reason); give it a value under `parameters`"
            return
        }
        if let allowed = entry.value["AllowedValues"] {
            let values = try allowed.elements("AllowedValues").map { (node) throws(DocumentError) in try node.text("AllowedValues") }
            guard values.contains(text) else {
                throw DocumentError("\(what) is `\(text)`, but AllowedValues has \(values.joined(separator: ", "))", at: entry.keyLocation)
            }
        }
        parameters[entry.key] = Self.value(text, type: type, at: entry.keyLocation)
    }

    private static func value(_ text: String, type: String, at location: SourceLocation) -> Node {
        if type == "CommaDelimitedList" || type.hasPrefix("List<") {
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            return Node(.sequence(parts.map { .string(String($0.drop { $0 == " " }), at: location) }), at: location)
        }
        let isNumber = type == "Number" && CoreSchema.kind(of: text) == .number
        return Node(.scalar(.init(text, kind: isNumber ? .number : .string)), at: location)
    }

    private static let parameterKeys = [
        "Type", "Default", "AllowedPattern", "AllowedValues", "ConstraintDescription", "Description", "MaxLength", "MaxValue", "MinLength",
        "MinValue", "NoEcho",
    ]
}
