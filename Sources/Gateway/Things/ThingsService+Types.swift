import EventBus
import Rules
import Things

/// The operations on types of things.
extension ThingsService {
    private static let descriptionMax = 2_028
    private static let searchableAttributesMax = 3

    /// A description as the service takes it.
    static func description(_ members: RequestMembers, _ name: String) throws(ServiceError) -> String? {
        guard let text = try members.text(name) else { return nil }
        guard text.unicodeScalars.count <= descriptionMax else { throw invalid("\(name) may have \(descriptionMax) characters.") }
        return text
    }

    func createThingType(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try Self.check(request.name, .thingName, at: "thingTypeName")
        try request.check()
        let properties = try request.members("thingTypeProperties")
            .object("thingTypeProperties", known: ["thingTypeDescription", "searchableAttributes"])
        let searchable = try properties?.texts("searchableAttributes") ?? []
        guard searchable.count <= Self.searchableAttributesMax else {
            throw Self.invalid("A thing type may have \(Self.searchableAttributesMax) searchableAttributes.")
        }
        let type = ThingType(
            name: request.name, id: registry.makeID(),
            description: try properties.flatMap { (members) throws(ServiceError) in try Self.description(members, "thingTypeDescription") },
            searchableAttributes: searchable, createdMilliseconds: registry.now)
        let made = try await change { (table, _) throws(ControlError) in try table.createType(type) }
        return .object([
            "thingTypeName": .text(made.name), "thingTypeArn": .text(Self.arn("thingtype", made.name)), "thingTypeId": .text(made.id),
        ])
    }

    func describeThingType(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let name = request.name
        let type = try look { (table) throws(ControlError) in try table.type(name) }
        return Self.document(of: type, more: ["thingTypeId": .text(type.id)])
    }

    private static func document(of type: ThingType, more: [String: AnswerDocument] = [:]) -> AnswerDocument {
        let properties = AnswerDocument.object([
            "thingTypeDescription": type.description.map { .text($0) },
            "searchableAttributes": type.searchableAttributes.isEmpty ? nil : .list(type.searchableAttributes.map { .text($0) }),
        ])
        let metadata = AnswerDocument.object([
            "deprecated": .boolean(type.deprecatedMilliseconds != nil),
            "deprecationDate": type.deprecatedMilliseconds.map { .seconds(milliseconds: $0) },
            "creationDate": .seconds(milliseconds: type.createdMilliseconds),
        ])
        return .map(
            [
                "thingTypeName": .text(type.name), "thingTypeArn": .text(arn("thingtype", type.name)), "thingTypeProperties": properties,
                "thingTypeMetadata": metadata,
            ].merging(more) { $1 })
    }

    func deprecateThingType(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let undo = try request.members("undoDeprecate").boolean("undoDeprecate") ?? false
        let (name, now) = (request.name, registry.now)
        try await change { (table, _) throws(ControlError) in try table.deprecateType(name, undo: undo, now: now) }
        return .object([:])
    }

    func deleteThingType(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let name = request.name
        try await change { (table, _) throws(ControlError) in try table.deleteType(name) }
        return .object([:])
    }

    func listThingTypes(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("maxResults", "nextToken", "thingTypeName")
        let name = request.query["thingTypeName"]
        let types = try look { (table) in table.types.values.filter { name == nil || $0.name == name }.sorted { $0.name < $1.name } }
        return try Self.page(types.map { (key: $0.name, row: Self.document(of: $0)) }, request, names: PageNames(rows: "thingTypes"))
    }
}
