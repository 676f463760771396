import Queues
import Rules

/// The attributes of a message as requests and answers write them.
enum MessageAttributeDocument {
    static func read(
        _ members: RequestMembers, from member: String = "MessageAttributes"
    ) throws(ServiceError) -> [String: QueueMessageAttribute] {
        var attributes: [String: QueueMessageAttribute] = [:]
        for (name, value) in try members.map(member, known: ["DataType", "StringValue", "BinaryValue"]) ?? [] {
            guard let type = try value.text("DataType") else {
                throw ServiceError(
                    QueueError(.invalidParameterValue, "The message attribute '\(name)' must contain a non-empty message attribute type."))
            }
            attributes[name] = QueueMessageAttribute(dataType: type, value: try read(value, of: name))
        }
        return attributes
    }

    private static func read(_ members: RequestMembers, of name: String) throws(ServiceError) -> QueueMessageAttribute.Value {
        switch (try members.text("StringValue"), try members.text("BinaryValue")) {
        case (let text?, nil): return .text(text)
        case (nil, let base64?):
            guard let bytes = Base64.decode(Array(base64.utf8)[...]) else {
                throw ServiceError(.serialization, "BinaryValue in \(members.what) is not Base64.")
            }
            return .binary(bytes)
        default:
            throw ServiceError(
                QueueError(.invalidParameterValue, "Message attribute '\(name)' must contain either a StringValue or a BinaryValue."))
        }
    }

    /// The one attribute that senders may give beside their own.
    static func traceHeader(_ members: RequestMembers) throws(ServiceError) -> String? {
        let attributes = try read(members, from: "MessageSystemAttributes")
        if let other = attributes.keys.filter({ $0 != traceHeaderName }).min() {
            throw ServiceError(QueueError(.invalidParameterValue, "Message system attribute name '\(other)' is invalid."))
        }
        guard let attribute = attributes[traceHeaderName] else { return nil }
        guard case .text(let text) = attribute.value, attribute.dataType == "String" else {
            throw ServiceError(QueueError(.invalidParameterValue, "The message system attribute '\(traceHeaderName)' must be a String."))
        }
        return text
    }

    static let traceHeaderName = "AWSTraceHeader"

    static func document(_ attributes: [String: QueueMessageAttribute]) -> AnswerDocument {
        .map(
            attributes.mapValues { attribute in
                switch attribute.value {
                case .text(let text): .object(["StringValue": .text(text), "DataType": .text(attribute.dataType)])
                case .binary(let bytes):
                    .object([
                        "BinaryValue": .text(String(decoding: Base64.encode(bytes), as: UTF8.self)), "DataType": .text(attribute.dataType),
                    ])
                }
            })
    }
}
