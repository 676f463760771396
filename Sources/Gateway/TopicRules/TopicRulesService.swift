import EventBus
import HTTPExchange
import HTTPListening
import Hummingbird
import NIOCore
import Rules
import Things
import Trust

/// AWS IoT's API for topic rules, in the REST form of the AWS protocols.
struct TopicRulesService: Sendable {
    static let mediaType = "application/json"
    private static let pageMax = 10_000

    let control: ControlPlane
    /// Whose resources have no tags, but may be asked for them.
    let things: ThingRegistry
    let limits: GatewayLimits
    /// Tells the broker to ask for the filters of the topic rules again; returns when it has.
    let topicFiltersChanged: @Sendable () async -> Void

    /// Carries out a call; a change is in force when this returns.
    ///
    /// - Returns: the body of the answer, whose status is 200; empty where there is nothing to say.
    func answer(
        _ call: TopicRulesCall, _ request: Request, query: Substring?, by unfinished: CallerCheck.Unfinished
    ) async throws(ServiceError) -> [UInt8] {
        let (body, caller) = try await unfinished.finish(
            request, bodyBytesMax: limits.httpBodyBytesMax, seconds: limits.httpBodySecondsMax)
        if !caller.mayEverything { try caller.require(call.action, on: Self.resource(of: call, query, body)) }
        return try await carryOut(call, request, query: query, body)
    }

    /// The ARN of what a call is about; a list is asked for under `*`.
    private static func resource(of call: TopicRulesCall, _ query: Substring?, _ body: ByteBuffer) -> String {
        switch call {
        case .create(let name), .replace(let name), .get(let name), .delete(let name), .setEnabled(let name, _):
            CallResource.arn("iot", "rule/\(name)")
        case .list: CallResource.arn("iot", "rule/*")
        case .describeEndpoint: CallResource.arn("iot", "*")
        case .listTags: QueryParameters(query)["resourceArn"] ?? ""
        case .tag, .untag: (try? parse(body))?["resourceArn"]?.stringValue ?? ""
        }
    }

    private func carryOut(
        _ call: TopicRulesCall, _ request: Request, query: Substring?, _ body: ByteBuffer
    ) async throws(ServiceError) -> [UInt8] {
        switch call {
        case .create(let name):
            try Self.check(name)
            let tags = try Self.tags(request.headers[.amazonTagging] ?? "")
            let rule = try Self.parse(body)
            return try await change { (control) throws(ControlError) in try control.createTopicRule(name, rule, tags: tags) }
        case .replace(let name):
            try Self.check(name)
            let rule = try Self.parse(body)
            return try await change { (control) throws(ControlError) in try control.replaceTopicRule(name, rule) }
        case .setEnabled(let name, let enabled):
            try Self.check(name)
            return try await change { (control) throws(ControlError) in try control.setTopicRule(name, enabled: enabled) }
        case .delete(let name):
            try Self.check(name)
            return try await change { (control) throws(ControlError) in try control.deleteTopicRule(name) }
        case .get(let name):
            try Self.check(name)
            let rule = try ask { (control) throws(ControlError) in try control.topicRule(name) }
            return AnswerDocument.object(["ruleArn": .text(rule.arn), "rule": Self.document(rule)]).json
        case .list: return try list(QueryParameters(query))
        case .listTags: return try listTags(QueryParameters(query))
        case .tag, .untag: return try await tag(try Self.parse(body))
        case .describeEndpoint: return try endpoint(QueryParameters(query), authority: request.head.authority ?? "")
        }
    }

    // MARK: - Changing

    private func change(_ change: (ControlPlane) throws(ControlError) -> Void) async throws(ServiceError) -> [UInt8] {
        try ask(change)
        await topicFiltersChanged()
        try await kept()
        return []
    }

    /// Returns when what was changed outlives a crash.
    func kept() async throws(ServiceError) {
        do throws(ControlError) { try await control.kept() } catch { throw ServiceError(error) }
    }

    func ask<Value>(_ question: (ControlPlane) throws(ControlError) -> Value) throws(ServiceError) -> Value {
        do throws(ControlError) { return try question(control) } catch {
            // EventBridge's code is none of AWS IoT's.
            if error.code == .validation { throw Self.invalid(error.message) }
            throw ServiceError(error, status: Self.status(of: error.code))
        }
    }

    // MARK: - Listing

    private func list(_ query: QueryParameters) throws(ServiceError) -> [UInt8] {
        let most = query["maxResults"].map { Int($0) } ?? Self.pageMax
        guard let most, (1...Self.pageMax).contains(most) else { throw Self.invalid("maxResults must be between 1 and \(Self.pageMax).") }
        var rules = try ask { (control) throws(ControlError) in try control.topicRules() }
        let token = ListingToken(listing: ["ListTopicRules", query["topic"] ?? "", query["ruleDisabled"] ?? ""])
        if let text = query["nextToken"] {
            guard let first = token.name(in: text) else { throw Self.invalid("Invalid nextToken") }
            rules.removeAll { $0.name < first }
        }
        if let topic = query["topic"] { rules.removeAll { !$0.isFor(topic: topic) } }
        if let disabled = query["ruleDisabled"] {
            guard ["true", "false"].contains(disabled) else { throw Self.invalid("ruleDisabled must be true or false.") }
            rules.removeAll { $0.isEnabled == (disabled == "true") }
        }
        let known = ["maxResults", "nextToken", "topic", "ruleDisabled"]
        if let other = query.values.keys.sorted().first(where: { !known.contains($0) }) {
            throw Self.invalid("ListTopicRules has no parameter \(other); there are \(known.joined(separator: ", ")).")
        }
        return AnswerDocument.object([
            "rules": .list(rules.prefix(most).map(Self.summary)),
            "nextToken": rules.dropFirst(most).first.map { .text(token.text(at: $0.name)) },
        ]).json
    }

    private static func summary(_ rule: TopicRuleDescription) -> AnswerDocument {
        .object([
            "ruleArn": .text(rule.arn), "ruleName": .text(rule.name), "topicPattern": rule.topicFilter.map { .text($0) },
            "createdAt": .seconds(milliseconds: rule.createdMilliseconds), "ruleDisabled": .boolean(!rule.isEnabled),
        ])
    }

    private static func document(_ rule: TopicRuleDescription) -> AnswerDocument {
        .object([
            "ruleName": .text(rule.name), "sql": .text(rule.sql), "description": rule.description.map { .text($0) },
            "createdAt": .seconds(milliseconds: rule.createdMilliseconds), "actions": .json(rule.actions),
            "ruleDisabled": .boolean(!rule.isEnabled), "awsIotSqlVersion": .text(rule.version),
            "errorAction": rule.errorAction.map { .json($0) },
        ])
    }

    // MARK: - Where devices connect

    /// The host that the caller has reached: MQTT is served there, too, on listeners of its own.
    private func endpoint(_ query: QueryParameters, authority: String) throws(ServiceError) -> [UInt8] {
        let type = query["endpointType"] ?? Self.endpointType
        guard type == Self.endpointType else {
            throw Self.invalid("Endpoint type \(type) is not supported by Crema; there is \(Self.endpointType).")
        }
        return AnswerDocument.object(["endpointAddress": .text(Self.host(in: authority))]).json
    }

    /// Of `host:port`, `[address]:port`, or either without a port.
    static func host(in authority: String) -> String {
        let end = authority.last == "]" ? nil : authority.lastIndex(of: ":")
        return String(authority[..<(end ?? authority.endIndex)])
    }

    private static let endpointType = "iot:Data-ATS"

    // MARK: - What a request says

    private static func parse(_ bytes: ByteBuffer) throws(ServiceError) -> JSONView {
        do throws(JSONError) {
            return try JSONDocument(parsing: Array(bytes.readableBytesView), limits: JSONLimits(bytesMax: max(1, bytes.readableBytes))).root
        } catch { throw invalid("The request body is not valid JSON: \(error).") }
    }

    private static func check(_ name: String) throws(ServiceError) {
        guard let refusal = MemberConstraint.topicRuleName.refusal(of: name) else { return }
        throw invalid(MemberConstraint.message(name, at: "ruleName", refusal))
    }

    /// `KEY=VALUE&…`, as the header has them.
    private static func tags(_ text: String) throws(ServiceError) -> [String: String] { QueryParameters(text[...]).values }

    static func invalid(_ message: String) -> ServiceError {
        ServiceError(ControlError(.invalidRequest, message))
    }

    static func status(of code: ControlError.Code) -> HTTPResponse.Status {
        switch code {
        case .unauthorized: .unauthorized
        case .resourceNotFound: .notFound
        case .resourceAlreadyExists, .conflictingUpdate, .versionConflict, .deleteConflict, .versionsLimitExceeded: .conflict
        case .certificateState: .notAcceptable
        case .limitExceeded: .gone
        default: .badRequest
        }
    }
}
