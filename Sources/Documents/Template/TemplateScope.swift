/// What the names in a template stand for: parameters, resources and CloudFormation's pseudo parameters.
package struct TemplateScope: Sendable {
    /// A resource that a template declares, as far as others may refer to it.
    struct Target: Sendable {
        var type: String
        /// The physical name where the template gives one, else the logical identifier.
        var name: String
        /// For a rule: the bus it is on, if that is not the default bus.
        var busName: String?
    }

    /// The account that stands in for AWS's: there is none.
    package static let accountID = "000000000000"
    package static let region = "us-east-1"
    static let stackName = "crema"
    /// Stands at the end of ARNs where the service puts an identifier of its own.
    package static let resourceID = "00000000-0000-0000-0000-000000000000"

    var parameters: [String: Node] = [:]
    /// Parameters that are declared but have no value, with what to do about it.
    var missingParameters: [String: String] = [:]
    var resources: [String: Target] = [:]

    /// A scope for a document that declares nothing itself: values from the configuration, then what the templates declare.
    package init(parameters: [String: String], templates: [TemplateDocument] = []) {
        let location = SourceLocation(file: "parameters")
        for template in templates { resources.merge(template.scope.resources) { mine, _ in mine } }
        for (name, value) in parameters { self.parameters[name] = .string(value, at: location) }
    }

    private static func queueURL(of name: String) -> String { "https://sqs.\(region).amazonaws.com/\(accountID)/\(name)" }

    static func pseudoParameter(_ name: String) -> String? {
        switch name {
        case "AWS::Region": region
        case "AWS::AccountId": accountID
        case "AWS::Partition": "aws"
        case "AWS::StackName": stackName
        case "AWS::StackId": "arn:aws:cloudformation:\(region):\(accountID):stack/\(stackName)/00000000-0000-0000-0000-000000000000"
        case "AWS::URLSuffix": "amazonaws.com"
        default: nil
        }
    }

    /// What `Ref` of a name gives; the reason where it gives nothing.
    func reference(_ name: String, at location: SourceLocation) -> Node {
        if let value = Self.pseudoParameter(name) { return .string(value, at: location) }
        if var value = parameters[name] {
            value.location = location
            return value
        }
        if let reason = missingParameters[name] { return Node(.unresolved(reason: reason), at: location) }
        if let resource = resources[name] {
            // The one type here whose name is not what `Ref` gives.
            let isQueue = resource.type == "AWS::SQS::Queue"
            return .string(isQueue ? Self.queueURL(of: resource.name) : resource.name, at: location)
        }
        let known = Array(parameters.keys) + Array(resources.keys)
        let hint = nearestName(to: name, among: known).map { "; did you mean `\($0)`?" } ?? ""
        let reason = "`\(name)` is neither a parameter nor a resource of this template; give it a value under `parameters`\(hint)"
        return Node(.unresolved(reason: reason), at: location)
    }

    /// What `Fn::GetAtt` gives.
    ///
    /// A resource that Crema does not have still has an ARN, so that a template needs no change.
    func attribute(_ attribute: String, of name: String, at location: SourceLocation) -> Node {
        guard let resource = resources[name] else {
            if let value = parameters["\(name).\(attribute)"] { return .string(value.plainText ?? "", at: location) }
            let reason = "Fn::GetAtt of `\(name).\(attribute)`: no such resource; give `\(name).\(attribute)` a value under `parameters`"
            return Node(.unresolved(reason: reason), at: location)
        }
        let prefix = "\(Self.region):\(Self.accountID)"
        switch (resource.type, attribute) {
        case ("AWS::Events::Archive", "Arn"):
            return .string("arn:aws:events:\(prefix):archive/\(resource.name)", at: location)
        case ("AWS::Events::EventBus", "Arn"):
            return .string("arn:aws:events:\(prefix):event-bus/\(resource.name)", at: location)
        case ("AWS::Events::EventBus", "Name"):
            return .string(resource.name, at: location)
        case ("AWS::Events::Rule", "Arn"):
            let path = resource.busName.map { "\($0)/" } ?? ""
            return .string("arn:aws:events:\(prefix):rule/\(path)\(resource.name)", at: location)
        case ("AWS::IoT::TopicRule", "Arn"):
            return .string("arn:aws:iot:\(prefix):rule/\(resource.name)", at: location)
        case ("AWS::SQS::Queue", "QueueName"):
            return .string(resource.name, at: location)
        case ("AWS::SQS::Queue", "QueueUrl"):
            return .string(Self.queueURL(of: resource.name), at: location)
        case ("AWS::Events::Connection", "Arn"):
            return .string("arn:aws:events:\(prefix):connection/\(resource.name)/\(Self.resourceID)", at: location)
        case ("AWS::Events::ApiDestination", "Arn"):
            return .string("arn:aws:events:\(prefix):api-destination/\(resource.name)/\(Self.resourceID)", at: location)
        case ("AWS::Lambda::Function", "Arn"), ("AWS::Serverless::Function", "Arn"):
            return .string("arn:aws:lambda:\(prefix):function:\(resource.name)", at: location)
        case ("AWS::Logs::LogGroup", "Arn"):
            return .string("arn:aws:logs:\(prefix):log-group:\(resource.name):*", at: location)
        case (_, "Arn"):
            let service = resource.type.split(separator: ":").dropFirst().first?.lowercased() ?? "crema"
            return .string("arn:aws:\(service):\(prefix):\(resource.name)", at: location)
        default:
            let reason = "Fn::GetAtt of `\(name).\(attribute)`: Crema does not know this attribute of \(resource.type)"
            return Node(.unresolved(reason: reason), at: location)
        }
    }
}

extension Node {
    /// A scalar's text, `nil` for anything else: for inserting into other text.
    package var plainText: String? {
        guard case .scalar(let scalar) = content, scalar.kind != .null else { return nil }
        return scalar.text
    }
}
