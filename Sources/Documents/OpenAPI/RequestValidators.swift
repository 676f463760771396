/// `x-amazon-apigateway-request-validators`, and what they look at.
struct RequestValidators {
    static let keys = ["x-amazon-apigateway-request-validators", "x-amazon-apigateway-request-validator"]

    private struct Validator {
        var body = false
        var parameters = false
    }

    private var validators: [String: Validator] = [:]
    private var standard: String?
    private var components: Node?

    init() {}

    init(_ root: Node) throws(DocumentError) {
        components = root["components"]
        for entry in try root[Self.keys[0]]?.entries(Self.keys[0]) ?? [] {
            var validator = Validator()
            for setting in try entry.value.entries(entry.key, known: ["validateRequestBody", "validateRequestParameters"]) {
                let isOn = try setting.value.boolean(setting.key)
                if setting.key == "validateRequestBody" { validator.body = isOn } else { validator.parameters = isOn }
            }
            validators[entry.key] = validator
        }
        if let name = root[Self.keys[1]] {
            standard = try name.text(Self.keys[1])
            _ = try validator(standard ?? "", at: name.location)
        }
    }

    private func validator(_ name: String, at location: SourceLocation) throws(DocumentError) -> Validator {
        guard let validator = validators[name] else {
            let hint = suggestion(for: name, among: Array(validators.keys))
            throw DocumentError("there is no request validator `\(name)`\(hint)", at: location)
        }
        return validator
    }

    /// What a request to an operation must have.
    func validation(of operation: Node, in path: Node, name: String) throws(DocumentError) -> RequestValidation {
        var validation = RequestValidation()
        let own = operation[Self.keys[1]]
        let chosen = try own.map { node throws(DocumentError) in try node.text(Self.keys[1]) } ?? standard
        guard let chosen else { return validation }
        let validator = try self.validator(chosen, at: own?.location ?? operation.location)
        if validator.parameters {
            for list in [path["parameters"], operation["parameters"]] {
                for parameter in try list?.elements("parameters of \(name)") ?? [] { try add(parameter, to: &validation) }
            }
        }
        if validator.body, let body = operation["requestBody"] {
            let content = try referenced(body, "requestBodies").required("content", in: "the requestBody of \(name)")
            for entry in try content.entries("the content of \(name)") {
                guard let schema = entry.value["schema"] else { continue }
                validation.models.append(.init(mediaType: entry.key.lowercased(), schema: schema))
            }
            for entry in try components?["schemas"]?.entries("components.schemas") ?? [] { validation.definitions[entry.key] = entry.value }
        }
        return validation
    }

    private func add(_ node: Node, to validation: inout RequestValidation) throws(DocumentError) {
        let parameter = try referenced(node, "parameters")
        let name = try parameter.required("name", in: "a parameter").text("name")
        let place = try parameter.required("in", in: "the parameter \(name)").text("in")
        guard try parameter["required"]?.boolean("required") ?? false else { return }
        switch place {
        case "path": validation.parameters.append((.path, name))
        case "query": validation.parameters.append((.querystring, name))
        case "header": validation.parameters.append((.header, name))
        default: throw DocumentError("the parameter \(name): `in: \(place)` is not supported", at: parameter.location)
        }
    }

    /// The node, or what its `$ref` leads to.
    private func referenced(_ node: Node, _ section: String) throws(DocumentError) -> Node {
        guard let reference = node["$ref"] else { return node }
        let text = try reference.text("$ref")
        let prefix = "#/components/\(section)/"
        guard text.hasPrefix(prefix), let found = components?[section]?[String(text.dropFirst(prefix.count))] else {
            throw DocumentError("$ref `\(text)` leads to nothing under `components.\(section)`", at: reference.location)
        }
        return found
    }
}
