import Documents

/// Reads `AWS::Events::Archive`.
enum ArchiveReader {
    private static let properties = ["ArchiveName", "SourceArn", "Description", "EventPattern", "RetentionDays"]

    /// All archives of the templates, each with a name of its own and a bus that is there.
    static func archives(
        in resources: [TemplateDocument.Resource], declared: DeclaredNames, _ problems: inout ProblemCollector
    ) -> [ArchiveDeclaration] {
        var names = NameTable(kind: "archive")
        var archives: [ArchiveDeclaration] = []
        for resource in resources where resource.type == "AWS::Events::Archive" {
            let archive = problems.collect { () throws(DocumentError) in try read(resource, declared) }
            guard let archive else { continue }
            names.declare(archive.name, at: resource.location, &problems)
            archives.append(archive)
        }
        return archives
    }

    private static func read(
        _ resource: TemplateDocument.Resource, _ declared: DeclaredNames
    ) throws(DocumentError) -> ArchiveDeclaration {
        let what = "AWS::Events::Archive `\(resource.logicalID)`"
        let properties = resource.properties
        try refuseUnknown(properties, what: what, known: Self.properties)
        let source = try properties.required("SourceArn", in: what)
        let bus = EventBusReader.name(inReference: try source.text("SourceArn"))
        try declared.requireBus(bus, at: source.location)
        // CloudFormation takes an object, the API its JSON text.
        let pattern = try properties["EventPattern"].map { (value) throws(DocumentError) in
            value.isScalar ? try value.text("EventPattern") : String(decoding: try value.json("EventPattern"), as: UTF8.self)
        }
        let days = try properties["RetentionDays"]?.integer("RetentionDays", in: 0...ArchiveDeclaration.retentionDaysMax) ?? 0
        let name = try properties["ArchiveName"]?.text("ArchiveName") ?? resource.logicalID
        let description = try properties["Description"]?.text("Description")
        do throws(ControlError) {
            return try ArchiveDeclaration(
                name: name, bus: bus, patternText: pattern, retentionDays: days, description: description, location: resource.location)
        } catch {
            throw DocumentError("\(what): \(error.message)", at: properties["EventPattern"]?.location ?? resource.location)
        }
    }
}
