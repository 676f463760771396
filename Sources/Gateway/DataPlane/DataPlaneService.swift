import BrokerCore
import EventBus
import HTTPListening
import Hummingbird
import MQTTCodec
import NIOCore
import Rules
import Trust

/// AWS IoT's data plane, as far as it is about messages: what back ends publish without a connection, and what is retained.
///
/// See the AWS IoT Data Plane's API reference.
struct DataPlaneService: Sendable {
    /// Topics in one answer of ListRetainedMessages, unless asked for fewer.
    private static let pageMax = 200

    let broker: any BrokerAccess
    let limits: GatewayLimits
    /// Returns when what was published is on disk, or cannot be.
    let kept: @Sendable () async throws(ControlError) -> Void

    /// Carries out a call; what is published has been routed to its subscribers when this returns.
    ///
    /// - Returns: the body of the answer, whose status is 200.
    func answer(
        _ call: DataPlaneCall, _ request: Request, query: Substring?, by unfinished: CallerCheck.Unfinished, requestID: String
    ) async throws(DataPlaneError) -> [UInt8] {
        let payload: ByteBuffer
        do throws(BodyReadError) {
            payload = try await request.readBody(upTo: limits.httpBodyBytesMax, seconds: limits.httpBodySecondsMax)
        } catch { throw DataPlaneError(error) }
        let caller: Caller
        do throws(SignatureFailure) { caller = try unfinished.finish(payload) } catch { throw .signature(error) }
        try Self.authorize(call, caller)
        return try await carryOut(call, request, query: query, payload, by: caller, requestID)
    }

    private static func authorize(_ call: DataPlaneCall, _ caller: Caller) throws(DataPlaneError) {
        switch call {
        case .publish(let topic): try require("iot:Publish", on: topic, caller)
        case .getRetainedMessage(let topic): try require("iot:GetRetainedMessage", on: topic, caller)
        case .listRetainedMessages: try require("iot:ListRetainedMessages", on: "*", caller)
        }
    }

    private static func require(_ action: String, on topic: String, _ caller: Caller) throws(DataPlaneError) {
        if caller.mayEverything { return }
        do throws(ServiceError) { try caller.require(action, on: CallResource.arn("iot", "topic/\(topic)")) } catch {
            throw .accessDenied(error.message, reason: error.logged ?? "")
        }
    }

    private func carryOut(
        _ call: DataPlaneCall, _ request: Request, query: Substring?, _ payload: ByteBuffer, by caller: Caller, _ requestID: String
    ) async throws(DataPlaneError) -> [UInt8] {
        switch call {
        case .publish(let topic):
            let call = try PublishCall(topic: topic, query: query, headers: request.headers)
            if call.retain { try Self.require("iot:RetainPublish", on: topic, caller) }
            return try await publish(call, payload, requestID)
        case .getRetainedMessage(let topic): return try await retainedMessage(on: topic)
        case .listRetainedMessages: return try await list(QueryParameters(query), for: caller)
        }
    }

    private func publish(_ call: PublishCall, _ payload: ByteBuffer, _ requestID: String) async throws(DataPlaneError) -> [UInt8] {
        if let problem = broker.problem(ofTopic: call.topic) { throw .invalid("The topic is \(problem)") }
        var message = try call.message(payload, now: broker.now)
        if let trace = TraceContext.current { message = message.traced(trace) }
        guard broker.admitsPublish() else { throw .throttled }
        guard await broker.publish([message]) == .kept else { throw .notKept }
        do throws(ControlError) { try await kept() } catch { throw .notKept }
        return AnswerDocument.object(["message": .text("OK"), "traceId": .text(requestID)]).json
    }

    // MARK: - Retained messages

    private func retainedMessage(on topic: String) async throws(DataPlaneError) -> [UInt8] {
        guard let found = await broker.retainedMessage(on: topic) else { throw .notFound(topic: topic) }
        let payload = Base64.encode(found.message.payload.readableBytesView)
        return AnswerDocument.object([
            "topic": .text(topic), "payload": .text(String(decoding: payload, as: UTF8.self)),
            "qos": .number(Int(found.message.qos.rawValue)), "lastModifiedTime": .number(found.retainedMilliseconds),
            "userProperties": Self.userProperties(of: found.message).map { .text($0) },
        ]).json
    }

    /// As a call of Publish gives them: base64 of an array of objects; nil where there are none.
    private static func userProperties(of message: Message) -> String? {
        guard let forwarded = message.properties?.forwarded else { return nil }
        let properties = Properties(forwarded: forwarded).userProperties
        guard !properties.isEmpty else { return nil }
        let document = AnswerDocument.list(properties.map { .map([$0.name: .text($0.value)]) })
        return String(decoding: Base64.encode(document.json), as: UTF8.self)
    }

    private func list(_ query: QueryParameters, for caller: Caller) async throws(DataPlaneError) -> [UInt8] {
        let known = ["maxResults", "nextToken"]
        if let other = query.values.keys.sorted().first(where: { !known.contains($0) }) {
            throw .invalid("ListRetainedMessages has no parameter \(other); there are \(known.joined(separator: ", "))")
        }
        let most = query["maxResults"].map { Int($0) } ?? Self.pageMax
        guard let most, (1...Self.pageMax).contains(most) else { throw .invalid("maxResults must be between 1 and \(Self.pageMax)") }
        let token = ListingToken(listing: ["ListRetainedMessages"])
        var first = ""
        if let text = query["nextToken"] {
            guard let name = token.name(in: text) else { throw .invalid("Invalid nextToken") }
            first = name
        }
        let (found, next) = await readable(from: first, atMost: most, by: caller)
        return AnswerDocument.object([
            "retainedTopics": .list(
                found.map { found in
                    .object([
                        "topic": .text(found.message.topicName), "payloadSize": .number(found.message.payload.readableBytes),
                        "qos": .number(Int(found.message.qos.rawValue)), "lastModifiedTime": .number(found.retainedMilliseconds),
                    ])
                }),
            "nextToken": next.map { .text(token.text(at: $0)) },
        ]).json
    }

    /// Messages on topics that are not denied to the caller, and the first topic after them: what is denied is not told of, in a token either.
    private func readable(from first: String, atMost most: Int, by caller: Caller) async -> (rows: [RetainedSummary], next: String?) {
        await broker.retainedMessages(from: first, limit: most) { topic in
            caller.mayEverything || !caller.isDenied("iot:GetRetainedMessage", on: CallResource.arn("iot", "topic/\(topic)"))
        }
    }
}
