import Documents
import HTTPExchange
import HTTPListening
import Hummingbird
import NIOCore
import Queues
import Trust

/// The queues' API in the protocol that SDKs spoke before November 2023, and some still do: a form to the service or to the queue's own URL.
extension QueuesService {
    private static let formType = "application/x-www-form-urlencoded"

    /// Whether a request posts a form.
    static func isForm(_ request: Request) -> Bool {
        let type = request.headers[.contentType]?.lowercased().prefix { $0 != ";" && $0 != " " }
        return request.method == .post && type == formType[...]
    }

    /// The queue whose own URL has this path, `/ACCOUNT/NAME`.
    static func queue(ofPath path: Substring) -> QueueName? {
        let levels = path.split(separator: "/", omittingEmptySubsequences: false)
        guard levels.count == 3, levels[0].isEmpty, levels[1].utf8.count == TemplateScope.accountID.utf8.count,
            levels[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return QueueName(url: String(levels[2]))
    }

    /// Answers a call that came as a form.
    ///
    /// - Parameters:
    ///   - request: as it came.
    ///   - path: to the service or to a queue.
    ///   - unfinished: who calls, as far as that is known without the body.
    ///   - departure: for calls that wait.
    ///   - bodySecondsMax: how long the body may take.
    ///   - requestID: told in the answer.
    /// - Returns: the body of the answer, whose status is 200.
    /// - Throws: for whatever is refused; the answer has it in XML.
    func answerForm(
        _ request: Request, path: Substring, by unfinished: CallerCheck.Unfinished, _ departure: PeerDeparture, bodySecondsMax: Int,
        requestID: String
    ) async throws(ServiceError) -> [UInt8] {
        let (body, caller) = try await unfinished.finish(request, bodyBytesMax: bodyBytesMax, seconds: bodySecondsMax)
        guard Self.isForm(request) else {
            throw ServiceError(
                .validation, "Calls without X-Amz-Target are forms in Crema: POST with Content-Type \(Self.formType), not in the query.")
        }
        guard request.uri.query?.isEmpty ?? true else {
            throw ServiceError(.validation, "Parameters in the URL are not supported by Crema beside a form: they belong into the form.")
        }
        guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
            throw ServiceError(.serialization, "The request body is not UTF-8.")
        }
        var form = try QueryForm(parsing: text[...], fieldsMax: formFieldsMax)
        let operation = try Self.operation(of: form)
        try Self.setQueue(of: path, in: &form, operation)
        let call = ServiceCall(
            body: try QueueFormReader(operation: operation).json(form), origin: "http://\(request.head.authority ?? "127.0.0.1")",
            departure: departure, caller: caller)
        return QueueXML(try await document(operation, call), of: operation, requestID: requestID).bytes
    }

    private static func operation(of form: QueryForm) throws(ServiceError) -> Operation {
        guard let action = form["Action"] else { throw ServiceError(QueueError.missing("Action")) }
        guard let operation = Operation(rawValue: action) else { throw .unknownOperation("\(prefix).\(action)") }
        let version = form["Version"] ?? QueueFormReader.version
        guard version == QueueFormReader.version else {
            throw ServiceError(.validation, "Version \(version) is not supported by Crema; there is \(QueueFormReader.version).")
        }
        return operation
    }

    /// Takes the queue from the path, where some SDKs have it instead of in the form.
    private static func setQueue(of path: Substring, in form: inout QueryForm, _ operation: Operation) throws(ServiceError) {
        guard path != "/", operation.isOfQueue else { return }
        guard let queue = queue(ofPath: path) else {
            throw ServiceError(QueueError(.invalidAddress, "The address \(path) is not valid for this endpoint."))
        }
        if let url = form["QueueUrl"], QueueName(url: url) != queue {
            throw ServiceError(.invalid(url, "QueueUrl", "The request goes to the queue \(queue.text)."))
        }
        form.set("QueueUrl", queue.text)
    }
}

extension QueuesService.Operation {
    /// Whether its call names a queue by `QueueUrl`.
    fileprivate var isOfQueue: Bool {
        switch self {
        case .createQueue, .getQueueURL, .listQueues, .startMessageMoveTask, .listMessageMoveTasks, .cancelMessageMoveTask: false
        default: true
        }
    }
}
