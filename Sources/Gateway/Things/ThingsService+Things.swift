import EventBus
import Rules
import Things

/// The operations on things, and on what belongs to them.
extension ThingsService {
    func createThing(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try Self.check(request.name, .thingName, at: "thingName")
        try request.check()
        let members = try request.members("attributePayload", "thingTypeName")
        let attributes = try Self.attributes(members)?.attributes ?? [:]
        let (name, type, id) = (request.name, try members.text("thingTypeName"), registry.makeID())
        let thing = try await change { (table, _) throws(ControlError) in
            try table.createThing(name, attributes: attributes, type: type, id: id)
        }
        return .object([
            "thingName": .text(thing.name), "thingArn": .text(Self.arn("thing", thing.name)), "thingId": .text(thing.id),
        ])
    }

    static func attributes(_ members: RequestMembers) throws(ServiceError) -> (attributes: [String: String]?, merge: Bool)? {
        guard let payload = try members.object("attributePayload", known: ["attributes", "merge"]) else { return nil }
        return (try payload.textMap("attributes"), try payload.boolean("merge") ?? false)
    }

    func describeThing(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let name = request.name
        let thing = try look { (table) throws(ControlError) in try table.thing(name) }
        return .object([
            "defaultClientId": .text(thing.name), "thingName": .text(thing.name), "thingId": .text(thing.id),
            "thingArn": .text(Self.arn("thing", thing.name)), "attributes": .texts(thing.attributes),
            "version": .number(Int(thing.version)), "thingTypeName": thing.type.map { .text($0) },
        ])
    }

    func updateThing(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let members = try request.members("attributePayload", "expectedVersion", "thingTypeName", "removeThingType")
        let payload = try Self.attributes(members)
        let expected = try members.integer("expectedVersion").map { Int64($0) }
        let (name, type) = (request.name, try Self.typeChange(members))
        try await change { (table, _) throws(ControlError) in
            try table.updateThing(name, attributes: payload?.attributes, merge: payload?.merge ?? false, type: type, expected: expected)
        }
        return .object([:])
    }

    private static func typeChange(_ members: RequestMembers) throws(ServiceError) -> ThingTable.TypeChange {
        let type = try members.text("thingTypeName")
        guard try members.boolean("removeThingType") ?? false else { return type.map { .set($0) } ?? .keep }
        guard type == nil else { throw invalid("thingTypeName and removeThingType cannot both be given.") }
        return .remove
    }

    func deleteThing(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check("expectedVersion")
        let (name, version) = (request.name, try Self.expectedVersion(request))
        try await change { (table, _) throws(ControlError) in try table.deleteThing(name, expected: version) }
        return .object([:])
    }

    static func expectedVersion(_ request: Request) throws(ServiceError) -> Int64? {
        guard let text = request.query["expectedVersion"] else { return nil }
        guard let number = Int64(text) else { throw invalid("expectedVersion must be a number.") }
        return number
    }

    func listThings(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("maxResults", "nextToken", "attributeName", "attributeValue", "usePrefixAttributeValue", "thingTypeName")
        let (name, value, type) = (request.query["attributeName"], request.query["attributeValue"], request.query["thingTypeName"])
        let isPrefix = try request.flag("usePrefixAttributeValue") ?? false
        guard value == nil || name != nil else { throw Self.invalid("attributeValue needs attributeName.") }
        let things = try look { (table) in table.things.values.sorted { $0.name < $1.name } }.filter { thing in
            guard type == nil || thing.type == type else { return false }
            guard let name else { return true }
            guard let actual = thing.attributes[name] else { return false }
            guard let value else { return true }
            return isPrefix ? actual.hasPrefix(value) : actual == value
        }
        let rows = things.map { thing in
            (
                key: thing.name,
                row: AnswerDocument.object([
                    "thingName": .text(thing.name), "thingArn": .text(Self.arn("thing", thing.name)),
                    "attributes": .texts(thing.attributes), "version": .number(Int(thing.version)),
                    "thingTypeName": thing.type.map { .text($0) },
                ])
            )
        }
        return try Self.page(rows, request, names: PageNames(rows: "things"))
    }

    // MARK: - Principals

    private func principal(_ request: Request) throws(ServiceError) -> String {
        guard let principal = request.principal else { throw Self.invalid("The header x-amzn-principal is missing.") }
        return try Self.certificateID(inARN: principal)
    }

    /// The one kind of relation that there is: a certificate may be of several things.
    private static let relation = "NON_EXCLUSIVE_THING"

    /// The kind of relation that a call names; nil where it names none.
    private static func relation(_ request: Request) throws(ServiceError) -> String? {
        guard let kind = request.query["thingPrincipalType"] else { return nil }
        guard [relation, "EXCLUSIVE_THING"].contains(kind) else {
            throw invalid("thingPrincipalType is \(kind.prefix(64)), but must be EXCLUSIVE_THING or \(relation).")
        }
        return kind
    }

    func attachThingPrincipal(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check("thingPrincipalType")
        if let kind = try Self.relation(request), kind != Self.relation {
            throw Self.invalid("thingPrincipalType \(kind) is not supported by Crema; there is \(Self.relation).")
        }
        let (name, id) = (request.name, try principal(request))
        try await change { (table, _) throws(ControlError) in try table.attach(id, toThing: name) }
        return .object([:])
    }

    func detachThingPrincipal(_ request: Request) async throws(ServiceError) -> AnswerDocument? {
        try request.check()
        let (name, id) = (request.name, try principal(request))
        try await change { (table, _) throws(ControlError) in try table.detach(id, fromThing: name) }
        return .object([:])
    }

    private func principals(ofThing name: String) throws(ServiceError) -> [String] {
        try look { (table) throws(ControlError) in
            _ = try table.thing(name)
            return table.certificates(ofThing: name).map(\.id)
        }
    }

    func listThingPrincipalsV2(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("maxResults", "nextToken", "thingPrincipalType")
        let (ids, kind) = (try principals(ofThing: request.name), try Self.relation(request) ?? Self.relation)
        let rows = (kind == Self.relation ? ids : []).map { id in
            (
                key: id,
                row: AnswerDocument.object([
                    "principal": .text(Self.arn("cert", id)), "thingPrincipalType": .text(Self.relation),
                ])
            )
        }
        return try Self.page(rows, request, names: PageNames(rows: "thingPrincipalObjects"))
    }

    func listThingPrincipals(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("maxResults", "nextToken")
        let rows = try principals(ofThing: request.name).map { (key: $0, row: AnswerDocument.text(Self.arn("cert", $0))) }
        return try Self.page(rows, request, names: PageNames(rows: "principals"))
    }

    func listPrincipalThings(_ request: Request) throws(ServiceError) -> AnswerDocument? {
        try request.check("maxResults", "nextToken")
        let id = try principal(request)
        let names = try look { (table) throws(ControlError) in try table.certificate(id).things.sorted() }
        return try Self.page(names.map { (key: $0, row: .text($0)) }, request, names: PageNames(rows: "things"))
    }
}
