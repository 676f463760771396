import Documents

@testable import Rights

/// A template with one policy, attached by the configuration.
enum PolicyFixture {
    static let header = "Resources:\n  P:\n    Type: AWS::IoT::Policy\n    Properties:\n      PolicyDocument:\n"

    /// A book with one policy of these statements (JSON), for the holders.
    static func book(_ statements: String, for principals: [String?] = ["*", nil]) throws -> PolicyBook {
        let template = try template(statements)
        let place = SourceLocation(file: "crema.yaml")
        let attached = principals.map { Configuration.PolicyAttachment(principal: $0, policies: [.init("P", at: place)]) }
        return try PolicyBook(templates: [template], attached: attached)
    }

    /// A template with one policy, P, of these statements (JSON).
    static func template(_ statements: String) throws -> TemplateDocument {
        let text = header + "        {\"Version\": \"2012-10-17\", \"Statement\": \(statements)}\n"
        return try TemplateDocument(file: "t.yaml", text: text, parameters: [:])
    }

    /// A statement that allows an action.
    static func allow(_ action: String, _ resources: String...) -> String { statement("Allow", action, resources) }

    /// A statement that denies an action.
    static func deny(_ action: String, _ resources: String...) -> String { statement("Deny", action, resources) }

    private static func statement(_ effect: String, _ action: String, _ resources: [String]) -> String {
        let list = resources.map { $0 == "*" ? "\"*\"" : "\"arn:aws:iot:us-east-1:123456789012:\($0)\"" }.joined(separator: ", ")
        return "{\"Effect\": \"\(effect)\", \"Action\": \"\(action)\", \"Resource\": [\(list)]}"
    }

    /// The problems of a policy that is refused.
    static func problems(_ statements: String) -> String {
        do {
            _ = try book(statements)
            return ""
        } catch {
            return "\(error)"
        }
    }
}
