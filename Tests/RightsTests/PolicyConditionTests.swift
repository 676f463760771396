import Testing

@testable import Rights

@Suite struct PolicyConditionTests {
    private static let certificate = [
        "iot:Certificate.Subject.CommonName": "grinder-7", "iot:Certificate.Subject.Organization": "Shop",
        "iot:Certificate.Subject.OrganizationalUnit": "front", "iot:Certificate.Subject.OrganizationalUnit.1": "kitchen",
        "iot:Certificate.Subject.Title": "a/b", "iot:Certificate.Subject.State": "*", "aws:SourceIp": "192.0.2.7",
        "iot:ConnectAttributes": "LastWill,PersistentConnect",
    ]

    private func allows(
        effect: String = "Allow", resource: String = "topic/t", _ condition: String = "{}", name: String = "t",
        clientID: String = "c", principal: String? = "p", attributes: [String: String] = certificate
    ) throws -> Bool {
        let statement =
            "{\"Effect\": \"\(effect)\", \"Action\": \"iot:Publish\", \"Resource\": \"arn:aws:iot:r:1:\(resource)\", \"Condition\": \(condition)}"
        let all = effect == "Deny" ? PolicyFixture.allow("iot:*", "*") + ", " : ""
        let subject = PolicySubject(clientID: clientID, principal: principal, attributes: attributes)
        return try PolicyFixture.book("[\(all)\(statement)]").grants(of: subject).decide(.publish, name).isAllowed
    }

    @Test("A certificate's fields stand in resources")
    func variables() throws {
        let own = "topic/${iot:Certificate.Subject.CommonName}/x"
        #expect(try allows(resource: own, name: "grinder-7/x"))
        #expect(try !allows(resource: own, name: "grinder-8/x"))
        #expect(try !allows(resource: own, name: "/x", attributes: [:]))
        #expect(try allows(resource: "topic/${iot:Certificate.Subject.OrganizationalUnit}", name: "front"))
        #expect(try allows(resource: "topic/${iot:Certificate.Subject.OrganizationalUnit.0}", name: "front"))
        #expect(try allows(resource: "topic/${iot:Certificate.Subject.OrganizationalUnit.1}", name: "kitchen"))
        #expect(try !allows(resource: "topic/${iot:Certificate.Subject.OrganizationalUnit.2}", name: "kitchen"))
    }

    @Test("Threat 39: a field with a wildcard or a slash in it stands for nothing", arguments: ["Title", "State"])
    func hostileFields(_ field: String) throws {
        let resource = "topic/${iot:Certificate.Subject.\(field)}"
        for name in ["a/b", "*", "anything"] { #expect(try !allows(resource: resource, name: name)) }
        // And takes nothing back from what is denied.
        #expect(try !allows(effect: "Deny", resource: resource, name: "anything"))
    }

    @Test(
        "Operators compare what clients have with values",
        arguments: [
            ("{\"StringEquals\": {\"iot:ClientId\": \"c\"}}", true), ("{\"StringEquals\": {\"iot:ClientId\": [\"a\", \"c\"]}}", true),
            ("{\"StringEquals\": {\"iot:ClientId\": \"C\"}}", false), ("{\"StringEquals\": {\"iot:ClientId\": \"*\"}}", false),
            ("{\"StringNotEquals\": {\"iot:ClientId\": [\"a\", \"b\"]}}", true),
            ("{\"StringNotEquals\": {\"iot:ClientId\": [\"a\", \"c\"]}}", false),
            ("{\"StringLike\": {\"iot:Certificate.Subject.CommonName\": \"grinder-?\"}}", true),
            ("{\"StringNotLike\": {\"iot:Certificate.Subject.CommonName\": \"grind*\"}}", false),
            ("{\"StringEquals\": {\"iot:Certificate.Subject.OrganizationalUnit.1\": \"kitchen\"}}", true),
            ("{\"StringEquals\": {\"iot:Certificate.Issuer.CommonName\": \"any\"}}", false),
            ("{\"StringNotEquals\": {\"iot:Certificate.Issuer.CommonName\": \"any\"}}", true),
            ("{\"IpAddress\": {\"aws:SourceIp\": [\"10.0.0.0/8\", \"192.0.2.0/24\"]}}", true),
            ("{\"IpAddress\": {\"aws:SourceIp\": \"192.0.3.0/24\"}}", false),
            ("{\"NotIpAddress\": {\"aws:SourceIp\": \"192.0.2.7\"}}", false),
            ("{\"NotIpAddress\": {\"aws:SourceIp\": \"2001:db8::/32\"}}", true),
            ("{\"ForAllValues:StringEquals\": {\"iot:ConnectAttributes\": [\"LastWill\", \"PersistentConnect\"]}}", true),
            ("{\"ForAllValues:StringEquals\": {\"iot:ConnectAttributes\": [\"PersistentConnect\"]}}", false),
            ("{\"Bool\": {\"iot:Connection.Thing.IsAttached\": \"true\"}}", false),
            ("{\"Bool\": {\"iot:Connection.Thing.IsAttached\": [\"false\"]}}", true),
            ("{\"StringEquals\": {\"iot:ClientId\": \"c\"}, \"Bool\": {\"iot:Connection.Thing.IsAttached\": [\"true\"]}}", false),
            ("{\"StringEquals\": {\"iot:ClientId\": \"c\", \"crema:Principal\": \"q\"}}", false),
        ])
    func operators(_ condition: String, _ holds: Bool) throws {
        #expect(try allows(condition) == holds)
        #expect(try allows(effect: "Deny", condition) != holds)
    }

    @Test("A thing is attached when the client identifier is the proved name")
    func attached() throws {
        let condition = "{\"Bool\": {\"iot:Connection.Thing.IsAttached\": \"true\"}}"
        #expect(try allows(condition, clientID: "p"))
        #expect(try !allows(condition, clientID: "q"))
        #expect(try !allows(condition, clientID: "p", principal: nil))
    }

    @Test("A variable in a value that stands for nothing allows nothing, and denies")
    func missingValues() throws {
        let condition = "{\"StringEquals\": {\"iot:ClientId\": \"${iot:Certificate.Subject.CommonName}\"}}"
        #expect(try allows(condition, clientID: "grinder-7"))
        #expect(try !allows(condition, clientID: "c"))
        #expect(try !allows(condition, clientID: "c", attributes: [:]))
        #expect(try !allows(effect: "Deny", condition, clientID: "c", attributes: [:]))
        #expect(try allows(effect: "Deny", condition, clientID: "c"))
    }

    @Test(
        "Threat 41: conditions that are not understood are refused by name",
        arguments: [
            ("{\"StringEqualsIfExists\": {\"iot:ClientId\": \"c\"}}", "the operator StringEqualsIfExists is not supported"),
            (
                "{\"StringEquals\": {\"iot:ClientID\": \"c\"}}",
                "the condition key iot:ClientID is not supported; did you mean `iot:ClientId`?"
            ),
            ("{\"IpAddress\": {\"iot:ClientId\": \"c\"}}", "iot:ClientId cannot be compared by IpAddress"),
            ("{\"IpAddress\": {\"aws:SourceIp\": \"192.0.2.1/24\"}}", "is no address or block"),
            ("{\"IpAddress\": {\"aws:SourceIp\": \"localhost\"}}", "is no address or block"),
            ("{\"Bool\": {\"iot:Connection.Thing.IsAttached\": \"yes\"}}", "is true or false"),
            ("{\"StringEquals\": {\"iot:ClientId\": []}}", "the list is empty"),
            ("{\"StringEquals\": {\"iot:ClientId\": \"${iot:Nobody}\"}}", "the policy variable ${iot:Nobody} is not supported"),
            ("{\"StringEquals\": {\"iot:Certificate.Subject.CommonName.01\": \"c\"}}", "is not supported"),
        ])
    func refused(_ condition: String, _ expected: String) {
        let statement = "[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\", \"Condition\": \(condition)}]"
        let problems = PolicyFixture.problems(statement)
        #expect(problems.contains(expected), "\(problems)")
        #expect(problems.contains("t.yaml:6:"))
    }

    @Test("Addresses of both versions, and those of one that are written as the other's")
    func ranges() throws {
        #expect(AddressRange("192.0.2.0/24")?.contains("::ffff:192.0.2.9") == true)
        #expect(AddressRange("0.0.0.0/0")?.contains("203.0.113.1") == true)
        #expect(AddressRange("0.0.0.0/0")?.contains("2001:db8::1") == false)
        #expect(AddressRange("2001:db8::/32")?.contains("2001:db8:ffff::1") == true)
        #expect(AddressRange("2001:db8::/32")?.contains("2001:db9::1") == false)
        for text in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/+8", "::/129", "1.2.3.4/8"] { #expect(AddressRange(text) == nil) }
    }
}
