import Queues
import Rules

/// The attributes of a message as requests and answers write them.
enum MessageAttributeDocument {
    static func read(_ members: RequestMembers) throws(ServiceError) -> [String: QueueMessageAttribute] {
        var attributes: [String: QueueMessageAttribute] = [:]
        for (name, value) in try members.map("MessageAttributes", known: ["DataType", "StringValue", "BinaryValue"]) ?? [] {
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
