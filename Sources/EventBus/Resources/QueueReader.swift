import Documents
import Queues

/// Reads `AWS::SQS::Queue`.
enum QueueReader {
    private static let settings = [
        "VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "ReceiveMessageWaitTimeSeconds", "MaximumMessageSize",
    ]

    /// What makes a queue a FIFO queue, and what only those have, in the order in which one needs the other.
    private static let kinds = ["FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"]

    /// All queues of the templates, each with a name of its own and a dead-letter queue that is there.
    static func queues(in resources: [TemplateDocument.Resource], _ problems: inout ProblemCollector) -> [QueueDeclaration] {
        var names = NameTable(kind: "queue")
        var queues: [QueueDeclaration] = []
        let resources = resources.filter { $0.type == "AWS::SQS::Queue" }
        for resource in resources {
            guard let queue = problems.collect({ () throws(DocumentError) in try read(resource) }) else { continue }
            names.declare(queue.name, at: resource.location, &problems)
            queues.append(queue)
            guard queue.settings.redrivePolicy?.deadLetterQueue == queue.name else { continue }
            problems.add("AWS::SQS::Queue `\(resource.logicalID)`: a queue cannot be its own dead-letter queue", at: resource.location)
        }
        let declared = DeclaredNames(buses: [], queues: queues.map(\.name))
        for (queue, resource) in zip(queues, resources) where queues.count == resources.count {
            guard let other = queue.settings.redrivePolicy?.deadLetterQueue else { continue }
            let location = resource.properties["RedrivePolicy"]?.location ?? resource.location
            _ = problems.collect { () throws(DocumentError) in try declared.requireQueue(other, at: location) }
            let deadLetters = queues.first { $0.name == other }?.settings
            if let deadLetters, (deadLetters.fifo == nil) != (queue.settings.fifo == nil) {
                problems.add(
                    "AWS::SQS::Queue `\(resource.logicalID)`: the dead-letter queue `\(other)` must be of the same type", at: location)
            }
            guard let allowed = deadLetters?.redriveAllowPolicy, !allowed.allows(queue.name) else { continue }
            problems.add(
                "AWS::SQS::Queue `\(resource.logicalID)`: the RedriveAllowPolicy of `\(other)` does not allow this queue", at: location)
        }
        return queues
    }

    private static func read(_ resource: TemplateDocument.Resource) throws(DocumentError) -> QueueDeclaration {
        let what = "AWS::SQS::Queue `\(resource.logicalID)`"
        let properties = resource.properties
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in
            try refuseUnknown(
                properties, what: what, known: kinds + settings + ["QueueName", "RedriveAllowPolicy", "RedrivePolicy", "Tags"])
        }
        let name = problems.collect { () throws(DocumentError) in try self.name(resource, what) }
        var queue = QueueSettings()
        for property in kinds + settings + ["RedriveAllowPolicy", "RedrivePolicy"] {
            guard let value = properties[property] else { continue }
            _ = problems.collect { () throws(DocumentError) in
                let text = value.isScalar ? try value.text(property) : String(decoding: try value.json(property), as: UTF8.self)
                try refusing(what, at: value.location) { () throws(QueueError) in try queue.set([property: text]) }
            }
        }
        if let name {
            _ = problems.collect { () throws(DocumentError) in
                let location = properties["QueueName"]?.location ?? resource.location
                try refusing(what, at: location) { () throws(QueueError) in try queue.check(kindOf: QueueName(name)) }
            }
        }
        let tags = problems.collect { () throws(DocumentError) in try self.tags(resource, what) }
        try problems.finish()
        guard let name, let tags else { throw DocumentError("\(what) cannot be read", at: resource.location) }
        return QueueDeclaration(name: name, settings: queue, tags: tags)
    }

    private static func name(_ resource: TemplateDocument.Resource, _ what: String) throws(DocumentError) -> String {
        let value = resource.properties["QueueName"]
        let ending = resource.properties["FifoQueue"]?.plainText == "true" ? ".fifo" : ""
        let text = try value?.text("QueueName") ?? resource.logicalID + ending
        try refusing(what, at: value?.location ?? resource.location) { () throws(QueueError) in _ = try QueueName(text) }
        return text
    }

    private static func tags(_ resource: TemplateDocument.Resource, _ what: String) throws(DocumentError) -> [String: String] {
        let tags = try readTags(resource.properties)
        let location = resource.properties["Tags"]?.location ?? resource.location
        try refusing(what, at: location) { () throws(QueueError) in try QueueTags.check(tags, of: resource.logicalID) }
        return tags
    }

    /// What the queues refuse is a mistake of the template's.
    private static func refusing(_ what: String, at location: SourceLocation, _ body: () throws(QueueError) -> Void) throws(DocumentError) {
        do throws(QueueError) { try body() } catch { throw DocumentError("\(what): \(error.message)", at: location) }
    }
}
