import CremaTesting
import Documents
import EventBus
import Records
import Rights
import Testing
import Things

/// Groups and types of things, and what they mean for who may do what.
@Suite struct ThingGroupTests {
    private let topic = "arn:aws:iot:us-east-1:000000000000:topic/"

    /// A thing `till` of a certificate, and groups `shop` and, in it, `floor`.
    private func staged(store: RecordsInMemory? = nil) throws -> (fixture: ThingFixture, certificate: String) {
        let fixture = try ThingFixture(store: store)
        let id = try fixture.register("holder")
        try fixture.change { (table) throws(ControlError) in
            _ = try table.createThing("till", attributes: ["floor": "1", "path": "a/b"], id: "1")
            _ = try table.createThing("other", attributes: [:], id: "2")
            try table.attach(id, toThing: "till")
            _ = try table.createGroup(Self.group("shop"))
            _ = try table.createGroup(Self.group("floor", in: "shop"))
        }
        return (fixture, id)
    }

    private static func group(_ name: String, in parent: String? = nil, description: String? = nil) -> ThingGroup {
        ThingGroup(name: name, id: name, parent: parent, properties: .init(description: description), createdMilliseconds: 1)
    }

    @Test("Threat 64: a policy of a group, or of one above it, counts for who is a thing in it, as long as all of that holds")
    func policies() throws {
        let (fixture, id) = try staged()
        try fixture.policy("orders", "iot:Publish", topic + "orders")
        func mayPublish(_ certificate: String?, as clientID: String = "till") -> Bool {
            fixture.grants(clientID, "holder", certificate: certificate).decide(.publish, "orders").isAllowed
        }
        try fixture.change { (table) throws(ControlError) in try table.attach(policy: "orders", toGroup: "shop") }
        #expect(!mayPublish(id))
        try fixture.change { (table) throws(ControlError) in try table.add("till", toGroup: "floor") }
        #expect(mayPublish(id))
        // Who connects by another name, or shows another certificate, is not the thing.
        #expect(!mayPublish(id, as: "other") && !mayPublish(nil) && !mayPublish("unknown"))
        #expect(fixture.grantsWhileAway("till", "holder").decide(.publish, "orders").isAllowed)
        let steps: [(String, (inout ThingTable) throws(ControlError) -> Void, (inout ThingTable) throws(ControlError) -> Void)] = [
            (
                "out of the group", { (table) throws(ControlError) in try table.remove("till", fromGroup: "floor") },
                { (table) throws(ControlError) in try table.add("till", toGroup: "floor") }
            ),
            (
                "from the group", { (table) throws(ControlError) in try table.detach(policy: "orders", fromGroup: "shop") },
                { (table) throws(ControlError) in try table.attach(policy: "orders", toGroup: "shop") }
            ),
            (
                "of the thing", { (table) throws(ControlError) in try table.detach(id, fromThing: "till") },
                { (table) throws(ControlError) in try table.attach(id, toThing: "till") }
            ),
            ("with the group", { (table) throws(ControlError) in try table.deleteGroup("floor", expected: nil) }, { _ in }),
        ]
        for (what, take, give) in steps {
            #expect(try fixture.registry.change { (table, _) throws(ControlError) in try take(&table) }.hasChangedRights, "\(what)")
            #expect(!mayPublish(id), "\(what)")
            try fixture.change(give)
        }
        #expect(try fixture.registry.look { (table) throws(ControlError) in try table.thing("till").groups } == [])
    }

    @Test("Threat 64: a policy of a group denies what another allows") func denials() throws {
        let (fixture, id) = try staged()
        try fixture.policy("orders", "iot:Publish", topic + "orders")
        try fixture.policy("closed", "iot:*", "*", effect: "Deny")
        try fixture.change { (table) throws(ControlError) in
            try table.attach(policy: "orders", to: id)
            try table.attach(policy: "closed", toGroup: "floor")
        }
        func mayPublish() -> Bool { fixture.grants("till", "holder", certificate: id).decide(.publish, "orders").isAllowed }
        #expect(mayPublish())
        try fixture.change { (table) throws(ControlError) in try table.add("till", toGroup: "floor") }
        #expect(!mayPublish())
    }

    @Test("Threat 64: whoever is a thing in a group with a policy that cannot be read may do nothing") func unreadablePolicy() throws {
        let store = RecordsInMemory()
        let (before, id) = try staged(store: store)
        try before.policy("all", "iot:*", "*")
        try before.policy("p", "iot:Connect", "*")
        try before.change { (table) throws(ControlError) in
            try table.attach(policy: "all", to: id)
            try table.attach(policy: "p", toGroup: "shop")
            try table.add("till", toGroup: "floor")
        }
        let records = store.records.map { record in
            var fields = record.fields
            if record.key.kind == .policy, let place = fields.firstRange(of: Array("iot:Connect".utf8)) {
                fields[place.lowerBound + 4] = 0x58
            }
            return KeptRecord(record.key, fields)
        }
        let after = try ThingFixture()
        #expect(try after.registry.restore(records).leftOut.count == 1)
        #expect(!after.grants("till", "holder", certificate: id).decide(.connect, "till").isAllowed)
        #expect(after.grants("elsewhere", "holder", certificate: id).decide(.connect, "elsewhere").isAllowed)
        #expect(after.code { (table) throws(ControlError) in try table.deletePolicy("p") } == .deleteConflict)
        #expect(throws: ControlError.self) { try after.policy("p", "iot:Connect", "*") }
    }

    @Test("What is registered of a thing fills a policy's variables for who is that thing") func variables() throws {
        let (fixture, id) = try staged()
        let type = "${iot:Connection.Thing.ThingTypeName}"
        let attribute = "${iot:Connection.Thing.Attributes[floor]}"
        try fixture.policy("own", "iot:Publish", topic + "\(type)/\(attribute)")
        try fixture.policy("path", "iot:Publish", topic + "path/${iot:Connection.Thing.Attributes[path]}")
        try fixture.change { (table) throws(ControlError) in
            try table.attach(policy: "own", to: id)
            try table.attach(policy: "path", to: id)
            _ = try table.createType(Self.type("kiosk"))
        }
        func mayPublish(_ topic: String, as clientID: String = "till") -> Bool {
            fixture.grants(clientID, "holder", certificate: id).decide(.publish, topic).isAllowed
        }
        #expect(!mayPublish("kiosk/1"))
        func update(_ attributes: [String: String]?, _ type: ThingTable.TypeChange) throws -> Bool {
            try fixture.registry.change { (table, _) throws(ControlError) in
                try table.updateThing("till", attributes: attributes, merge: true, type: type, expected: nil)
            }.hasChangedRights
        }
        #expect(try update(nil, .set("kiosk")) && mayPublish("kiosk/1") && !mayPublish("kiosk/1", as: "other"))
        #expect(try !update(["floor": "1"], .keep))
        #expect(try update(["floor": "2"], .keep) && !mayPublish("kiosk/1") && mayPublish("kiosk/2"))
        // It could be part of the resources of others.
        #expect(!mayPublish("path/a/b"))
        #expect(try update(nil, .remove) && !mayPublish("kiosk/2"))
    }

    @Test func whatNoGroupMayBeIsRefused() throws {
        var limits = ThingLimits()
        (limits.thingGroupDepthMax, limits.thingGroupChildrenMax, limits.thingGroupsMax) = (3, 2, 7)
        (limits.thingGroupsOfThingMax, limits.thingGroupPoliciesMax) = (2, 1)
        let fixture = try ThingFixture(limits: limits)
        func made(_ name: String, in parent: String? = nil, description: String? = nil) -> ControlError.Code? {
            fixture.code { (table) throws(ControlError) in try table.createGroup(Self.group(name, in: parent, description: description)) }
        }
        #expect(made("a") == nil && made("a") == nil && made("a", description: "x") == .resourceAlreadyExists)
        #expect(made("b", in: "nothing") == .resourceNotFound && made("aa", in: "a") == nil && made("aaa", in: "aa") == nil)
        #expect(made("aaaa", in: "aaa") == .invalidRequest)
        #expect(made("ab", in: "a") == nil && made("ac", in: "a") == .limitExceeded)
        #expect(made("b") == nil && made("c") == nil && made("d") == nil && made("e") == .limitExceeded)
        try fixture.policy("p", "iot:Publish", "*")
        try fixture.policy("q", "iot:Publish", "*")
        try fixture.change { (table) throws(ControlError) in
            _ = try table.createThing("t", attributes: [:], id: "1")
            try table.attach(policy: "p", toGroup: "a")
        }
        func code(_ body: (inout ThingTable) throws(ControlError) -> Void) -> ControlError.Code? { fixture.code(body) }
        #expect(code { (table) throws(ControlError) in try table.attach(policy: "q", toGroup: "a") } == .limitExceeded)
        #expect(code { (table) throws(ControlError) in try table.attach(policy: "p", toGroup: "a") } == nil)
        #expect(code { (table) throws(ControlError) in try table.attach(policy: "r", toGroup: "b") } == .resourceNotFound)
        #expect(code { (table) throws(ControlError) in try table.deletePolicy("p") } == .deleteConflict)
        #expect(code { (table) throws(ControlError) in try table.add("t", toGroup: "aaa") } == nil)
        #expect(code { (table) throws(ControlError) in try table.add("t", toGroup: "ab") } == .invalidRequest, "of the same hierarchy")
        #expect(code { (table) throws(ControlError) in try table.add("t", toGroup: "b") } == nil)
        #expect(code { (table) throws(ControlError) in try table.add("t", toGroup: "c") } == .limitExceeded)
        #expect(code { (table) throws(ControlError) in try table.add("u", toGroup: "c") } == .resourceNotFound)
        #expect(code { (table) throws(ControlError) in try table.deleteGroup("aa", expected: nil) } == .invalidRequest)
        #expect(code { (table) throws(ControlError) in try table.deleteGroup("aaa", expected: 9) } == .versionConflict)
        #expect(code { (table) throws(ControlError) in try table.deleteGroup("aaa", expected: 1) } == nil)
        #expect(code { (table) throws(ControlError) in try table.deleteGroup("aaa", expected: nil) } == nil)
    }

    private static func type(_ name: String, description: String? = nil) -> ThingType {
        ThingType(name: name, id: name, description: description, searchableAttributes: [], createdMilliseconds: 1)
    }

    @Test func aTypeIsGivenUntilItIsDeprecatedAndGoesWhenNoThingHasIt() throws {
        var limits = ThingLimits()
        limits.thingTypesMax = 2
        let fixture = try ThingFixture(limits: limits)
        func code(_ body: (inout ThingTable) throws(ControlError) -> Void) -> ControlError.Code? { fixture.code(body) }
        func made(_ name: String, _ description: String? = nil) -> ControlError.Code? {
            code { (table) throws(ControlError) in _ = try table.createType(Self.type(name, description: description)) }
        }
        #expect(
            made("k") == nil && made("k") == nil && made("k", "x") == .resourceAlreadyExists && made("l") == nil
                && made("m") == .invalidRequest)
        func thing(_ name: String, _ type: String?) -> ControlError.Code? {
            code { (table) throws(ControlError) in _ = try table.createThing(name, attributes: [:], type: type, id: "1") }
        }
        #expect(thing("a", "k") == nil && thing("a", nil) == .resourceAlreadyExists && thing("b", "none") == .resourceNotFound)
        #expect(code { (table) throws(ControlError) in try table.deleteType("k") } == .invalidRequest)
        #expect(code { (table) throws(ControlError) in try table.deprecateType("k", undo: false, now: 2) } == nil)
        #expect(thing("c", "k") == .invalidRequest && thing("a", "k") == nil)
        #expect(code { (table) throws(ControlError) in try table.deleteType("k") } == .invalidRequest, "a thing has it")
        #expect(code { (table) throws(ControlError) in try table.deleteThing("a", expected: nil) } == nil)
        #expect(code { (table) throws(ControlError) in try table.deleteType("k") } == nil && made("k", "x") == nil)
    }

    @Test func groupsTypesAndWhoIsInThemAreKept() throws {
        let store = RecordsInMemory()
        let (before, id) = try staged(store: store)
        try before.policy("orders", "iot:Publish", topic + "orders")
        try before.change { (table) throws(ControlError) in
            _ = try table.createType(
                ThingType(name: "kiosk", id: "k", description: "d", searchableAttributes: ["floor"], createdMilliseconds: 3))
            try table.updateThing("till", attributes: nil, merge: false, type: .set("kiosk"), expected: nil)
            try table.deprecateType("kiosk", undo: false, now: 4)
            try table.attach(policy: "orders", toGroup: "shop")
            try table.add("till", toGroup: "floor")
            _ = try table.updateGroup("floor", description: "d", attributes: ["a": "b"], merge: false, expected: 1)
        }
        let after = try ThingFixture()
        #expect(try after.registry.restore(store.records).restored == 7)
        #expect(after.grants("till", "holder", certificate: id).decide(.publish, "orders").isAllowed)
        func known(_ fixture: ThingFixture) throws -> (Thing, ThingGroup, ThingGroup, ThingType) {
            try fixture.registry.look { (table) throws(ControlError) in
                (try table.thing("till"), try table.group("floor"), try table.group("shop"), try table.type("kiosk"))
            }
        }
        let (former, kept) = (try known(before), try known(after))
        #expect(kept.0 == former.0 && kept.1 == former.1 && kept.2 == former.2 && kept.3 == former.3)
        // What has neither type nor group can be read by a Crema that knows of none.
        let versions = store.records.filter { $0.key.kind == .thing }.map { ($0.key.bytes.count, $0.fields[0]) }
        #expect(versions.sorted { $0 < $1 }.map(\.1) == [2, 1])
    }
}
