import Testing

@testable import Rights

@Suite struct GrantsTests {
    private typealias Fixture = PolicyFixture

    private func allows(
        _ statements: [String], _ action: PolicyAction, _ name: String, clientID: String = "c", principal: String? = "p"
    ) throws -> Bool {
        let book = try Fixture.book("[\(statements.joined(separator: ", "))]")
        return book.grants(of: PolicySubject(clientID: clientID, principal: principal)).decide(action, name).isAllowed
    }

    @Test("What a statement allows is allowed, and nothing else")
    func allowed() throws {
        let statements = [Fixture.allow("iot:Publish", "topic/orders/*"), Fixture.allow("iot:Connect", "client/c")]
        #expect(try allows(statements, .publish, "orders/1"))
        #expect(try !allows(statements, .publish, "order"))
        #expect(try !allows(statements, .retainPublish, "orders/1"))
        #expect(try !allows(statements, .receive, "orders/1"))
        #expect(try !allows(statements, .subscribe, "orders/1"))
        #expect(try allows(statements, .connect, "c"))
        #expect(try !allows(statements, .connect, "d"))
    }

    @Test("A name alone has what its certificates have only while it is not known what its client had shown")
    func awaySinceARestart() throws {
        let book = try Fixture.book("[\(Fixture.allow("iot:Publish", "topic/t"))]", for: []).adding(
            RegisteredRights(certificates: ["id": .init(principal: "p", status: "ACTIVE", policies: ["P"])]))
        func allows(_ attributes: [String: String], isKnown: Bool) -> Bool {
            let subject = PolicySubject(clientID: "c", principal: "p", attributes: attributes, isKnown: isKnown)
            return book.grants(of: subject).decide(.publish, "t").isAllowed
        }
        #expect(allows([PolicySubject.certificateID: "id"], isKnown: true))
        #expect(allows([:], isKnown: false))
        #expect(!allows([:], isKnown: true), "by a password, say")
    }

    @Test("A denial wins, whatever its place")
    func denied() throws {
        let allow = Fixture.allow("iot:*", "*")
        let deny = Fixture.deny("iot:Publish", "topic/secret/*")
        for statements in [[allow, deny], [deny, allow]] {
            #expect(try !allows(statements, .publish, "secret/1"))
            #expect(try allows(statements, .publish, "open"))
            #expect(try allows(statements, .receive, "secret/1"))
        }
    }

    @Test(
        "The names of actions take wildcards and any case",
        arguments: ["iot:Publish", "IOT:publish", "iot:Pub*", "iot:*", "*", "iot:?ublish", "iot:*Publish"])
    func actions(_ action: String) throws {
        #expect(try allows([Fixture.allow(action, "*")], .publish, "t"))
    }

    @Test("MQTT's wildcards are characters of a grant, and a filter must lie within it")
    func filters() throws {
        let statement = Fixture.allow("iot:Subscribe", "topicfilter/orders/*", "topicfilter/shops/+/open", "topicfilter/days/?")
        for filter in ["orders/1", "orders/#", "orders/+/status", "shops/+/open", "days/1"] {
            #expect(try allows([statement], .subscribe, filter), "\(filter)")
        }
        for filter in ["orders", "#", "+/1", "shops/nyc/open", "shops/#", "days/+", "days/#"] {
            #expect(try !allows([statement], .subscribe, filter), "\(filter)")
        }
    }

    @Test("A filter with a wildcard does not get around a denial: there `?` is any one character")
    func deniedFilters() throws {
        let statements = [Fixture.allow("iot:*", "*"), Fixture.deny("iot:Subscribe", "topicfilter/room/?")]
        for filter in ["room/1", "room/+", "room/#"] { #expect(try !allows(statements, .subscribe, filter), "\(filter)") }
        for filter in ["room/10", "room", "rooms/+"] { #expect(try allows(statements, .subscribe, filter), "\(filter)") }
    }

    @Test("Variables stand for who asks")
    func variables() throws {
        let own = [
            Fixture.allow("iot:Publish", "topic/by-client/${iot:ClientId}", "topic/by-thing/${iot:Connection.Thing.ThingName}"),
            Fixture.allow("iot:Publish", "topic/by-principal/${crema:Principal}", "topic/${*}${?}${$}"),
        ]
        #expect(try allows(own, .publish, "by-client/c"))
        #expect(try !allows(own, .publish, "by-client/p"))
        #expect(try allows(own, .publish, "by-principal/p"))
        #expect(try !allows(own, .publish, "by-principal/c"))
        #expect(try !allows(own, .publish, "by-thing/c"))  // another name than it has proved
        #expect(try allows(own, .publish, "by-thing/p", clientID: "p"))
        #expect(try allows(own, .publish, "*?$"))
        #expect(try !allows(own, .publish, "abc"))
        #expect(try !allows(own, .publish, "by-principal/", principal: nil))
    }

    @Test(
        "A thing's name is the proved one byte by byte, not by Unicode's equivalence",
        arguments: [("K", "\u{212A}"), ("\u{E9}", "e\u{301}")])
    func equivalentThings(_ clientID: String, _ principal: String) throws {
        let own = [Fixture.allow("iot:Publish", "topic/${iot:Connection.Thing.ThingName}")]
        for (name, proved) in [(clientID, principal), (principal, clientID)] {
            #expect(try !allows(own, .publish, name, clientID: name, principal: proved))
            #expect(try allows(own, .publish, name, clientID: name, principal: name))
        }
    }

    @Test(
        "Threat 39: a client identifier with a wildcard or a slash in it stands for nothing",
        arguments: ["*", "a*", "?", "+", "#", "a/b", "../x", "$SYS", "", "a\0b"])
    func hostileNames(_ clientID: String) throws {
        let allow = [
            Fixture.allow("iot:Publish", "topic/x/${iot:ClientId}*"), Fixture.allow("iot:Subscribe", "topicfilter/${iot:ClientId}"),
        ]
        #expect(try !allows(allow, .publish, "x/\(clientID)", clientID: clientID))
        #expect(try !allows(allow, .publish, "x/victim", clientID: clientID))
        #expect(try !allows(allow, .subscribe, clientID, clientID: clientID))
        // And takes nothing back from what is denied.
        let deny = [Fixture.allow("iot:Publish", "*"), Fixture.deny("iot:Publish", "topic/x/${iot:ClientId}")]
        #expect(try !allows(deny, .publish, "x/victim", clientID: clientID))
    }

    @Test("Policies stand for those to whom they are attached")
    func holders() throws {
        let statement = "[\(Fixture.allow("iot:Publish", "*"))]"
        func allows(_ holders: [String?], _ principal: String?) throws -> Bool {
            try Fixture.book(statement, for: holders).grants(of: PolicySubject(clientID: "c", principal: principal))
                .decide(.publish, "t").isAllowed
        }
        #expect(try allows(["p"], "p"))
        #expect(try allows(["device-*"], "device-7"))
        #expect(try !allows(["device-*"], "dev"))
        #expect(try !allows(["*"], nil))
        #expect(try allows([nil], nil))
        #expect(try !allows([nil], "p"))
        #expect(try !allows([], "p"))
    }

    @Test("A decision names its statement")
    func explanation() throws {
        let book = try Fixture.book(
            "[\(Fixture.allow("iot:*", "*")), {\"Sid\": \"Nosy\", \"Effect\": \"Deny\", \"Action\": \"iot:Receive\", \"Resource\": \"*\"}]"
        )
        let decision = book.grants(of: PolicySubject(clientID: "c", principal: "p")).decide(.receive, "t")
        #expect(decision.refusal(of: .receive, "t") == "iot:Receive on topic/t is denied by statement Nosy of the policy P")
        guard case .denied(let statement) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect("\(statement.location)" == "t.yaml:6:108")
    }
}
