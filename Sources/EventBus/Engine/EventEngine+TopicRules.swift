package import BrokerCore
import MQTTCodec
import NIOCore
import Rules

extension EventEngine {
    package var topicFilters: [String] { rules.topicFilters }

    /// Runs the topic rules for a message that a client published.
    ///
    /// As in AWS IoT, a retained publish is a message like any other, and an empty one counts as an empty document. What rules make of it
    /// is not retained. A filter that begins with a wildcard does not see topics that begin with `$`.
    package func evaluate(_ message: Message, from publisher: Publisher) -> [Message] {
        let rules = rules
        let topic = message.topicName
        var input: SQLInput?
        var output: [Message] = []
        for entry in rules.topicRules where entry.rule.isEnabled {
            guard Topics.matches(name: topic, filter: entry.rule.statement.topicFilter) else { continue }
            let parsed =
                input
                ?? SQLInput(
                    topic: topic, payload: Array(message.payload.readableBytesView), clientID: publisher.clientID,
                    principal: publisher.principal, timestampMilliseconds: world.nowMilliseconds()
                )
            input = parsed
            run(entry, on: parsed, hops: message.hops, rules: rules, into: &output)
        }
        return output
    }

    private func run(_ entry: RuleTable.Topic, on input: SQLInput, hops: UInt8, rules: RuleTable, into output: inout [Message]) {
        let selected: [UInt8]
        do throws(SQLEvaluationError) {
            guard let result = try entry.rule.statement.evaluate(input) else { return }
            selected = result
        } catch {
            fail(.statement(error), action: "sql", entry, input)
            return
        }
        countMatch(entry.counters)
        for action in entry.rule.actions {
            do throws(DeliveryFailure) {
                switch action {
                case .republish(let template, let qos):
                    let topic = try topic(template, input)
                    guard let hops = nextHop(hops) else {
                        cut(rule: entry.rule.name, topic: input.topic)
                        continue
                    }
                    output.append(Message(topic: topic, payload: selected, qos: qos, hops: hops))
                case .events(let busName, let detailType, let source):
                    let event = try event(
                        selected, busName: busName, detailType: detailType, source: source, input: input, rules: rules
                    )
                    // Nothing that the bus's rules would make of it could pass.
                    guard nextHop(hops) != nil else {
                        cut(rule: entry.rule.name, topic: input.topic)
                        continue
                    }
                    put(event, onBus: event.busName, hops: hops, rules: rules, into: &output)
                }
                countDelivery(entry.counters)
            } catch {
                fail(error, action: action.name, entry, input)
            }
        }
    }

    private func topic(_ template: SubstitutionTemplate, _ input: SQLInput) throws(DeliveryFailure) -> String {
        guard let topic = template.render(input) else { throw .undefined(field: "Topic") }
        guard !topic.isEmpty else { throw .invalidTopic("the topic is empty") }
        guard topic.utf8.count <= TopicTemplate.bytesMax else {
            throw .invalidTopic("the topic is longer than \(TopicTemplate.bytesMax) bytes")
        }
        guard !topic.hasPrefix("$") else { throw .invalidTopic("the topic would begin with `$`, which belongs to the broker") }
        guard !topic.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }) else {
            throw .invalidTopic("the topic would have `+`, `#` or NUL in it")
        }
        return topic
    }

    private func event(
        _ selected: [UInt8], busName: SubstitutionTemplate, detailType: SubstitutionTemplate, source: SubstitutionTemplate,
        input: SQLInput, rules: RuleTable
    ) throws(DeliveryFailure) -> NewEvent {
        func render(_ template: SubstitutionTemplate, _ field: String) throws(DeliveryFailure) -> String {
            guard let text = template.render(input), !text.isEmpty else { throw .undefined(field: field) }
            return text
        }
        let bus = EventBusReader.name(inReference: try render(busName, "BusName"))
        guard rules.hasBus(bus) else { throw .unknownBus(bus) }
        let source = try render(source, "Source")
        guard !source.hasPrefix("aws.") else { throw .sourceNotAllowed(source) }
        let detailType = try render(detailType, "DetailType")
        guard selected.count + source.utf8.count + detailType.utf8.count <= limits.putEventsBytesMax else {
            throw .tooLarge(bytesMax: limits.putEventsBytesMax)
        }
        guard let detail = compactObject(selected) else { throw .detailIsNoObject }
        return NewEvent(busName: bus, source: source, detailType: detailType, detail: detail)
    }

    private func fail(_ failure: DeliveryFailure, action: String, _ entry: RuleTable.Topic, _ input: SQLInput) {
        let document = ErrorActionDocument(
            ruleName: entry.rule.name, topic: input.topic, clientID: input.clientID, payload: input.payload, failedAction: action,
            errorMessage: failure.message
        )
        let letter = DeadLetter(
            timeMilliseconds: input.timestampMilliseconds, rule: entry.rule.name, bus: nil, target: action, errorCode: failure.code,
            errorMessage: failure.message, event: document.json
        )
        fail(letter, eventID: nil, entry.counters)
    }
}
