import BrokerCore
import MQTTCodec
import NIOCore
import Rules

/// The actions of topic rules.
extension EventEngine {
    /// Carries out an action; answers false where the limit of hops cut its output, and where a queue has still to take it.
    func perform(
        _ action: TopicRule.Action, payload: [UInt8], _ match: SQLMatch?, _ run: inout TopicRuleRun
    ) throws(DeliveryFailure) -> Bool {
        switch action {
        case .republish(let republish):
            let message = try message(republish, payload: payload, match, run)
            guard let message else { return false }
            run.output.messages.append(message)
        case .events(let action):
            let event = try event(action, payload: payload, match, run)
            // Nothing that the bus's rules would make of it could pass.
            guard nextHop(run.hops) != nil else {
                cut(rule: run.entry.rule.name, topic: run.input.topic, run.entry.counters)
                return false
            }
            put(event, onBus: event.busName, hops: run.hops, rules: run.rules, trace: run.trace, into: &run.output)
        case .log(let group):
            let group = try text(of: group, "LogGroupName", match, run)
            log(rule: run.entry.rule.name, group: group, topic: run.input.topic, payload: payload)
        case .queue(let action):
            run.output.sends.append(try send(action, payload: payload, match, run))
            return false
        case .call(let action):
            let invocation = try action.invocation(payload, run.input, match)
            run.output.calls.append(
                RuleCall(invocation: invocation, name: invocation.endpoint.host, origin: run.origin(of: .call(action), match)))
            return false
        case .function(let function, let arn):
            run.output.calls.append(
                RuleCall(
                    invocation: function.invocation(payload), name: "function \(function.name)", function: function.name,
                    origin: run.origin(of: .function(function, arn: arn), match)))
            return false
        }
        return true
    }

    /// What a template of an action makes of the message.
    func text(
        of template: SubstitutionTemplate, _ field: String, _ match: SQLMatch?, _ run: TopicRuleRun
    ) throws(DeliveryFailure) -> String {
        guard let text = template.render(run.input, match), !text.isEmpty else { throw .undefined(field: field) }
        return text
    }

    // MARK: republish

    private func message(
        _ republish: RepublishAction, payload: [UInt8], _ match: SQLMatch?, _ run: TopicRuleRun
    ) throws(DeliveryFailure) -> Message? {
        guard let topic = republish.topic.render(run.input, match) else { throw .undefined(field: "Topic") }
        guard !topic.isEmpty else { throw .invalidTopic("the topic is empty") }
        guard topic.utf8.count <= TopicTemplate.bytesMax else {
            throw .invalidTopic("the topic is longer than \(TopicTemplate.bytesMax) bytes")
        }
        guard topic.utf8.first != UInt8(ascii: "$") else {
            throw .invalidTopic("the topic would begin with `$`, which belongs to the broker")
        }
        guard isTopicName(topic) else { throw .invalidTopic("the topic would have `+`, `#` or a control character in it") }
        let headers = try republish.headers?.render(run.input, match, payload: payload)
        guard let hops = nextHop(run.hops) else {
            cut(rule: run.entry.rule.name, topic: run.input.topic, run.entry.counters)
            return nil
        }
        var message = Message(topic: topic, payload: payload, qos: republish.qos, hops: hops)
        if let headers {
            message.properties = MessageProperties(
                forwarded: headers.properties.forwarded, expiryInterval: headers.messageExpirySeconds, now: run.now)
        }
        return message
    }

    // MARK: events

    private func event(
        _ action: EventsAction, payload: [UInt8], _ match: SQLMatch?, _ run: TopicRuleRun
    ) throws(DeliveryFailure) -> NewEvent {
        let bus = EventBusReader.name(inReference: try text(of: action.busName, "BusName", match, run))
        guard run.rules.hasBus(bus) else { throw .unknownBus(bus) }
        let source = try text(of: action.source, "Source", match, run)
        guard !source.utf8.starts(with: "aws.".utf8) else { throw .sourceNotAllowed(source) }
        let detailType = try text(of: action.detailType, "DetailType", match, run)
        guard payload.count + source.utf8.count + detailType.utf8.count <= limits.putEventsBytesMax else {
            throw .tooLarge(bytesMax: limits.putEventsBytesMax)
        }
        guard let detail = compactObject(payload) else { throw .detailIsNoObject }
        return NewEvent(busName: bus, source: source, detailType: detailType, detail: detail)
    }
}
