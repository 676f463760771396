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
        for resource in configuration.resources {
            _ = problems.collect { () throws(DocumentError) in
                let root = try Node.read(file: resource.path)
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
    }
}
