import Rules

/// Of a dead-letter queue: which queues may send their dead letters to it.
package struct RedriveAllowPolicy: Sendable, Equatable {
    private enum Permission: Sendable, Equatable {
        case all, none
        case queues([String])
    }

    private static let queuesMax = 10

    /// JSON, as it was given.
    package let text: String
    private let permission: Permission

    package init(json text: String) throws(QueueError) {
        func invalid(_ reason: String) -> QueueError { .invalid(text, "RedriveAllowPolicy", reason) }
        guard let root = try? JSONDocument(parsing: Array(text.utf8), limits: JSONLimits(bytesMax: 4_096)).root, root.kind == .object
        else { throw invalid("Redrive allow policy is not a valid JSON map.") }
        for member in root.members where !["redrivePermission", "sourceQueueArns"].contains(member.name) {
            throw invalid("Redrive allow policy has the unknown parameter \(member.name).")
        }
        let sources = root["sourceQueueArns"]
        switch root["redrivePermission"]?.stringValue {
        case "allowAll" where sources == nil: permission = .all
        case "denyAll" where sources == nil: permission = .none
        case "allowAll", "denyAll": throw invalid("sourceQueueArns goes with the redrivePermission byQueue alone.")
        case "byQueue":
            let names = sources.map { Array($0.elements) }?.map { $0.stringValue.flatMap { QueueName(arn: $0)?.text } } ?? []
            guard (1...Self.queuesMax).contains(names.count) else {
                throw invalid("byQueue takes 1 to \(Self.queuesMax) ARNs in sourceQueueArns.")
            }
            permission = .queues(names.compactMap(\.self))
            guard !names.contains(nil) else { throw invalid("Each of sourceQueueArns must be the ARN of a queue.") }
        default: throw invalid("redrivePermission must be allowAll, denyAll or byQueue.")
        }
        self.text = text
    }

    /// Whether the queue may send its dead letters here from now on.
    package func allows(_ queue: String) -> Bool {
        switch permission {
        case .all: true
        case .none: false
        case .queues(let names): names.contains(queue)
        }
    }
}
