import Documents
import Testing

@testable import Rights

@Suite struct PolicyReaderTests {
    private typealias Fixture = PolicyFixture

    @Test(
        "Threat 41: what is not supported, or would never apply, is refused by name and place",
        arguments: [
            ("[{\"Effect\": \"Maybe\", \"Action\": \"*\", \"Resource\": \"*\"}]", "Effect is Allow or Deny"),
            ("[{\"Effect\": \"Allow\", \"NotAction\": \"*\", \"Resource\": \"*\"}]", "NotAction is not supported"),
            ("[{\"Effect\": \"Allow\", \"Action\": \"*\", \"NotResource\": \"*\"}]", "NotResource is not supported"),
            (
                "[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\", \"Condition\": {\"NumericEquals\": {}}}]",
                "the operator NumericEquals is not supported"
            ),
            ("[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\", \"Principal\": \"*\"}]", "Principal is not supported"),
            (
                "[{\"Effect\": \"Allow\", \"Action\": \"iot:Publsh\", \"Resource\": \"*\"}]",
                "there is no action `iot:Publsh`; did you mean `iot:Publish`?"
            ),
            ("[{\"Effect\": \"Allow\", \"Action\": \"s3:Get*\", \"Resource\": \"*\"}]", "there is no action `s3:Get*`"),
            ("[{\"Effect\": \"Allow\", \"Action\": [], \"Resource\": \"*\"}]", "the list is empty"),
            ("[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": []}]", "the list is empty"),
            ("[{\"Effect\": \"Allow\", \"Action\": \"*\"}]", "lacks `Resource`"),
            ("[{\"Action\": \"*\", \"Resource\": \"*\"}]", "lacks `Effect`"),
            (
                "[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"topic/a\"}]",
                "is neither `*` nor an ARN of events, execute-api, iot, sqs"
            ),
            (
                "[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"arn:aws:s3:::bucket/a\"}]",
                "is neither `*` nor an ARN of events, execute-api, iot, sqs"
            ),
            (
                "[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"arn:aws:iot:r:a:queue/a\"}]",
                "no resource that anybody asks for"
            ),
            (
                "[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"arn:aws:iot:r:a:topic/${iot:Clientid}\"}]",
                "the policy variable ${iot:Clientid} is not supported; did you mean `iot:ClientId`?"
            ),
            ("[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"arn:aws:iot:r:a:topic/${iot:ClientId\"}]", "`${` has no `}`"),
            (
                "[{\"Effect\": \"Allow\", \"Action\": \"iot:Subscribe\", \"Resource\": \"arn:aws:iot:r:a:topic/a\"}]",
                "iot:Subscribe is asked for topicfilter/… only, and no resource of the statement is one"
            ),
        ])
    func refused(_ statements: String, _ expected: String) {
        let problems = Fixture.problems(statements)
        #expect(problems.contains(expected), "\(problems)")
        #expect(problems.contains("t.yaml:6:"), "\(problems)")
    }

    @Test("One statement needs no list; actions of calls that are not served allow nothing here")
    func accepted() throws {
        let book = try Fixture.book("{\"Effect\": \"Allow\", \"Action\": [\"iot:GetThingShadow\", \"iot:Connect\"], \"Resource\": \"*\"}")
        let grants = book.grants(of: PolicySubject(clientID: "c", principal: "p"))
        #expect(grants.decide(.connect, "c").isAllowed)
        #expect(!grants.decide(.publish, "c").isAllowed)
    }

    @Test("A policy that is attached and not there, and one that is there twice, are refused")
    func names() throws {
        let policy = PolicyFixture.header + "        {Version: 2012-10-17, Statement: []}\n"
        let template = try TemplateDocument(file: "t.yaml", text: policy, parameters: [:])
        let wrong = Configuration.PolicyAttachment(
            principal: "p", policies: [.init("Q", at: SourceLocation(file: "c.yaml", line: 3, column: 5))])
        #expect(throws: DocumentError.self) { try PolicyBook(templates: [template], attached: [wrong]) }
        #expect(throws: DocumentError.self) { try PolicyBook(templates: [template, template], attached: nil) }
        let none = try PolicyBook(templates: [], attached: nil)
        #expect(!none.isEnforced)
        #expect(try PolicyBook(templates: [template], attached: nil).isEnforced)
        #expect(try PolicyBook(templates: [], attached: []).isEnforced)
    }

    @Test("A template attaches policies to the names of certificates")
    func attachments() throws {
        let text =
            PolicyFixture.header + "        {Version: 2012-10-17, Statement: {Effect: Allow, Action: '*', Resource: '*'}}\n"
            + "  A:\n    Type: AWS::IoT::PolicyPrincipalAttachment\n    Properties: {PolicyName: !Ref P, Principal: "
        func book(_ principal: String) throws -> PolicyBook {
            try PolicyBook(templates: [TemplateDocument(file: "t.yaml", text: text + "\(principal)}\n", parameters: [:])], attached: nil)
        }
        for principal in ["grinder-7", "arn:aws:iot:us-east-1:123456789012:cert/grinder-7"] {
            let grants = try book(principal)
            #expect(grants.grants(of: PolicySubject(clientID: "c", principal: "grinder-7")).decide(.publish, "t").isAllowed)
            #expect(!grants.grants(of: PolicySubject(clientID: "c", principal: "grinder-8")).decide(.publish, "t").isAllowed)
        }
        #expect(throws: DocumentError.self) { try book("arn:aws:iot:us-east-1:123456789012:thing/grinder-7") }
    }
}
