import Hummingbird

/// Calls of the queues that come as forms.
extension GatewayResponder {
    /// Whether a request is for the queues in their query protocol: one that names them in its signature, as AWS SDKs do, or a form to the
    /// service or to a queue's own URL, where no route has the path.
    func isQueueForm(_ request: Request, path: Substring) -> Bool {
        // `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`
        if !request.isFromPage, request.headers[.authorization]?.contains("/sqs/aws4_request") ?? false { return true }
        guard QueuesService.isForm(request), path == "/" || QueuesService.queue(ofPath: path) != nil else { return false }
        if case .none = routes.value.match(method: request.method.rawValue, path: path) { return true }
        return false
    }

    /// Answers in XML, also where it refuses.
    func answerQueueForm(_ request: Request, _ context: Context, path: Substring, requestID: String) async -> Answer {
        do throws(ServiceError) {
            // A form is what a page may send anywhere without asking its browser first.
            guard !request.isFromPage else { throw Self.fromPage }
            let unfinished = try begin(request, context, for: QueuesService.signingName)
            let body = try await queues.answerForm(
                request, path: path, by: unfinished, context.departure, bodySecondsMax: limits.httpBodySecondsMax, requestID: requestID)
            return Answer(handler: .queues, response: Self.response(.ok, QueueXML.mediaType, body, requestID))
        } catch {
            let body = QueueXML(error, requestID: requestID).bytes
            return Answer(
                handler: .queues, response: Self.response(error.status, QueueXML.mediaType, body, requestID), refusal: error.reason)
        }
    }
}
