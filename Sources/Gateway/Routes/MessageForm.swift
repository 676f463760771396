import Rules

/// A SendMessage call in the queues' older protocol: a form, as most integrations of REST APIs write it.
struct MessageForm {
    private(set) var fields: [(name: String, value: String)]

    /// - Throws: for a broken escape.
    init(parsing text: String) throws(ServiceError) {
        fields = []
        // A template's last line ends, and a form does not.
        let blanks: Set<Character> = [" ", "\t", "\n", "\r\n", "\r"]
        let end = text.lastIndex { !blanks.contains($0) }.map { text.index(after: $0) } ?? text.startIndex
        for pair in text[..<end].drop(while: { blanks.contains($0) }).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { throw ServiceError(.serialization, "The request body is no form: a broken escape in '\(parts[0])'.") }
            fields.append((name, value))
        }
    }

    mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

    /// The call in the JSON protocol, to the queue that the integration's URI names or that the form does.
    ///
    /// Another action, and a field that Crema does not act on, are refused by name.
    func call(queue: String?) throws(ServiceError) -> [UInt8] {
        var call = SendMessageCall()
        call.queueURL = queue
        var attributes: [Int: [String: String]] = [:]
        for (name, value) in fields {
            switch name {
            case "Action":
                guard value == "SendMessage" else { throw .unknownOperation("AmazonSQS.\(value)") }
            case "Version": break
            case "QueueUrl": call.queueURL = value
            case "MessageBody": call.body = value
            case "DelaySeconds": call.delaySeconds = value
            case "MessageGroupId": call.groupID = value
            case "MessageDeduplicationId": call.deduplicationID = value
            default:
                guard let (number, part) = Self.attribute(name) else {
                    throw ServiceError(.validation, "\(name) is not supported by Crema in SendMessage.")
                }
                attributes[number, default: [:]][part] = value
            }
        }
        if !attributes.isEmpty { call.attributes = Self.json(attributes) }
        return call.json
    }

    /// `MessageAttribute.1.Value.StringValue` is of attribute 1.
    private static func attribute(_ field: String) -> (number: Int, part: String)? {
        let parts = field.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "MessageAttribute", let number = Int(parts[1]) else { return nil }
        switch parts[2] {
        case "Name": return (number, "Name")
        case "Value.StringValue", "Value.BinaryValue", "Value.DataType": return (number, String(parts[2].dropFirst("Value.".count)))
        default: return nil
        }
    }

    private static func json(_ attributes: [Int: [String: String]]) -> [UInt8] {
        var map: [String: AnswerDocument] = [:]
        for (_, attribute) in attributes {
            var value = attribute
            map[value.removeValue(forKey: "Name") ?? ""] = .texts(value)
        }
        return AnswerDocument.map(map).json
    }
}
