import EventBus
import Rules
import Things

/// The operations on tags: topic rules have them, and what else there is of AWS IoT has none.
extension TopicRulesService {
    func listTags(_ query: QueryParameters) throws(ServiceError) -> [UInt8] {
        guard let arn = query["resourceArn"] else { throw Self.invalid("resourceArn is missing.") }
        var tags: [String: String] = [:]
        if let untagged = Untagged(arn) {
            try check(untagged)
        } else {
            try Self.requireTopicRule(arn)
            tags = try ask { (control) throws(ControlError) in try control.tags(ofResource: arn) }
        }
        return AnswerDocument.object(["tags": .tags(tags)]).json
    }

    func tag(_ body: JSONView) async throws(ServiceError) -> [UInt8] {
        guard let arn = body["resourceArn"]?.stringValue else { throw Self.invalid("resourceArn is missing.") }
        try Self.requireTopicRule(arn)
        var tags: [String: String] = [:]
        for tag in body["tags"].map({ Array($0.elements) }) ?? [] {
            guard let key = tag["Key"]?.stringValue else { throw Self.invalid("A tag has no Key.") }
            tags[key] = tag["Value"]?.stringValue ?? ""
        }
        let keys = body["tagKeys"]?.elements.compactMap(\.stringValue) ?? []
        try ask { (control) throws(ControlError) in try control.tag(arn, tags, removing: keys) }
        try await kept()
        return EventsService.done
    }

    /// A resource that is known, and has no tags.
    private enum Untagged {
        case thing(String)
        case thingType(String)
        case thingGroup(String)
        case policy(String)

        /// Nil for what is the ARN of none of them.
        init?(_ arn: String) {
            func name(_ kind: String) -> String? { try? ThingsService.resourceName(in: arn, kind) }
            if let name = name("thing") {
                self = .thing(name)
            } else if let name = name("thingtype") {
                self = .thingType(name)
            } else if let name = name("thinggroup") {
                self = .thingGroup(name)
            } else if let name = name("policy") {
                self = .policy(name)
            } else {
                return nil
            }
        }
    }

    /// Refuses a resource that is not there.
    private func check(_ resource: Untagged) throws(ServiceError) {
        do throws(ControlError) {
            try things.look { (table) throws(ControlError) in
                switch resource {
                case .thing(let name): _ = try table.thing(name)
                case .thingType(let name): _ = try table.type(name)
                case .thingGroup(let name): _ = try table.group(name)
                case .policy(let name): _ = try table.required(policy: name)
                }
            }
        } catch { throw ServiceError(error, status: Self.status(of: error.code)) }
    }

    /// Refuses what is not the ARN of a topic rule, for it has no tags here.
    private static func requireTopicRule(_ arn: String) throws(ServiceError) {
        do throws(ServiceError) { _ = try ThingsService.resourceName(in: arn, "rule") } catch {
            throw invalid("'\(arn.prefix(256))' is not the ARN of a topic rule; Crema keeps tags of nothing else of AWS IoT.")
        }
    }
}
