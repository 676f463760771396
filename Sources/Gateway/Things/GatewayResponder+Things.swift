import Hummingbird

/// Calls of AWS IoT's API for things, certificates and policies.
extension GatewayResponder {
    func answer(
        _ request: Request, _ context: Context, _ call: ThingsCall, query: Substring?, _ requestID: String
    ) async -> Answer {
        do throws(ServiceError) {
            let unfinished = try begin(request, context, for: "iot")
            let body = try await things.answer(call, request, query: query, by: unfinished)
            return Answer(handler: .things, response: Self.response(.ok, Self.json, body, requestID))
        } catch {
            return Answer(handler: .things, response: Self.response(error, Self.json, requestID), refusal: error.reason)
        }
    }
}
