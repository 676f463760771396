import Documents
import Testing

@testable import Rights

@Suite struct AccessFileTests {
    private static let shop = """
        # Who may do what in the shop.
        topic read menu/#
        topic deny menu/prices

        user barista
        topic readwrite orders/#
        topic deny orders/+/payment
        topic write status/a name with blanks

        user customer 1
        topic menu/#\r
        pattern read status/%u
        pattern write carts/%u/%c
        pattern deny closed/%c/x
        """

    private func allows(
        _ text: String, _ action: PolicyAction, _ name: String, clientID: String = "c", _ principal: String?
    ) throws -> Bool {
        let book = try PolicyBook(templates: [], attached: nil, accessFile: AccessFile(file: "acl", text: text))
        return book.grants(of: PolicySubject(clientID: clientID, principal: principal)).decide(action, name).isAllowed
    }

    @Test("Lines are for the user before them, and for clients that prove nothing before the first")
    func users() throws {
        #expect(try allows(Self.shop, .receive, "menu/today", nil))
        #expect(try !allows(Self.shop, .publish, "menu/today", nil))
        #expect(try !allows(Self.shop, .receive, "menu/today", "barista"))
        #expect(try allows(Self.shop, .publish, "menu/today", "customer 1"))
        #expect(try allows(Self.shop, .publish, "orders/7", "barista"))
        #expect(try allows(Self.shop, .retainPublish, "orders/7", "barista"))
        #expect(try !allows(Self.shop, .publish, "orders/7", "customer 1"))
        #expect(try allows(Self.shop, .publish, "status/a name with blanks", "barista"))
        #expect(try !allows(Self.shop, .receive, "status/a name with blanks", "barista"))
        #expect(try allows(Self.shop, .connect, "anything", nil))
    }

    @Test("A line that denies comes first, wherever it stands")
    func denied() throws {
        #expect(try !allows(Self.shop, .receive, "menu/prices", nil))
        #expect(try !allows(Self.shop, .publish, "orders/7/payment", "barista"))
        #expect(try allows(Self.shop, .publish, "orders/7/status", "barista"))
        #expect(try !allows("topic deny a\ntopic a", .receive, "a", nil))
        #expect(try !allows("topic a\npattern deny a", .receive, "a", nil))
    }

    @Test("A subscription is contained in what is granted: to overlap it is not enough")
    func subscriptions() throws {
        for filter in ["orders/#", "orders/+", "orders/7", "orders", "orders/+/x/#"] {
            #expect(try allows(Self.shop, .subscribe, filter, "barista"), "\(filter)")
        }
        for filter in ["#", "+/7", "order/#", "+/#", "orders/7/payment", "orders/+/payment", "status/+"] {
            #expect(try !allows(Self.shop, .subscribe, filter, "barista"), "\(filter)")
        }
        #expect(try !allows("topic read #", .subscribe, "$SYS/#", nil))
    }

    @Test("Patterns have the names of who asks")
    func patterns() throws {
        #expect(try allows(Self.shop, .subscribe, "status/ann", "ann"))
        #expect(try !allows(Self.shop, .subscribe, "status/bob", "ann"))
        #expect(try allows(Self.shop, .publish, "carts/ann/c", "ann"))
        #expect(try !allows(Self.shop, .publish, "carts/ann/d", "ann"))
        #expect(try !allows(Self.shop, .publish, "carts//c", nil))
        #expect(try allows("pattern %c-%c/%%u", .publish, "x-x/%ann", clientID: "x", "ann"))
        #expect(try allows("pattern a/%c", .publish, "a/%u", clientID: "%u", "ann"), "a name is not filled in again")
    }

    @Test(
        "Threat 39: a name with a wildcard or a slash widens no pattern",
        arguments: ["+", "#", "a/b", "+/#", "a+", "#b", "", "a\0b", "$aws", "$SYS", "a$"])
    func hostileNames(_ name: String) throws {
        let text = "pattern read x/%c\npattern read y/%u\npattern z/%c/t"
        for topic in ["x/victim", "x/\(name)", "y/victim", "y/\(name)", "z/victim/t"] {
            for action in [PolicyAction.receive, .subscribe, .publish] {
                #expect(try !allows(text, action, topic, clientID: name, name), "\(topic)")
            }
        }
        #expect(try !allows(text, .subscribe, "x/+", clientID: name, name))
        // And takes nothing back from what is denied.
        #expect(try !allows("pattern #\npattern deny x/%c/y", .publish, "x/victim/y", clientID: name, "p"))
        #expect(try !allows("pattern #\npattern deny x/%u", .publish, "x/victim", clientID: "c", name))
        #expect(try allows("pattern #\npattern deny x/%u", .publish, "z", clientID: "c", name))
    }

    @Test(
        "Threat 39: a name that begins with a dollar sign widens no pattern to the broker's own topics", arguments: ["$aws", "$SYS", "$"])
    func systemNames(_ name: String) throws {
        for pattern in ["pattern readwrite %c/#", "pattern readwrite %u/#", "pattern readwrite %c/events/#"] {
            for topic in ["\(name)/#", "\(name)/events/#"] {
                #expect(try !allows(pattern, .subscribe, topic, clientID: name, name), "\(pattern) and \(topic)")
            }
            for action in [PolicyAction.publish, .retainPublish, .receive] {
                #expect(try !allows(pattern, action, "\(name)/events/x", clientID: name, name), "\(pattern)")
            }
        }
        // What the line would have denied under the name as it stands is denied still, and what it could mean for others.
        for denied in ["pattern deny %c/#", "pattern deny %u/events/x"] {
            let text = "pattern #\npattern $aws/#\npattern $SYS/#\n\(denied)"
            for topic in ["\(name)/events/x", "$aws/events/x", "$SYS/events/x", "other/x"] {
                #expect(try !allows(text, .receive, topic, clientID: name, name), "\(denied) and \(topic)")
            }
            #expect(try allows(text, .receive, "$SYS/events/y", clientID: "c", "u"), "a plain name denies its own")
        }
        #expect(try !allows("pattern $aws/#\npattern deny $aws/%c/x", .receive, "$aws/victim/x", clientID: name, "p"))
        #expect(try allows("pattern $SYS/#\npattern deny +/%c", .receive, "$SYS/x", clientID: name, "p"), "as `+` of MQTT")
    }

    @Test("Threat 41: a file that says nothing refuses everything", arguments: ["", "\n\n", "# topic #\n", "user ann\n"])
    func empty(_ text: String) throws {
        for principal in ["ann", nil] {
            for action in [PolicyAction.publish, .retainPublish, .subscribe, .receive] {
                #expect(try !allows(text, action, "a", principal))
            }
        }
        #expect(try PolicyBook(templates: [], attached: nil, accessFile: AccessFile(file: "acl", text: text)).isEnforced)
    }

    @Test(
        "Threat 41: a line that is not understood fails the whole file",
        arguments: [
            ("topics a", "begins no line of an ACL file; did you mean `topic`?"), ("topic", "a topic filter is missing"),
            ("topic reed a", "`reed` is no access"), ("user", "`user` needs a name"), ("topic a/#/b", "'#' is the last level"),
            ("topic read a+", "stand alone in their level"), ("pattern a/%c#", "stand alone in their level"),
            ("\u{FEFF}topic a", "begins no line"), ("topic read a\0b", "NUL"),
        ])
    func mistakes(_ line: String, _ problem: String) {
        do {
            _ = try AccessFile(file: "acl", text: "topic a\n\(line)\ntopic b\n")
            Issue.record("\(line) was taken")
        } catch {
            #expect("\(error)".hasPrefix("acl:2:1: "), "\(error)")
            #expect("\(error)".contains(problem), "\(error)")
        }
    }

    @Test("A call over HTTP is granted by policies alone, and denied what the file denies over MQTT")
    func calls() throws {
        let allowed = PolicyFixture.allow("iot:*", "*")
        let policies = try PolicyFixture.template("[\(allowed)]")
        let file = try AccessFile(file: "acl", text: "user alice\ntopic deny secrets/#\ntopic open/#")
        let place = SourceLocation(file: "crema.yaml")
        let attached = [Configuration.PolicyAttachment(principal: "alice", policies: [.init("P", at: place)])]
        let book = try PolicyBook(templates: [policies], attached: attached, accessFile: file)
        func allows(_ action: String, _ topic: String, _ principal: String) throws -> Bool {
            let action = try #require(PolicyAction(named: action))
            let grants = book.grants(of: PolicySubject(clientID: "", principal: principal))
            return grants.decide(action, arn: "arn:aws:iot:us-east-1:000000000000:topic/\(topic)").isAllowed
        }
        for action in ["iot:Publish", "iot:RetainPublish", "iot:GetRetainedMessage"] {
            #expect(try allows(action, "open/a", "alice"))
            #expect(try !allows(action, "secrets/a", "alice"))
            #expect(try !allows(action, "open/a", "bob"))
        }
    }

    @Test(
        "What the file denies is denied over HTTP by bytes: no mark is combined with the slash before it",
        arguments: ["\u{301}", "\u{200D}"])
    func combinedWithTheKind(_ mark: String) throws {
        let policies = try PolicyFixture.template("[\(PolicyFixture.allow("iot:*", "*"))]")
        let attached = [Configuration.PolicyAttachment(principal: nil, policies: [.init("P", at: SourceLocation(file: "crema.yaml"))])]
        let book = try PolicyBook(
            templates: [policies], attached: attached, accessFile: AccessFile(file: "acl", text: "topic deny +/secret"))
        let grants = book.grants(of: PolicySubject(clientID: "", principal: nil))
        for action in [PolicyAction.publish, .retainPublish] {
            #expect(!grants.decide(action, "\(mark)/secret").isAllowed)
            #expect(!grants.decide(action, arn: "arn:aws:iot:us-east-1:000000000000:topic/\(mark)/secret").isAllowed)
            #expect(grants.decide(action, arn: "arn:aws:iot:us-east-1:000000000000:topic/\(mark)/open").isAllowed)
        }
    }

    @Test("What is denied on a topic is denied to rules by Basic Ingest, on every door")
    func basicIngest() throws {
        let text = "topic deny priv/#\ntopic readwrite #\ntopic readwrite $aws/rules/#"
        for topic in ["$aws/rules/r/priv/x", "$aws/rules/r/priv"] {
            #expect(try !allows(text, .publish, topic, nil), "\(topic)")
            #expect(try !allows(text, .retainPublish, topic, nil), "\(topic)")
        }
        for topic in ["$aws/rules/r/open/priv", "$aws/rules/priv/x", "$aws/rules/priv", "$aws/rules/r/"] {
            #expect(try allows(text, .publish, topic, nil), "\(topic)")
        }
        #expect(try !allows("topic readwrite open/#", .publish, "$aws/rules/r/open/x", nil), "the topic behind the rule grants nothing")
        let policies = try PolicyFixture.template("[\(PolicyFixture.allow("iot:*", "*"))]")
        let attached = [Configuration.PolicyAttachment(principal: nil, policies: [.init("P", at: SourceLocation(file: "crema.yaml"))])]
        let book = try PolicyBook(templates: [policies], attached: attached, accessFile: AccessFile(file: "acl", text: text))
        let grants = book.grants(of: PolicySubject(clientID: "", principal: nil))
        for action in [PolicyAction.publish, .retainPublish] {
            #expect(!grants.decide(action, arn: "arn:aws:iot:us-east-1:000000000000:topic/$aws/rules/r/priv/x").isAllowed)
            #expect(grants.decide(action, arn: "arn:aws:iot:us-east-1:000000000000:topic/$aws/rules/r/open/x").isAllowed)
        }
        // A policy is for the topic as it is published, as in IoT Core.
        let denying = try PolicyFixture.book(
            "[\(PolicyFixture.allow("iot:Publish", "*")), \(PolicyFixture.deny("iot:Publish", "topic/priv/*"))]")
        #expect(denying.grants(of: PolicySubject(clientID: "", principal: nil)).decide(.publish, "$aws/rules/r/priv/x").isAllowed)
    }

    @Test("A policy that speaks of connecting decides over it; without one the listener does")
    func connecting() throws {
        let policies = try PolicyFixture.template("[\(PolicyFixture.allow("iot:Connect", "client/alice"))]")
        let place = SourceLocation(file: "crema.yaml")
        let attached = [Configuration.PolicyAttachment(principal: "alice", policies: [.init("P", at: place)])]
        let book = try PolicyBook(
            templates: [policies], attached: attached, accessFile: AccessFile(file: "acl", text: "topic read a"))
        func connects(as clientID: String, _ principal: String) -> Bool {
            book.grants(of: PolicySubject(clientID: clientID, principal: principal)).decide(.connect, clientID).isAllowed
        }
        #expect(connects(as: "alice", "alice"))
        #expect(!connects(as: "bob", "alice"))
        #expect(connects(as: "carol", "carol"))
    }

    @Test("Policies and the file grant beside each other, and what either denies is denied")
    func besidePolicies() throws {
        let policies = "[\(PolicyFixture.allow("iot:Publish", "topic/p/*")), \(PolicyFixture.deny("iot:Publish", "topic/f/secret"))]"
        let text = PolicyFixture.header + "        {\"Version\": \"2012-10-17\", \"Statement\": \(policies)}\n"
        let template = try TemplateDocument(file: "t.yaml", text: text, parameters: [:])
        let attached = [Configuration.PolicyAttachment(principal: nil, policies: [.init("P", at: SourceLocation(file: "c"))])]
        let book = try PolicyBook(
            templates: [template], attached: attached,
            accessFile: AccessFile(file: "acl", text: "topic f/#\ntopic deny p/secret"))
        let grants = book.grants(of: PolicySubject(clientID: "c", principal: nil))
        #expect(grants.decide(.publish, "p/1").isAllowed)
        #expect(grants.decide(.publish, "f/1").isAllowed)
        #expect(!grants.decide(.publish, "p/secret").isAllowed)
        #expect(!grants.decide(.publish, "f/secret").isAllowed)
        #expect(!grants.decide(.publish, "q").isAllowed)
        #expect(grants.decide(.publish, "p/secret").refusal(of: .publish, "p/secret")?.contains("acl:2:1") == true)
    }
}
