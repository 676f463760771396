import MQTTCodec
import Rules

/// Where a rule delivers what it matched, and in which form.
struct Target: Sendable {
    enum Destination: Sendable {
        case topic(TopicDestination)
        /// A queue, by its name, and the group of its messages there.
        case queue(String, group: String?)
        /// Another bus, by its name; it gets the event as it is.
        case bus(String)
        /// An API destination, with what the target adds to its calls.
        case call(APIDestination, HTTPParameters)
        case function(LambdaFunction)
        /// A group of log lines, by its name: a line of Crema's own log.
        case log(group: String)
    }

    /// All of it as it was given: the JSON of an object with EventBridge's members.
    let definition: [UInt8]
    let id: String
    /// As the template writes it.
    let arn: String
    let input: TargetInput
    var destination: Destination
    /// The name of the queue that gets the events whose delivery fails.
    let deadLetterQueue: String?
    var retryPolicy = RetryPolicy()

    /// Where it is: what one place asks for holds up no other.
    var place: String {
        guard case .call(let destination, _) = destination else { return arn }
        return "\(arn) \(destination.endpoint.origin)\(destination.path.joined(separator: "*"))"
    }
}

/// A topic: Crema's addition to EventBridge's targets.
struct TopicDestination: Sendable {
    let topic: TopicTemplate
    let qos: QoS
    let retain: Bool
    /// After how many seconds a message is no longer worth delivering, nor keeping; `nil` for never.
    let expirySeconds: UInt32?
}
