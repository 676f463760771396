import EventBus

/// The operations on tags of rules and buses.
extension EventsService {
    private static let arn = "ResourceARN"

    func tagResource(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .tagResource, [Self.arn, "Tags"])
        let arn = try members.required(Self.arn, .arn)
        let tags = try Self.tags(members)
        try ask { (control) throws(ControlError) in try control.tag(arn, tags) }
        return Self.done
    }

    func untagResource(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .untagResource, [Self.arn, "TagKeys"])
        let arn = try members.required(Self.arn, .arn)
        guard let keys = try members.texts("TagKeys") else { throw .constraint(nil, at: "tagKeys", "Member must not be null") }
        try ask { (control) throws(ControlError) in try control.tag(arn, [:], removing: keys) }
        return Self.done
    }

    func listTagsForResource(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let arn = try Self.members(call, .listTagsForResource, [Self.arn]).required(Self.arn, .arn)
        let tags = try ask { (control) throws(ControlError) in try control.tags(ofResource: arn) }
        return AnswerDocument.object(["Tags": .tags(tags)]).json
    }
}

extension AnswerDocument {
    /// A list of `{Key, Value}`, in the order of the keys.
    static func tags(_ tags: [String: String]) -> AnswerDocument {
        .list(tags.sorted { $0.key < $1.key }.map { .object(["Key": .text($0.key), "Value": .text($0.value)]) })
    }
}
