import BrokerCore
import Rules

extension EventEngine {
    /// The most entries of one request.
    package static let entriesMax = 10

    /// Puts events on their buses and runs the rules.
    ///
    /// The checks, their order and their texts are EventBridge's. An event for a bus that does not exist is accepted and dropped, as there;
    /// here it is also counted and logged.
    ///
    /// - Parameter entries: 1 to 10 of them.
    /// - Returns: a result for each entry, and the messages to publish.
    /// - Throws: when the request is refused as a whole; then nothing was put.
    package func putEvents(_ entries: [PutEventsEntry]) throws(PutEventsError) -> PutEventsOutcome {
        do throws(PutEventsError) {
            guard entries.count <= Self.entriesMax else { throw .tooManyEntries(entries) }
            guard !entries.isEmpty else { throw .noEntries }
            var bytes = 0
            for entry in entries { bytes += entry.countedBytes }
            guard bytes <= limits.putEventsBytesMax else { throw .tooLarge }
        } catch {
            totals.requestsRefused.increment()
            throw error
        }
        let rules = rules
        var outcome = PutEventsOutcome()
        for entry in entries {
            switch check(entry) {
            case .failure(let refusal):
                totals.entriesFailed.increment()
                outcome.results.append(.failed(code: refusal.code, message: refusal.message))
            case .success(let event):
                let id = put(event, onBus: EventBusReader.name(inReference: event.busName), hops: 0, rules: rules, into: &outcome.messages)
                outcome.results.append(.accepted(eventID: id))
            }
        }
        return outcome
    }

    private struct Refusal: Error {
        var code: String
        var message: String

        static func missing(_ parameter: String) -> Refusal {
            Refusal(
                code: "InvalidArgument", message: "Parameter \(parameter) is not valid. Reason: \(parameter) is a required argument."
            )
        }
    }

    private func check(_ entry: PutEventsEntry) -> Result<NewEvent, Refusal> {
        guard let source = entry.source, !source.isEmpty else { return .failure(.missing("Source")) }
        guard let detailType = entry.detailType, !detailType.isEmpty else { return .failure(.missing("DetailType")) }
        guard let detail = entry.detail else { return .failure(.missing("Detail")) }
        guard let object = compactObject(detail) else {
            return .failure(Refusal(code: "MalformedDetail", message: "Detail is malformed."))
        }
        guard !source.hasPrefix("aws.") else {
            return .failure(Refusal(code: "NotAuthorizedForSourceException", message: "Not authorized for the source."))
        }
        return .success(
            NewEvent(
                busName: entry.eventBusName ?? ResourceSet.defaultBusName, source: source, detailType: detailType, detail: object,
                timeMilliseconds: entry.timeMilliseconds, resources: entry.resources
            )
        )
    }

    /// The compact JSON of an object; `nil` for anything else.
    func compactObject(_ json: [UInt8]) -> [UInt8]? {
        // The sum of the request, or of the payload, was checked before.
        let document = try? JSONDocument(parsing: json, limits: JSONLimits(bytesMax: json.count))
        guard let root = document?.root, root.kind == .object else { return nil }
        return root.rawJSON
    }
}

/// An event that passed the checks.
struct NewEvent {
    var busName: String
    var source: String
    var detailType: String
    /// Compact JSON of an object.
    var detail: [UInt8]
    var timeMilliseconds: Int64?
    var resources: [String] = []
}

// MARK: - From bus to topics

extension EventEngine {
    /// Puts one event on a bus and runs the bus's rules.
    ///
    /// - Returns: the event's identifier, also when the bus does not exist.
    @discardableResult
    func put(_ event: NewEvent, onBus busName: String, hops: UInt8, rules: RuleTable, into messages: inout [Message]) -> String {
        let id = world.makeID()
        guard rules.hasBus(busName) else {
            dropUnknownBus(busName, eventID: id)
            return id
        }
        totals.eventsAccepted.increment()
        guard rules.hasRules(onBus: busName) else {
            totals.eventsUnmatched.increment()
            return id
        }
        let now = world.nowMilliseconds()
        let envelope = EventEnvelope(
            id: id, source: event.source, detailType: event.detailType, timeMilliseconds: event.timeMilliseconds ?? now,
            resources: event.resources, detail: event.detail
        )
        let matching = rules.rules(onBus: busName, matching: envelope.json)
        guard !matching.isEmpty else {
            totals.eventsUnmatched.increment()
            return id
        }
        // Parsed only now, for the targets. One level deeper than a detail may be, and longer than one by the fields around it.
        let limits = JSONLimits(bytesMax: envelope.json.count, depthMax: JSONLimits().depthMax + 1)
        guard let document = try? JSONDocument(parsing: envelope.json, limits: limits) else {
            // Its parts were checked, so this is a mistake of ours; it must not end the process with everybody's sessions.
            assertionFailure("an envelope of checked parts is JSON")
            totals.eventsUnmatched.increment()
            return id
        }
        for entry in matching {
            countMatch(entry.counters)
            let reserved = ReservedVariables(
                ruleARN: entry.rule.arn, ruleName: entry.rule.name, ingestionTime: timestamp(milliseconds: now)
            )
            for target in entry.rule.targets {
                do throws(DeliveryFailure) {
                    let message = try message(for: document.root, target: target, reserved: reserved, hops: hops)
                    guard let message else {
                        cut(rule: entry.rule.name, topic: target.id)
                        continue
                    }
                    messages.append(message)
                    countDelivery(entry.counters)
                } catch {
                    let letter = DeadLetter(
                        timeMilliseconds: now, rule: entry.rule.name, bus: busName, target: target.id, errorCode: error.code,
                        errorMessage: error.message, event: envelope.json
                    )
                    fail(letter, eventID: id, entry.counters)
                }
            }
        }
        return id
    }

    /// The message that a target gets; `nil` beyond the limit of hops.
    private func message(
        for event: JSONView, target: TopicTarget, reserved: ReservedVariables, hops: UInt8
    ) throws(DeliveryFailure) -> Message? {
        guard let hops = nextHop(hops) else { return nil }
        let topic: String
        let payload: [UInt8]?
        do throws(TopicTemplateError) { topic = try target.topic.render(event) } catch { throw .topic(error) }
        guard !topic.hasPrefix("$") else { throw .invalidTopic("the topic would begin with `$`, which belongs to the broker") }
        do throws(TransformError) { payload = try target.input.payload(for: event, reserved: reserved) } catch { throw .payload(error) }
        guard let payload else { throw .nothingSelected }
        return Message(topic: topic, payload: payload, qos: target.qos, retain: target.retain, hops: hops)
    }

    /// The hop count of an output; `nil` where it must be cut.
    func nextHop(_ hops: UInt8) -> UInt8? {
        let (next, overflow) = hops.addingReportingOverflow(1)
        return overflow || Int(next) > limits.ruleHopsMax ? nil : next
    }
}
