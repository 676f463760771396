import CremaTesting
import Documents
import EventBus
import Records
import Rights
import Testing
import Things
import Trust

@Suite struct ThingRegistryTests {
    private let topic = "arn:aws:iot:us-east-1:000000000000:topic/"

    @Test("Threat 64: a policy speaks for a certificate as long as it is attached, and for no other of the same name")
    func attachments() throws {
        let fixture = try ThingFixture()
        try fixture.policy("orders", "iot:Publish", topic + "orders")
        let (one, other) = (try fixture.register("barista"), try fixture.register("barista"))
        func mayPublish(_ certificate: String?) -> Bool {
            fixture.grants("c", "barista", certificate: certificate).decide(.publish, "orders").isAllowed
        }
        #expect(!mayPublish(one))
        try fixture.change { (table) throws(ControlError) in try table.attach(policy: "orders", to: one) }
        #expect(mayPublish(one) && !mayPublish(other) && !mayPublish(nil) && !mayPublish("unknown"))
        try fixture.change { (table) throws(ControlError) in try table.detach(policy: "orders", from: one) }
        #expect(!mayPublish(one))
    }

    @Test(
        "Threat 64: who shows a certificate that is not active may do nothing, whatever a template says",
        arguments: [
            RegisteredCertificate.Status.inactive, .revoked,
        ])
    func status(status: RegisteredCertificate.Status) throws {
        let place = SourceLocation(file: "crema.yaml")
        let fixture = try ThingFixture(attached: [.init(principal: "*", policies: [.init("base", at: place)])])
        let id = try fixture.register("barista")
        func mayConnect() -> Bool { fixture.grants("c", "barista", certificate: id).decide(.connect, "c").isAllowed }
        #expect(mayConnect())
        try fixture.change { (table) throws(ControlError) in try table.setStatus(status, of: id, now: 2) }
        #expect(!mayConnect())
        let refusal = fixture.grants("c", "barista", certificate: id).decide(.connect, "c").refusal(of: .connect, "c")
        #expect(refusal?.contains("certificate is \(status.rawValue)") == true)
        // Another certificate, and a password, of the same name are not this one.
        #expect(fixture.grants("c", "barista", certificate: "another").decide(.connect, "c").isAllowed)
        try fixture.change { (table) throws(ControlError) in try table.setStatus(.active, of: id, now: 3) }
        #expect(mayConnect())
    }

    @Test("Threat 64: a certificate that was taken back does not come again by another signature of the same")
    func otherSignature() throws {
        let fixture = try ThingFixture(attached: [.init(principal: "*", policies: [.init("base", at: SourceLocation(file: "crema.yaml"))])])
        let registered = try RegisteredCertificate(try ThingFixture.certificate("barista"), status: .active, now: 1)
        try fixture.change { (table) throws(ControlError) in
            try table.register(registered)
            try table.setStatus(.revoked, of: registered.id, now: 2)
        }
        var der = registered.certificate.der
        der[der.count - 1] ^= 1  // in the second number of the signature
        let other = try Certificate(der: der)
        #expect(other.fingerprint != registered.certificate.fingerprint)
        #expect(!fixture.grants("c", "barista", certificate: other.contentFingerprint).decide(.connect, "c").isAllowed)
        let again = try RegisteredCertificate(other, status: .active, now: 3)
        #expect(fixture.code { (table) throws(ControlError) in try table.register(again) } == .resourceAlreadyExists)
    }

    @Test("Threat 64: where a policy was that cannot be read, rights are asked for, and whoever has it may do nothing")
    func unreadablePolicy() throws {
        let store = RecordsInMemory()
        let before = try ThingFixture(template: nil, attached: [], store: store)
        try before.policy("p", "iot:Connect", "*")
        let id = try before.register("barista")
        try before.change { (table) throws(ControlError) in try table.attach(policy: "p", to: id) }
        #expect(before.grants("c", "barista", certificate: id).decide(.connect, "c").isAllowed)
        let records = store.records.map { record in
            var fields = record.fields
            // As of a Crema that knows an action more.
            if record.key.kind == .policy, let place = fields.firstRange(of: Array("iot:Connect".utf8)) {
                fields[place.lowerBound + 4] = 0x58
            }
            return KeptRecord(record.key, fields)
        }
        let after = try ThingFixture(template: nil, attached: [])
        #expect(try after.registry.restore(records).leftOut.count == 1)
        #expect(!after.registry.lacksBase)
        // Where the configuration asks for no rights any more, the broker does not start.
        let without = try ThingFixture(template: nil)
        _ = try without.registry.restore(records)
        #expect(without.registry.lacksBase)
        #expect(!after.grants("c", "barista", certificate: id).decide(.connect, "c").isAllowed)
        #expect(!after.grants("d", "other", certificate: "another").decide(.connect, "d").isAllowed)
        #expect(throws: ControlError.self) { try after.policy("p", "iot:Connect", "*") }
        // It goes as any other does, and with it what it stood for.
        #expect(after.code { (table) throws(ControlError) in try table.deletePolicy("p") } == .deleteConflict)
        try after.change { (table) throws(ControlError) in
            try table.detach(policy: "p", from: id)
            try table.deletePolicy("p")
        }
        try after.policy("p", "iot:Connect", "*")
        try after.change { (table) throws(ControlError) in try table.attach(policy: "p", to: id) }
        #expect(after.grants("c", "barista", certificate: id).decide(.connect, "c").isAllowed)
    }

    @Test("A policy that was taken before is taken again, though its like would be refused by now")
    func formerPolicies() throws {
        let store = RecordsInMemory()
        let before = try ThingFixture(store: store)
        let text = ThingFixture.document("iot:Connect", "*").replacing(#""Version""#, with: #""Id":"xy","Version""#)
        let origin = before.registry.origin("CreatePolicy")
        try before.change { (table) throws(ControlError) in try table.createPolicy("p", text, at: origin, now: 1) }
        let records = store.records.map { record in
            var fields = record.fields
            if let place = fields.firstRange(of: Array(#""xy""#.utf8)) { fields.replaceSubrange(place, with: Array("null".utf8)) }
            return KeptRecord(record.key, fields)
        }
        let after = try ThingFixture()
        #expect(try after.registry.restore(records).leftOut == [])
        let refused = text.replacing(#""xy""#, with: "null")
        #expect(after.code { (table) throws(ControlError) in try table.createPolicy("q", refused, at: origin, now: 1) } == .malformedPolicy)
    }

    @Test("A policy is made for nobody who had another one of its name")
    func danglingAttachment() throws {
        let fixture = try ThingFixture()
        let id = try fixture.register("barista")
        try fixture.change { (table) throws(ControlError) in try table.attach(policy: "base", to: id) }
        fixture.registry.replace(policies: try PolicyBook(templates: [], attached: []))
        #expect(throws: ControlError.self) { try fixture.policy("base", "iot:Publish", "*") }
        try fixture.change { (table) throws(ControlError) in try table.detach(policy: "base", from: id) }
        try fixture.policy("base", "iot:Publish", "*")
    }

    @Test("A thing is who connects by its name with a certificate of its, and nobody else")
    func things() throws {
        let fixture = try ThingFixture()
        try fixture.policy("own", "iot:Publish", topic + "${iot:Connection.Thing.ThingName}/status")
        let id = try fixture.register("holder")
        try fixture.change { (table) throws(ControlError) in
            try table.attach(policy: "own", to: id)
            _ = try table.createThing("K", attributes: [:], id: "1")
            try table.attach(id, toThing: "K")
        }
        func mayPublish(_ topic: String, as clientID: String, _ certificate: String?) -> Bool {
            fixture.grants(clientID, "holder", certificate: certificate).decide(.publish, topic).isAllowed
        }
        #expect(mayPublish("K/status", as: "K", id))
        #expect(!mayPublish("K/status", as: "other", id) && !mayPublish("other/status", as: "other", id))
        // To `String` this is the same name, and to nobody else.
        #expect(!mayPublish("\u{212A}/status", as: "\u{212A}", id) && !mayPublish("K/status", as: "\u{212A}", id))
        #expect(!mayPublish("K/status", as: "K", nil))
        try fixture.change { (table) throws(ControlError) in try table.detach(id, fromThing: "K") }
        #expect(!mayPublish("K/status", as: "K", id))
    }

    @Test("Of a client that is away since a restart the name stands for its certificates")
    func away() throws {
        let fixture = try ThingFixture()
        try fixture.policy("orders", "iot:Receive", topic + "orders")
        let id = try fixture.register("barista")
        try fixture.change { (table) throws(ControlError) in try table.attach(policy: "orders", to: id) }
        #expect(fixture.grantsWhileAway("c", "barista").decide(.receive, "orders").isAllowed)
        #expect(!fixture.grantsWhileAway("c", "other").decide(.receive, "orders").isAllowed)
        #expect(!fixture.grantsWhileAway("c", nil).decide(.receive, "orders").isAllowed)
        try fixture.change { (table) throws(ControlError) in try table.setStatus(.revoked, of: id, now: 2) }
        #expect(!fixture.grantsWhileAway("c", "barista").decide(.receive, "orders").isAllowed)
    }

    @Test func oneVersionOfAPolicyIsInForce() throws {
        let fixture = try ThingFixture()
        try fixture.policy("p", "iot:Publish", topic + "one")
        let id = try fixture.register("barista")
        let origin = fixture.registry.origin("CreatePolicyVersion")
        func version(_ topic: String, _ setAsDefault: Bool) throws(ControlError) -> Int {
            let text = ThingFixture.document("iot:Publish", self.topic + topic)
            return try fixture.change { (table) throws(ControlError) in
                try table.createVersion(of: "p", text, setAsDefault: setAsDefault, at: origin, now: 2)
            }
        }
        func topics() -> [String] {
            ["one", "two", "three"].filter { fixture.grants("c", "b", certificate: id).decide(.publish, $0).isAllowed }
        }
        try fixture.change { (table) throws(ControlError) in try table.attach(policy: "p", to: id) }
        #expect(try version("two", false) == 2 && topics() == ["one"])
        #expect(try version("three", true) == 3 && topics() == ["three"])
        try fixture.change { (table) throws(ControlError) in try table.setDefaultVersion(of: "p", 2, now: 3) }
        #expect(topics() == ["two"])
        #expect(fixture.code { (table) throws(ControlError) in try table.deleteVersion(of: "p", 2) } == .deleteConflict)
        #expect(fixture.code { (table) throws(ControlError) in try table.deleteVersion(of: "p", 9) } == .resourceNotFound)
        try fixture.change { (table) throws(ControlError) in try table.deleteVersion(of: "p", 3) }
        #expect(try version("three", false) == 4, "a number is not used again")
        _ = try version("one", false)
        _ = try version("one", false)
        #expect(throws: ControlError.self) { try version("one", false) }
    }

    @Test func whatIsAttachedStays() throws {
        let fixture = try ThingFixture()
        try fixture.policy("p", "iot:Publish", topic + "x")
        try fixture.policy("q", "iot:Publish", topic + "x")
        let id = try fixture.register("barista")
        try fixture.change { (table) throws(ControlError) in
            _ = try table.createThing("t", attributes: ["a": "1"], id: "1")
            try table.attach(id, toThing: "t")
            try table.attach(policy: "p", to: id)
        }
        #expect(fixture.code { (table) throws(ControlError) in try table.deletePolicy("p") } == .deleteConflict)
        #expect(fixture.code { (table) throws(ControlError) in try table.deleteThing("t", expected: nil) } == .invalidRequest)
        #expect(fixture.code { (table) throws(ControlError) in try table.deleteCertificate(id, force: true) } == .certificateState)
        try fixture.change { (table) throws(ControlError) in try table.setStatus(.inactive, of: id, now: 2) }
        #expect(fixture.code { (table) throws(ControlError) in try table.deleteCertificate(id, force: true) } == .deleteConflict)
        try fixture.change { (table) throws(ControlError) in try table.detach(id, fromThing: "t") }
        #expect(fixture.code { (table) throws(ControlError) in try table.deleteCertificate(id, force: false) } == .deleteConflict)
        try fixture.change { (table) throws(ControlError) in try table.deleteCertificate(id, force: true) }
        try fixture.change { (table) throws(ControlError) in try table.deletePolicy("p") }
        try fixture.change { (table) throws(ControlError) in try table.deletePolicy("q") }
        #expect(fixture.code { (table) throws(ControlError) in try table.deleteThing("t", expected: 2) } == .versionConflict)
        try fixture.change { (table) throws(ControlError) in try table.deleteThing("t", expected: 1) }
        try fixture.change { (table) throws(ControlError) in try table.deleteThing("t", expected: 1) }
    }

    @Test func aTemplatesPolicyIsAttachedAndNeverChanged() throws {
        let fixture = try ThingFixture()
        let id = try fixture.register("barista")
        #expect(!fixture.grants("c", "b", certificate: id).decide(.connect, "c").isAllowed)
        try fixture.change { (table) throws(ControlError) in try table.attach(policy: "base", to: id) }
        #expect(fixture.grants("c", "b", certificate: id).decide(.connect, "c").isAllowed)
        #expect(fixture.code { (table) throws(ControlError) in try table.deletePolicy("base") } == .invalidRequest)
        #expect(throws: ControlError.self) { try fixture.policy("base", "iot:Publish", topic + "x") }
    }

    @Test func attributesOfAThing() throws {
        var limits = ThingLimits()
        (limits.thingAttributesMax, limits.thingAttributeBytesMax) = (3, 20)
        let fixture = try ThingFixture(limits: limits)
        func update(_ attributes: [String: String], merge: Bool) throws(ControlError) {
            try fixture.change { (table) throws(ControlError) in
                try table.updateThing("t", attributes: attributes, merge: merge, expected: nil)
            }
        }
        func attributes() throws -> [String: String] {
            try fixture.registry.look { (table) throws(ControlError) in try table.thing("t").attributes }
        }
        try fixture.change { (table) throws(ControlError) in _ = try table.createThing("t", attributes: ["a": "1", "b": ""], id: "1") }
        #expect(try attributes() == ["a": "1"])
        try update(["b": "2"], merge: true)
        #expect(try attributes() == ["a": "1", "b": "2"])
        try update(["a": "", "c": "3"], merge: true)
        #expect(try attributes() == ["b": "2", "c": "3"])
        try update(["d": "4"], merge: false)
        #expect(try attributes() == ["d": "4"])
        for bad in [
            ["a": "1", "b": "2", "c": "3", "d": "4"], ["long": String(repeating: "x", count: 17)], ["a b": "1"], ["a": "é"],
        ] {
            #expect(throws: ControlError.self) { try update(bad, merge: false) }
        }
        #expect(try attributes() == ["d": "4"])
        // The same again is no second thing, and another is none in its place.
        #expect(
            try fixture.change { (table) throws(ControlError) in try table.createThing("t", attributes: ["d": "4"], id: "2") }.id == "1")
        let other = fixture.code { (table) throws(ControlError) in _ = try table.createThing("t", attributes: [:], id: "2") }
        #expect(other == .resourceAlreadyExists)
    }

    @Test("Each limit is kept to")
    func limits() throws {
        var limits = ThingLimits()
        (limits.thingsMax, limits.registeredCertificatesMax, limits.iotPoliciesMax) = (1, 1, 2)
        (limits.certificatePoliciesMax, limits.iotPolicyBytesMax, limits.thingPrincipalsMax) = (1, 200, 0)
        let fixture = try ThingFixture(limits: limits)
        let id = try fixture.register("one")
        #expect(throws: ControlError.self) { try fixture.register("two") }
        try fixture.change { (table) throws(ControlError) in _ = try table.createThing("t", attributes: [:], id: "1") }
        #expect(
            fixture.code { (table) throws(ControlError) in _ = try table.createThing("u", attributes: [:], id: "2") } == .invalidRequest)
        #expect(fixture.code { (table) throws(ControlError) in try table.attach(id, toThing: "t") } == .invalidRequest)
        try fixture.policy("p", "iot:Publish", topic + "x")
        #expect(throws: ControlError.self) { try fixture.policy("long", "iot:Publish", topic + String(repeating: "x", count: 200)) }
        try fixture.policy("q", "iot:Publish", topic + "x")
        #expect(throws: ControlError.self) { try fixture.policy("r", "iot:Publish", topic + "x") }
        try fixture.change { (table) throws(ControlError) in try table.attach(policy: "p", to: id) }
        #expect(fixture.code { (table) throws(ControlError) in try table.attach(policy: "q", to: id) } == .limitExceeded)
    }

    @Test(arguments: [
        "{", "[]", #"{"Version":"2012-10-17"}"#, ThingFixture.document("iot:Fly", "*"), ThingFixture.document("iot:Publish", "nothing"),
        ThingFixture.document("iot:Publish", "arn:aws:iot:r:a:topic/${iot:Nobody}"), ThingFixture.document("iot:Publish", "*", effect: "x"),
    ])
    func aMalformedPolicyIsRefused(text: String) throws {
        let fixture = try ThingFixture()
        let origin = fixture.registry.origin("CreatePolicy")
        let code = fixture.code { (table) throws(ControlError) in try table.createPolicy("p", text, at: origin, now: 1) }
        #expect(code == .malformedPolicy)
    }

    @Test("What came by API is there after a restart, and in force")
    func restarts() throws {
        let store = RecordsInMemory()
        let before = try ThingFixture(store: store)
        try before.policy("p", "iot:Publish", topic + "x")
        let origin = before.registry.origin("CreatePolicyVersion")
        let text = ThingFixture.document("iot:Publish", topic + "y")
        let (active, revoked) = (try before.register("barista"), try before.register("gone", .revoked))
        try before.change { (table) throws(ControlError) in
            _ = try table.createVersion(of: "p", text, setAsDefault: true, at: origin, now: 2)
            try table.attach(policy: "p", to: active)
            _ = try table.createThing("t", attributes: ["a": "1"], id: "id")
            try table.attach(active, toThing: "t")
            _ = try table.createThing("u", attributes: [:], id: "other")
            try table.deleteThing("u", expected: nil)
        }
        let after = try ThingFixture(store: store)
        let (count, leftOut) = try after.registry.restore(store.records)
        #expect(count == 4 && leftOut == [])
        #expect(after.grants("c", "barista", certificate: active).decide(.publish, "y").isAllowed)
        #expect(!after.grants("c", "barista", certificate: active).decide(.publish, "x").isAllowed)
        #expect(!after.grants("c", "gone", certificate: revoked).decide(.connect, "c").isAllowed)
        let (thing, certificates, versions) = try after.registry.look { (table) throws(ControlError) in
            (try table.thing("t"), table.certificates(ofThing: "t").map(\.id), table.policies["p"]?.versions.map(\.number))
        }
        #expect(thing.attributes == ["a": "1"] && thing.id == "id" && certificates == [active] && versions == [1, 2])
        // A template that declares the name by now has the word.
        let declared = ThingFixture.template.replacing("PolicyName: base", with: "PolicyName: p")
        let later = try ThingFixture(template: declared, store: store)
        #expect(try later.registry.restore(store.records).leftOut.map { $0.hasPrefix("the policy p: a template declares it") } == [true])
        #expect(!later.grants("c", "barista", certificate: active).decide(.publish, "y").isAllowed)
    }

    @Test("While the store takes nothing, nothing changes")
    func failingStore() throws {
        let store = RecordsInMemory()
        let fixture = try ThingFixture(store: store)
        store.isFailing = true
        #expect(throws: ControlError.notKept) { try fixture.policy("p", "iot:Publish", topic + "x") }
        store.isFailing = false
        #expect(store.records.isEmpty)
    }

    @Test("A reload may not declare a policy that came by API")
    func reloads() throws {
        let fixture = try ThingFixture()
        try fixture.policy("p", "iot:Publish", topic + "x")
        let declared = ThingFixture.template.replacing("PolicyName: base", with: "PolicyName: p")
        let book = try PolicyBook(templates: [try TemplateDocument(file: "t.yaml", text: declared, parameters: [:])], attached: nil)
        let error = #expect(throws: DocumentError.self) { try fixture.registry.check(book) }
        #expect(error?.description.contains("exists already, by CreatePolicy") == true)
        try fixture.registry.check(fixture.book)
    }
}
