import Documents
import Rules

/// A route of an HTTP API that sends one message: an `SQS-SendMessage` integration.
struct MessageRoute: Sendable {
    private let parameters: [APIRoute.MessageParameter: ParameterValue]
    /// Whether a request's body must be JSON.
    let readsJSONBody: Bool

    init(_ parameters: [APIRoute.MessageParameter: ParameterValue]) {
        self.parameters = parameters
        readsJSONBody = parameters.values.readJSONBody
    }

    /// The body of the SendMessage call that a request asks for, without what it can do without and the request does not have.
    ///
    /// - Throws: naming the first part that the request does not have.
    func call(for request: RouteRequest) throws(RouteError) -> [UInt8] {
        var call = SendMessageCall()
        call.queueURL = try text(.queueURL, request)
        call.body = try text(.body, request)
        call.delaySeconds = try text(.delaySeconds, request)
        call.groupID = try text(.groupID, request)
        call.deduplicationID = try text(.deduplicationID, request)
        if let attributes = try text(.attributes, request) {
            guard let object = try? JSONDocument(parsing: Array(attributes.utf8)).root, object.kind == .object else {
                throw .badRequest("MessageAttributes is not a JSON object")
            }
            call.attributes = object.rawJSON
        }
        return call.json
    }

    private func text(_ parameter: APIRoute.MessageParameter, _ request: RouteRequest) throws(RouteError) -> String? {
        guard let value = parameters[parameter] else { return nil }
        guard APIRoute.MessageParameter.required.contains(parameter) else {
            return try request.optionalText(of: value, named: parameter.rawValue)
        }
        return try request.text(of: value, named: parameter.rawValue)
    }
}

/// A call of SendMessage as it is put together.
struct SendMessageCall {
    var queueURL: String?
    var body: String?
    /// A number as it was written; what is none is refused by the queues.
    var delaySeconds: String?
    /// JSON.
    var attributes: [UInt8]?
    var groupID: String?
    var deduplicationID: String?

    /// In the JSON protocol.
    var json: [UInt8] {
        var output: [UInt8] = [UInt8(ascii: "{")]
        func add(_ name: String, _ value: [UInt8]) {
            if output.count > 1 { output.append(UInt8(ascii: ",")) }
            JSONText.appendString(name.utf8, to: &output)
            output.append(UInt8(ascii: ":"))
            output += value
        }
        if let queueURL { add("QueueUrl", Self.string(queueURL)) }
        if let body { add("MessageBody", Self.string(body)) }
        if let delaySeconds { add("DelaySeconds", Int(delaySeconds).map { Array("\($0)".utf8) } ?? Self.string(delaySeconds)) }
        if let attributes { add("MessageAttributes", attributes) }
        if let groupID { add("MessageGroupId", Self.string(groupID)) }
        if let deduplicationID { add("MessageDeduplicationId", Self.string(deduplicationID)) }
        output.append(UInt8(ascii: "}"))
        return output
    }

    private static func string(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        JSONText.appendString(text.utf8, to: &output)
        return output
    }
}
