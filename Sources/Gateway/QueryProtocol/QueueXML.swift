import HTTPTypes
import Queues

/// The answers of the queues' query protocol: the documents of the JSON protocol in XML, under the names of the model of 2012-11-05.
struct QueueXML {
    static let mediaType = "text/xml"
    private static let head = #"<?xml version="1.0"?>"#
    private static let space = #"xmlns="http://queue.amazonaws.com/doc/2012-11-05/""#

    private(set) var bytes: [UInt8] = []
    /// What an entry of `Successful` is called.
    private let entry: String

    /// The answer of an operation.
    init(_ document: AnswerDocument, of operation: QueuesService.Operation, requestID: String) {
        let name = operation.rawValue
        entry = "\(name)ResultEntry"
        bytes += "\(Self.head)<\(name)Response \(Self.space)>".utf8
        // SDKs look for the result where there is one in the model, be it empty or not.
        if operation.hasResult { append(document, as: "\(name)Result") }
        bytes += "<ResponseMetadata>".utf8
        append(.text(requestID), as: "RequestId")
        bytes += "</ResponseMetadata></\(name)Response>".utf8
    }

    /// The answer to a request that fails as a whole.
    init(_ error: ServiceError, requestID: String) {
        entry = ""
        bytes += "\(Self.head)<ErrorResponse \(Self.space)><Error>".utf8
        append(.text(error.status.code >= 500 ? "Receiver" : "Sender"), as: "Type")
        append(.text(error.queryCode), as: "Code")
        append(.text(error.message), as: "Message")
        bytes += "<Detail/></Error>".utf8
        append(.text(requestID), as: "RequestId")
        bytes += "</ErrorResponse>".utf8
    }

    // Recursion follows the documents that Crema writes, which are shallow.
    private mutating func append(_ document: AnswerDocument, as name: String) {
        switch document {
        case .text(let text): element(name) { $0.append(text) }
        case .number(let number): element(name) { $0.bytes += String(number).utf8 }
        case .boolean(let value): element(name) { $0.bytes += (value ? "true" : "false").utf8 }
        case .json(let json): element(name) { $0.append(String(decoding: json, as: UTF8.self)) }
        case .list(let elements):
            for document in elements { append(document, as: one(of: name)) }
        case .object(let members):
            element(name) { writer in
                for case (let member, let document?) in members { writer.append(document, as: member) }
            }
        case .map(let members):
            for (key, document) in members.sorted(by: { $0.key < $1.key }) {
                element(one(of: name)) { writer in
                    writer.append(.text(key), as: name == "Tags" ? "Key" : "Name")
                    writer.append(document, as: "Value")
                }
            }
        }
    }

    /// What each of several is called: lists and maps have no element of their own.
    private func one(of name: String) -> String {
        switch name {
        case "Attributes", "MessageAttributes", "Messages", "QueueUrls", "Tags": String(name.dropLast())
        case "queueUrls": "QueueUrl"
        case "Successful": entry
        case "Failed": "BatchResultErrorEntry"
        case "Results": "ListMessageMoveTasksResultEntry"
        default: name
        }
    }

    private mutating func element(_ name: String, _ content: (inout QueueXML) -> Void) {
        bytes += "<\(name)>".utf8
        content(&self)
        bytes += "</\(name)>".utf8
    }

    /// A text with what XML 1.0 reads as something else; a carriage return would come out as a line feed (section 2.11).
    private mutating func append(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": bytes += "&amp;".utf8
            case "<": bytes += "&lt;".utf8
            case ">": bytes += "&gt;".utf8
            case "\"": bytes += "&quot;".utf8
            case "\r": bytes += "&#xD;".utf8
            default: bytes += (NewQueueMessage.isAllowed(scalar.value) ? scalar : "\u{FFFD}").utf8
            }
        }
    }
}

extension QueuesService.Operation {
    /// Whether the service's model has something to answer.
    fileprivate var hasResult: Bool {
        switch self {
        case .deleteQueue, .purgeQueue, .setQueueAttributes, .tagQueue, .untagQueue, .addPermission, .removePermission, .deleteMessage,
            .changeMessageVisibility:
            false
        case .createQueue, .getQueueURL, .listQueues, .getQueueAttributes, .listQueueTags, .listDeadLetterSourceQueues, .sendMessage,
            .sendMessageBatch, .receiveMessage, .deleteMessageBatch, .changeMessageVisibilityBatch, .startMessageMoveTask,
            .listMessageMoveTasks, .cancelMessageMoveTask:
            true
        }
    }
}

extension ServiceError {
    /// What the query protocol calls the error: see "Common errors" in the Amazon SQS API reference.
    fileprivate var queryCode: String {
        if let name = withOlderName.olderCode { return name }
        return switch Code(rawValue: code) {
        case .validation: "ValidationError"
        case .serialization: "MalformedQueryString"
        case .unknownOperation: "InvalidAction"
        case .throttling: "Throttling"
        case .serviceUnavailable: "ServiceUnavailable"
        case .requestTimeout: "RequestTimeout"
        default: code
        }
    }
}
