import Documents
import Queues
import Rules

/// Messages that routes of a REST API send.
///
/// An integration with a queue in its path names that queue, and whoever calls the route has no say in it.
extension RouteServices {
    private static let jsonType = "application/x-amz-json-1.0"

    /// In the queues' JSON protocol, or as a form with what the integration puts into the query.
    func send(
        _ route: MappedRoute, _ queue: String?, _ body: [UInt8], _ request: RouteRequest
    ) async throws(ServiceError) -> ServiceResult {
        var query: [(name: String, value: String)] = []
        var mediaType: ParameterValue.Part?
        for (target, source) in route.integration.requestParameters {
            switch target {
            case .header("content-type"): mediaType = source
            case .header: break
            case .queryString(let name):
                if let value = request.mapped(source) { query.append((name, value)) }
            }
        }
        let isForm = mediaType != .constant(Self.jsonType) && (mediaType != nil || queue != nil || !query.isEmpty)
        guard isForm else {
            let call = ServiceCall(body: try Self.json(body, to: queue), origin: Self.origin)
            return ServiceResult(status: 200, mediaType: QueuesService.mediaType, body: try await queues.perform(.sendMessage, call))
        }
        // With fields in the query alone, the body that passed through is no form.
        let written = query.isEmpty || !route.requestTemplates.isEmpty ? String(decoding: body, as: UTF8.self) : ""
        var form = try QueryForm(parsing: written[...], fieldsMax: queues.formFieldsMax)
        for (name, value) in query { form.set(name, value) }
        if let action = form["Action"], action != QueuesService.Operation.sendMessage.rawValue {
            throw .unknownOperation("\(QueuesService.prefix).\(action)")
        }
        if let queue {
            if let url = form["QueueUrl"] { try Self.check(url, is: queue) }
            form.set("QueueUrl", queue)
        }
        let call = ServiceCall(body: try QueueFormReader(operation: .sendMessage).json(form), origin: Self.origin)
        let answer = try await queues.perform(.sendMessage, call)
        let text = #"{"SendMessageResponse":{"ResponseMetadata":{"RequestId":"\#(request.requestID)"},"SendMessageResult":"#
        return ServiceResult(status: 200, mediaType: "application/json", body: Array(text.utf8) + answer + Array("}}".utf8))
    }

    /// The call with the queue that the integration names, if it names one.
    private static func json(_ body: [UInt8], to queue: String?) throws(ServiceError) -> [UInt8] {
        guard let queue else { return body }
        guard let document = try? JSONDocument(parsing: body, limits: JSONLimits(bytesMax: max(1, body.count))),
            document.root.kind == .object, !document.repeatsMembers
        else { throw ServiceError(.serialization, "The body that the route makes is no JSON object, or has a member twice.") }
        if let url = document.root["QueueUrl"] {
            try check(url.stringValue ?? "", is: queue)
            return body
        }
        var call = Array(#"{"QueueUrl":"#.utf8)
        JSONText.appendString(queue.utf8, to: &call)
        for member in document.root.members {
            call.append(UInt8(ascii: ","))
            JSONText.appendString(member.key, to: &call)
            call.append(UInt8(ascii: ":"))
            member.value.appendJSON(to: &call)
        }
        return call + [UInt8(ascii: "}")]
    }

    private static func check(_ url: String, is queue: String) throws(ServiceError) {
        guard QueueName(url: url) == QueueName(url: queue) else {
            throw ServiceError(.invalid(QueryForm.shown(url), "QueueUrl", "The route goes to another queue."))
        }
    }
}
