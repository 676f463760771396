import EventBus
import Rules
import Things

/// The operations on groups of things.
extension ThingsService {
    private static func properties(
        _ members: RequestMembers
    ) throws(ServiceError) -> (description: String?, attributes: [String: String]?, merge: Bool) {
        let known = ["thingGroupDescription", "attributePayload"]
        guard let properties = try members.object("thingGroupProperties", known: known) else { return (nil, nil, false) }
        let payload = try attributes(properties)
        return (try description(properties, "thingGroupDescription"), payload?.attributes, payload?.merge ?? false)
    }

    func createThingGroup(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try Self.check(request.name, .thingName, at: "thingGroupName")
        try request.check()
        let members = try request.members("parentGroupName", "thingGroupProperties")
        let (description, attributes, _) = try Self.properties(members)
        let group = ThingGroup(
            name: request.name, id: registry.makeID(), parent: try members.text("parentGroupName"),
            properties: .init(description: description, attributes: attributes ?? [:]), createdMilliseconds: registry.now)
        let made = try await change { (table, _) throws(ControlError) in try table.createGroup(group) }
        return .object([
            "thingGroupName": .text(made.name), "thingGroupArn": .text(Self.arn("thinggroup", made.name)), "thingGroupId": .text(made.id),
        ])
    }

    func describeThingGroup(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let name = request.name
        let (group, ancestors) = try look { (table) throws(ControlError) in
            let group = try table.group(name)
            return (group, table.ancestors(of: group).map(\.name))
        }
        let attributes = group.properties.attributes
        return .object([
            "thingGroupName": .text(name), "thingGroupId": .text(group.id), "thingGroupArn": .text(Self.arn("thinggroup", name)),
            "version": .number(Int(group.version)),
            "thingGroupProperties": .object([
                "thingGroupDescription": group.properties.description.map { .text($0) },
                "attributePayload": attributes.isEmpty ? nil : .object(["attributes": .texts(attributes)]),
            ]),
            "thingGroupMetadata": .object([
                "parentGroupName": group.parent.map { .text($0) }, "creationDate": .seconds(milliseconds: group.createdMilliseconds),
                "rootToParentThingGroups": ancestors.isEmpty ? nil : .list(ancestors.reversed().map(Self.groupRow)),
            ]),
        ])
    }

    private static func groupRow(_ name: String) -> AnswerDocument {
        .object(["groupName": .text(name), "groupArn": .text(arn("thinggroup", name))])
    }

    func updateThingGroup(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let members = try request.members("thingGroupProperties", "expectedVersion")
        guard members.has("thingGroupProperties") else { throw Self.invalid("thingGroupProperties is missing.") }
        let properties = try Self.properties(members)
        let (name, expected) = (request.name, try members.integer("expectedVersion").map { Int64($0) })
        let version = try await change { (table, _) throws(ControlError) in
            try table.updateGroup(
                name, description: properties.description, attributes: properties.attributes, merge: properties.merge, expected: expected)
        }
        return .object(["version": .number(Int(version))])
    }

    func deleteThingGroup(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check("expectedVersion")
        let (name, version) = (request.name, try Self.expectedVersion(request))
        try await change { (table, _) throws(ControlError) in try table.deleteGroup(name, expected: version) }
        return .object([:])
    }

    func listThingGroups(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("maxResults", "nextToken", "parentGroup", "namePrefixFilter", "recursive")
        let (parent, prefix) = (request.query["parentGroup"], request.query["namePrefixFilter"] ?? "")
        let recursive = try request.flag("recursive") ?? true
        let names = try look { (table) throws(ControlError) in
            if let parent { _ = try table.group(parent) }
            let inside = recursive ? parent.map { table.family(of: $0).subtracting([$0]) } : nil
            return table.groups.values.filter { group in
                guard group.name.hasPrefix(prefix) else { return false }
                return inside?.contains(group.name) ?? (recursive || group.parent == parent)
            }.map(\.name).sorted()
        }
        return try Self.page(names.map { (key: $0, row: Self.groupRow($0)) }, request, names: PageNames(rows: "thingGroups"))
    }

    // MARK: - Things

    /// The name that a call gives by itself or in an ARN.
    private static func name(_ members: RequestMembers, _ kind: String, _ member: String, _ arnMember: String) throws(ServiceError)
        -> String
    {
        let name = try members.text(member)
        guard let text = try members.text(arnMember) else {
            if let name { return name }
            throw invalid("\(member) or \(arnMember) is missing.")
        }
        let inARN = try resourceName(in: text, kind)
        guard name == nil || name == inARN else { throw invalid("\(member) and \(arnMember) are of two.") }
        return inARN
    }

    private func move(_ request: Request, isAdded: Bool) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        // There are no dynamic groups that would have to make room.
        let members = try request.members("thingGroupName", "thingGroupArn", "thingName", "thingArn", "overrideDynamicGroups")
        let (thing, group) = (
            try Self.name(members, "thing", "thingName", "thingArn"),
            try Self.name(members, "thinggroup", "thingGroupName", "thingGroupArn")
        )
        try await change { (table, _) throws(ControlError) in
            if isAdded { try table.add(thing, toGroup: group) } else { try table.remove(thing, fromGroup: group) }
        }
        return .object([:])
    }

    func addThingToThingGroup(_ request: Request) async throws(ServiceError) -> AnswerDocument? { try await move(request, isAdded: true) }

    func removeThingFromThingGroup(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try await move(request, isAdded: false)
    }

    func listThingsInThingGroup(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("recursive", "maxResults", "nextToken")
        let (name, recursive) = (request.name, try request.flag("recursive") ?? false)
        let names = try look { (table) throws(ControlError) in
            _ = try table.group(name)
            let groups = recursive ? table.family(of: name) : [name]
            return table.things.values.filter { !groups.isDisjoint(with: $0.groups) }.map(\.name).sorted()
        }
        return try Self.page(names.map { (key: $0, row: .text($0)) }, request, names: PageNames(rows: "things"))
    }

    func listThingGroupsForThing(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("maxResults", "nextToken")
        let name = request.name
        let names = try look { (table) throws(ControlError) in try table.thing(name).groups.sorted() }
        return try Self.page(names.map { (key: $0, row: Self.groupRow($0)) }, request, names: PageNames(rows: "thingGroups"))
    }
}
