import Documents
import Queues

/// The operations on queues as a whole.
extension QueuesService {
    func createQueue(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .createQueue, ["QueueName", "Attributes", "tags"])
        let text = try Self.required("QueueName", members)
        let attributes = try members.textMap("Attributes") ?? [:]
        let tags = try members.textMap("tags") ?? [:]
        try table { (table, now) throws(QueueError) in try table.create(try QueueName(text), attributes: attributes, tags: tags, now: now) }
        if attributes["Policy"]?.isEmpty == false { notePolicy(text) }
        return Self.answer(urlOf: text, call)
    }

    func getQueueURL(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .getQueueURL, ["QueueName", "QueueOwnerAWSAccountId"])
        let text = try Self.required("QueueName", members)
        // Every account is this one; what is none has no queues.
        if let owner = try members.text("QueueOwnerAWSAccountId") {
            let isAccount = owner.utf8.count == 12 && owner.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard isAccount else { throw ServiceError(QueueError.queueDoesNotExist) }
        }
        guard try table({ (table, _) in table.hasQueue(text) }) else { throw ServiceError(QueueError.queueDoesNotExist) }
        return Self.answer(urlOf: text, call)
    }

    private static func answer(urlOf queue: String, _ call: ServiceCall) -> AnswerDocument {
        .object(["QueueUrl": .text(url(of: queue, call))])
    }

    func listQueues(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .listQueues, ["QueueNamePrefix", "NextToken", "MaxResults"])
        let prefix = try members.text("QueueNamePrefix") ?? ""
        let names = try table { (table, _) in table.names(withPrefix: prefix) }
        let (page, next) = try Self.page(names, members)
        return .object([
            "QueueUrls": page.isEmpty ? nil : .texts(page.map { Self.url(of: $0, call) }), "NextToken": next.map { .text($0) },
        ])
    }

    func listDeadLetterSourceQueues(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .listDeadLetterSourceQueues, ["QueueUrl", "NextToken", "MaxResults"])
        let queue = try Self.queue(members)
        let names = try table { (table, _) throws(QueueError) in try table.deadLetterSources(of: queue) }
        let (page, next) = try Self.page(names, members)
        return .object(["queueUrls": .texts(page.map { Self.url(of: $0, call) }), "NextToken": next.map { .text($0) }])
    }

    /// At most `MaxResults` of the names, from where `NextToken` says; as many as 1,000 without it, and then no token, as the service does.
    private static func page(_ names: [String], _ members: RequestMembers) throws(ServiceError) -> (page: [String], next: String?) {
        let token = members.listingToken
        var rest = names[...]
        if let text = try members.text("NextToken") {
            guard let first = token.name(in: text) else {
                throw ServiceError(QueueError(.invalidParameterValue, "Invalid or expired next token."))
            }
            rest = names.drop { $0 < first }
        }
        guard let most = try members.integer("MaxResults") else { return (Array(rest.prefix(1_000)), nil) }
        guard (1...1_000).contains(most) else {
            throw ServiceError(.invalid("\(most)", "MaxResults", "Must be between 1 and 1000, if provided."))
        }
        return (Array(rest.prefix(most)), rest.dropFirst(most).first.map(token.text))
    }

    func deleteQueue(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let queue = try Self.queue(try Self.members(call, .deleteQueue, ["QueueUrl"]))
        try table { (table, _) throws(QueueError) in try table.deleteQueue(queue) }
        return Self.done
    }

    func purgeQueue(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let queue = try Self.queue(try Self.members(call, .purgeQueue, ["QueueUrl"]))
        try table { (table, now) throws(QueueError) in try table.purge(queue, now: now) }
        return Self.done
    }

    // MARK: - Attributes and tags

    func getQueueAttributes(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .getQueueAttributes, ["QueueUrl", "AttributeNames"])
        let queue = try Self.queue(members)
        let names = try members.texts("AttributeNames") ?? []
        for name in names where name != "All" && !QueueSettings.isKnown(name) {
            throw ServiceError(QueueError(.invalidAttributeName, "Unknown Attribute \(name)."))
        }
        var attributes = try table { (table, now) throws(QueueError) in try table.attributes(of: queue, now: now) }
        attributes["QueueArn"] = Self.arn(of: queue)
        if !names.contains("All") { attributes = attributes.filter { names.contains($0.key) } }
        return .object(["Attributes": attributes.isEmpty ? nil : .texts(attributes)])
    }

    func setQueueAttributes(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .setQueueAttributes, ["QueueUrl", "Attributes"])
        let queue = try Self.queue(members)
        guard let attributes = try members.textMap("Attributes") else { throw ServiceError(QueueError.missing("Attributes")) }
        try table { (table, now) throws(QueueError) in try table.setAttributes(attributes, of: queue, now: now) }
        if attributes["Policy"]?.isEmpty == false { notePolicy(queue) }
        return Self.done
    }

    func tagQueue(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .tagQueue, ["QueueUrl", "Tags"])
        let queue = try Self.queue(members)
        guard let tags = try members.textMap("Tags"), !tags.isEmpty else { throw ServiceError(QueueError.missing("Tags")) }
        try table { (table, _) throws(QueueError) in try table.tag(queue, with: tags) }
        return Self.done
    }

    func untagQueue(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .untagQueue, ["QueueUrl", "TagKeys"])
        let queue = try Self.queue(members)
        guard let keys = try members.texts("TagKeys"), !keys.isEmpty else { throw ServiceError(QueueError.missing("TagKeys")) }
        try table { (table, _) throws(QueueError) in try table.untag(queue, keys: keys) }
        return Self.done
    }

    func listQueueTags(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let queue = try Self.queue(try Self.members(call, .listQueueTags, ["QueueUrl"]))
        let tags = try table { (table, _) throws(QueueError) in try table.tags(of: queue) }
        return .object(["Tags": tags.isEmpty ? nil : .texts(tags)])
    }
}
