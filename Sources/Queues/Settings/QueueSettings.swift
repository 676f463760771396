import Rules

/// The attributes of a queue that its owner sets.
package struct QueueSettings: Sendable, Equatable {
    /// Seconds for which a received message is hidden from other receivers.
    package var visibilityTimeout = 30
    /// Seconds after which a message is dropped that nobody has deleted.
    package var messageRetentionPeriod = 345_600
    /// Seconds before a sent message can be received.
    package var delaySeconds = 0
    /// Seconds for which a receiver waits for a message, unless it says otherwise.
    package var receiveMessageWaitTimeSeconds = 0
    package var maximumMessageSize = 1_048_576
    package var redrivePolicy: RedrivePolicy?
    package var redriveAllowPolicy: RedriveAllowPolicy?
    /// Who else may use the queue: JSON as it was given, kept to by nobody (see `AllowingPolicy`).
    package private(set) var policy: String?
    /// Whether somebody asked for encryption by the service, which is its default: told as it was asked for, and nothing is encrypted.
    package var isSaidToBeEncrypted = false
    /// Of a FIFO queue; nil for every other one.
    package private(set) var fifo: FIFOSettings?

    package init() {}

    private struct Number {
        let name: String
        let path: WritableKeyPath<QueueSettings, Int>
        let range: ClosedRange<Int>
    }

    private static var numbers: [Number] {
        [
            Number(name: "VisibilityTimeout", path: \.visibilityTimeout, range: 0...43_200),
            Number(name: "MessageRetentionPeriod", path: \.messageRetentionPeriod, range: 60...1_209_600),
            Number(name: "DelaySeconds", path: \.delaySeconds, range: 0...900),
            Number(name: "ReceiveMessageWaitTimeSeconds", path: \.receiveMessageWaitTimeSeconds, range: 0...20),
            Number(name: "MaximumMessageSize", path: \.maximumMessageSize, range: 1_024...1_048_576),
        ]
    }

    /// What the service knows and Crema does not do, with the one value that changes nothing.
    private static let unsupported = [
        "KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": nil,
    ]

    /// The default of the service, which nobody sees who uses a queue.
    private static let encryption = "SqsManagedSseEnabled"

    private static let documents = ["Policy", "RedriveAllowPolicy", "RedrivePolicy"]

    /// The attributes that can only be read.
    package static let computedNames = [
        "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible", "CreatedTimestamp",
        "LastModifiedTimestamp", "QueueArn",
    ]

    /// Whether the service has an attribute of this name.
    package static func isKnown(_ name: String) -> Bool {
        documents.contains(name) || numbers.contains { $0.name == name } || unsupported.keys.contains(name) || computedNames.contains(name)
            || name == kind || name == encryption || FIFOSettings.names.contains(name)
    }

    /// The attribute that makes a queue a FIFO queue.
    private static let kind = "FifoQueue"

    /// Sets attributes as a request names them.
    ///
    /// - Throws: for the first of them, by name, that is unknown, out of its range or not supported; then nothing is set.
    package mutating func set(_ attributes: [String: String]) throws(QueueError) {
        var settings = self
        // It says what others may be there.
        if let value = attributes[Self.kind] { try settings.set(kind: value) }
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) where name != Self.kind { try settings.set(name, value) }
        try settings.fifo?.check()
        self = settings
    }

    private mutating func set(_ name: String, _ value: String) throws(QueueError) {
        if let number = Self.numbers.first(where: { $0.name == name }) {
            guard let parsed = Int(value), number.range.contains(parsed) else {
                throw QueueError(
                    .invalidAttributeValue,
                    "Invalid value for the parameter \(name). Reason: \(name) must be an integer from \(number.range.lowerBound) to "
                        + "\(number.range.upperBound), not '\(value)'.")
            }
            self[keyPath: number.path] = parsed
        } else if Self.documents.contains(name) {
            try set(document: name, value)
        } else if FIFOSettings.names.contains(name) {
            guard fifo != nil || (name == "ContentBasedDeduplication" && FIFOSettings.boolean(value) == false) else {
                throw QueueError(.invalidAttributeName, FIFOSettings.refusal(of: name))
            }
            try fifo?.set(name, value)
        } else if name == Self.encryption {
            guard let isWanted = FIFOSettings.boolean(value) else { throw FIFOSettings.invalid(name, value) }
            isSaidToBeEncrypted = isWanted
        } else if let harmless = Self.unsupported[name] {
            guard value == harmless else {
                throw QueueError(.invalidAttributeName, "The attribute \(name) is not supported by Crema.")
            }
        } else {
            throw QueueError(.invalidAttributeName, "Unknown Attribute \(name).")
        }
    }

    /// An empty text takes a document away.
    private mutating func set(document name: String, _ text: String) throws(QueueError) {
        switch name {
        case "RedrivePolicy": redrivePolicy = text.isEmpty ? nil : try RedrivePolicy(json: text)
        case "RedriveAllowPolicy": redriveAllowPolicy = text.isEmpty ? nil : try RedriveAllowPolicy(json: text)
        default:
            do throws(AllowingPolicy.Refusal) { if !text.isEmpty { _ = try AllowingPolicy(parsing: text) } } catch {
                let reason =
                    switch error {
                    case .invalid(let reason): reason
                    case .denial(let statement):
                        "Effect Deny of statement \(statement) is not supported by Crema: nobody checks who uses a queue. Allow is taken"
                    }
                throw QueueError(.invalidAttributeValue, "Invalid value for the parameter Policy. Reason: \(reason).")
            }
            policy = text.isEmpty ? nil : text
        }
    }

    private mutating func set(kind value: String) throws(QueueError) {
        guard let isOrdered = FIFOSettings.boolean(value) else { throw FIFOSettings.invalid(Self.kind, value) }
        fifo = isOrdered ? fifo ?? FIFOSettings() : nil
    }

    /// As a request for attributes shows them.
    package var attributes: [String: String] {
        var attributes: [String: String] = [:]
        for number in Self.numbers { attributes[number.name] = String(self[keyPath: number.path]) }
        attributes["RedrivePolicy"] = redrivePolicy?.text
        attributes["RedriveAllowPolicy"] = redriveAllowPolicy?.text
        attributes["Policy"] = policy
        if isSaidToBeEncrypted { attributes[Self.encryption] = "true" }
        if let fifo { attributes.merge(fifo.attributes) { $1 } }
        return attributes
    }
}
