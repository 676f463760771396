/// The documents that a configuration names under `resources`, each read as what it is.
package struct ResourceDocuments: Sendable {
    package var templates: [TemplateDocument] = []
    package var apis: [OpenAPIDocument] = []

    package init(templates: [TemplateDocument] = [], apis: [OpenAPIDocument] = []) {
        self.templates = templates
        self.apis = apis
    }

    /// Reads every file: first the templates, because an API document may refer to their resources.
    ///
    /// - Throws: the problems of all files together.
    package init(of configuration: Configuration) throws(DocumentError) {
        var problems = ProblemCollector()
        var apis: [(file: String, root: Node)] = []
        var roots: [Node] = []
        for resource in configuration.resources {
            _ = problems.collect { () throws(DocumentError) in
                let root = try Node.parse(file: resource.path, text: Self.text(of: resource))
                roots.append(root)
                if root["openapi"] != nil || root["swagger"] != nil {
                    apis.append((resource.path, root))
                } else if root["Resources"] != nil {
                    templates.append(try TemplateDocument(file: resource.path, root: root, parameters: configuration.parameters))
                } else {
                    throw DocumentError(
                        "neither a CloudFormation template (`Resources`) nor an OpenAPI document (`openapi`)", at: root.location)
                }
            }
        }
        for api in apis {
            _ = problems.collect { () throws(DocumentError) in
                let document = try OpenAPIDocument(
                    file: api.file, root: api.root, parameters: configuration.parameters, templates: templates
                )
                self.apis.append(document)
            }
        }
        try problems.finish()
        for parameter in configuration.parameterLocations.sorted(by: { $0.value.line < $1.value.line }) where !roots.isEmpty {
            _ = problems.collect { () throws(DocumentError) in try Self.require(parameter.key, in: roots, at: parameter.value) }
        }
        try problems.finish()
    }

    /// The file's text; that there is none to be had is a mistake of the line that names the file.
    private static func text(of resource: Configuration.ResourceFile) throws(DocumentError) -> String {
        do {
            return try Node.readText(file: resource.path)
        } catch {
            throw DocumentError("\(resource.path): \(error.message)", at: resource.location)
        }
    }

    /// Refuses a parameter that no document has the name of: it would be given for nothing.
    private static func require(_ parameter: String, in roots: [Node], at location: SourceLocation) throws(DocumentError) {
        // `Name.Attribute` stands for what Fn::GetAtt gives, which may be a list; a variable of a stage is written with its prefix.
        let isStageVariable = parameter.hasPrefix(OpenAPIDocument.stageVariablePrefix)
        let name = isStageVariable ? parameter : String(parameter.prefix { $0 != "." })
        if roots.contains(where: { $0.mentions(name) }) { return }
        let declared = roots.flatMap { root -> [String] in
            guard case .mapping(let entries)? = root["Parameters"]?.content else { return [] }
            return entries.map(\.key)
        }
        throw DocumentError(
            "the parameter `\(parameter)` is in none of the resources\(suggestion(for: parameter, among: declared))", at: location)
    }
}

extension Node {
    /// Whether a text is part of a key or value anywhere below; the depth is bounded by ``DocumentLimits/depthMax``.
    fileprivate func mentions(_ name: String) -> Bool {
        switch content {
        case .scalar(let scalar): scalar.text.contains(name)
        case .sequence(let elements): elements.contains { $0.mentions(name) }
        case .mapping(let entries): entries.contains { $0.key.contains(name) || $0.value.mentions(name) }
        case .unresolved: false
        }
    }
}
