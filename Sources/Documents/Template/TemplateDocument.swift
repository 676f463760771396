/// A CloudFormation or SAM template: the resources that Crema serves, with their intrinsic functions resolved, and the names of
/// those it does not.
package struct TemplateDocument: Sendable {
    /// A resource of a type that Crema serves.
    package struct Resource: Sendable {
        package var logicalID: String
        package var type: String
        /// The `Properties`, an empty mapping where there are none.
        package var properties: Node
        /// Of the logical identifier.
        package var location: SourceLocation

        package init(logicalID: String, type: String, properties: Node, location: SourceLocation) {
            self.logicalID = logicalID
            self.type = type
            self.properties = properties
            self.location = location
        }
    }

    /// A resource of a type that Crema does not serve.
    ///
    /// Not a mistake: a template describes more than events.
    package struct UnknownResource: Sendable, Equatable {
        package var logicalID: String
        package var type: String
        package var location: SourceLocation
    }

    /// The resource types that Crema serves, each with the property that holds its physical name.
    package static let servedTypes = [
        "AWS::Events::Archive": "ArchiveName",
        "AWS::Events::EventBus": "Name",
        "AWS::Events::Rule": "Name",
        "AWS::IoT::Policy": "PolicyName",
        "AWS::IoT::PolicyPrincipalAttachment": "PolicyName",
        "AWS::IoT::TopicRule": "RuleName",
        "AWS::SQS::Queue": "QueueName",
        "AWS::Events::Connection": "Name",
        "AWS::Events::ApiDestination": "Name",
    ]

    /// Types that Crema does not serve, but whose ARNs rules name.
    static let namedTypes = [
        "AWS::Lambda::Function": "FunctionName",
        "AWS::Serverless::Function": "FunctionName",
        "AWS::Logs::LogGroup": "LogGroupName",
    ]

    package let file: String
    /// In the order of the template.
    package let resources: [Resource]
    package let unknownResources: [UnknownResource]
    let scope: TemplateScope

    /// Reads a template.
    ///
    /// - Parameters:
    ///   - file: what messages call the template.
    ///   - text: YAML or JSON.
    ///   - parameters: values for the template's parameters, before their defaults, and for names it does not declare.
    /// - Throws: every mistake found, with file, line and column.
    package init(file: String, text: String, parameters: [String: String]) throws(DocumentError) {
        try self.init(file: file, root: Node.parse(file: file, text: text), parameters: parameters)
    }

    /// Reads a template that is already parsed, see ``init(file:text:parameters:)``.
    package init(file: String, root: Node, parameters: [String: String]) throws(DocumentError) {
        self.file = file
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in try root.entries("the template", known: Self.sections) }
        _ = problems.collect { () throws(DocumentError) in try Self.checkTransform(root) }

        var scope = TemplateScope(parameters: parameters)
        _ = problems.collect { () throws(DocumentError) in try scope.declareParameters(of: root, given: parameters) }
        let declared = problems.collect { () throws(DocumentError) in try root["Resources"]?.entries("Resources") ?? [] } ?? []
        scope.declareResources(declared)

        let resolver = IntrinsicResolver(scope: scope)
        var resources: [Resource] = []
        var unknown: [UnknownResource] = []
        for entry in declared {
            _ = problems.collect { () throws(DocumentError) in
                let type = try Self.type(of: entry)
                guard Self.servedTypes[type] != nil else {
                    unknown.append(UnknownResource(logicalID: entry.key, type: type, location: entry.keyLocation))
                    return
                }
                try Self.checkAttributes(of: entry, type: type)
                let properties = resolver.resolve(entry.value["Properties"] ?? Node(.mapping([]), at: entry.value.location))
                resources.append(Resource(logicalID: entry.key, type: type, properties: properties, location: entry.keyLocation))
            }
        }
        try problems.finish()
        self.resources = resources
        unknownResources = unknown
        self.scope = scope
    }

    private static let sections = [
        "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Transform",
        "Resources", "Outputs", "Hooks", "Globals",
    ]

    private static let attributes = [
        "Type", "Properties", "Condition", "DependsOn", "Metadata", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy",
        "UpdatePolicy",
    ]

    /// AWS's own transforms leave the served types as they are; a macro may rewrite anything, and cannot be run here.
    private static func checkTransform(_ root: Node) throws(DocumentError) {
        guard let transform = root["Transform"] else { return }
        let transforms: [Node]
        if case .sequence(let elements) = transform.content { transforms = elements } else { transforms = [transform] }
        for node in transforms {
            let name = node.plainText ?? node["Name"]?.plainText ?? ""
            guard name.hasPrefix("AWS::") else {
                throw DocumentError("the macro `\(name)` cannot be run: Transform takes AWS's own transforms only", at: node.location)
            }
        }
    }

    private static func type(of entry: Node.Entry) throws(DocumentError) -> String {
        guard !entry.key.hasPrefix("Fn::") else {
            throw DocumentError("\(entry.key) under Resources is not supported", at: entry.keyLocation)
        }
        return try entry.value.required("Type", in: "the resource \(entry.key)").text("Type")
    }

    private static func checkAttributes(of entry: Node.Entry, type: String) throws(DocumentError) {
        _ = try entry.value.entries("the resource \(entry.key)", known: attributes)
        if let condition = entry.value.entry("Condition") {
            throw DocumentError("Condition on \(type) `\(entry.key)` is not supported", at: condition.keyLocation)
        }
    }
}

extension TemplateScope {
    /// Enters the resources that others may refer to.
    fileprivate mutating func declareResources(_ entries: [Node.Entry]) {
        for entry in entries {
            guard let type = entry.value["Type"]?.plainText else { continue }
            // The name that a queue has where the template gives it none says its kind, as all names of queues do.
            let isOrdered = type == "AWS::SQS::Queue" && entry.value["Properties"]?["FifoQueue"]?.plainText == "true"
            resources[entry.key] = Target(type: type, name: entry.key + (isOrdered ? ".fifo" : ""))
        }
        // A name may itself refer to a parameter, never usefully to a resource, so one pass is enough.
        var resolver = IntrinsicResolver(scope: self)
        for entry in entries {
            guard let type = resources[entry.key]?.type,
                let property = TemplateDocument.servedTypes[type] ?? TemplateDocument.namedTypes[type],
                let value = entry.value["Properties"]?[property]
            else { continue }
            if let name = resolver.resolve(value).plainText { resources[entry.key]?.name = name }
        }
        resolver = IntrinsicResolver(scope: self)
        for entry in entries where resources[entry.key]?.type == "AWS::Events::Rule" {
            guard let bus = entry.value["Properties"]?["EventBusName"] else { continue }
            let name = resolver.resolve(bus).plainText
            resources[entry.key]?.busName = name == "default" ? nil : name
        }
    }
}
