package import BrokerCore
import Records
import Rules

/// Why a dead letter was not delivered again.
package enum RedriveError: Error, Equatable, CustomStringConvertible {
    /// There is none of that number any more.
    case gone
    case noRule(String)
    case noTarget(String, rule: String)
    /// What is kept of it is not what a delivery can be made from.
    case unreadable
    /// An error action is told all that failed for a message; of that the dead letter has its own failure only.
    case errorAction
    case storeFailing
    /// The broker stops, and takes nothing any more.
    case stopping

    package var description: String {
        switch self {
        case .gone: "there is no such dead letter any more"
        case .noRule(let rule): "the rule \(rule) is gone"
        case .noTarget(let target, let rule): "the rule \(rule) has no such target or action any more: \(target)"
        case .unreadable: "what is kept of the event cannot be read"
        case .errorAction: "it is what an error action could not do, and what that was to be told of is not kept"
        case .storeFailing: "the store does not write now"
        case .stopping: "the broker stops"
        }
    }
}

/// What a dead letter of a topic rule keeps of its message (``ErrorActionDocument``).
private struct FailedMessage {
    let input: SQLInput
    /// What the action was for.
    let resource: String

    init?(_ json: [UInt8], nowMilliseconds: Int64, _ environment: SQLEnvironment) {
        guard let document = try? JSONDocument(parsing: json, limits: JSONLimits(bytesMax: max(json.count, 1))),
            let topic = document.root["topic"]?.stringValue,
            let text = document.root["base64OriginalPayload"]?.stringValue, let payload = Base64.decode(Array(text.utf8)[...])
        else { return nil }
        let clientID = document.root["clientId"]?.stringValue
        input = SQLInput(
            topic: topic, payload: payload, clientID: clientID == "N/A" ? nil : clientID, principal: nil,
            timestampMilliseconds: nowMilliseconds, environment: environment)
        resource = document.root["failures"]?.elements.first { _ in true }?["failedResource"]?.stringValue ?? ""
    }
}

extension EventEngine {
    /// Makes the delivery of a dead letter once more, as its rule has it now.
    ///
    /// Of a topic rule's message only what the dead letter keeps is there: topic, payload and client, no properties of MQTT 5. What fails
    /// again is a new dead letter.
    ///
    /// - Returns: what is to be carried out.
    func redrive(_ letter: DeadLetter, now: Instant) throws(RedriveError) -> RuleOutput {
        guard let bus = letter.bus else { return try redriveMessage(letter, now: now) }
        return try redrive(letter, onBus: bus)
    }

    private func redrive(_ letter: DeadLetter, onBus bus: String) throws(RedriveError) -> RuleOutput {
        guard let entry = rules.eventRule(RuleKey(bus: bus, name: letter.rule)) else { throw .noRule("\(bus)/\(letter.rule)") }
        guard let target = entry.rule.targets.first(where: { $0.id == letter.target }) else {
            throw .noTarget(letter.target, rule: "\(bus)/\(letter.rule)")
        }
        let document = try? JSONDocument(parsing: letter.event, limits: JSONLimits(bytesMax: max(letter.event.count, 1)))
        guard let id = document?.root["id"]?.stringValue else { throw .unreadable }
        let step = step(below: letter.trace)
        var envelope = EventEnvelope(id: id, timeMilliseconds: letter.timeMilliseconds, json: letter.event)
        envelope.trace = step?.parent ?? letter.trace
        var output = RuleOutput()
        guard deliverAgain(envelope, to: target, of: entry, into: &output) else { throw .unreadable }
        return output.traced(step, as: "redrive")
    }

    private func redriveMessage(_ letter: DeadLetter, now: Instant) throws(RedriveError) -> RuleOutput {
        if letter.isOfErrorAction { throw .errorAction }
        guard let entry = rules.topicRules.first(where: { $0.rule.name == letter.rule }) else { throw .noRule(letter.rule) }
        guard let message = FailedMessage(letter.event, nowMilliseconds: world.nowMilliseconds(), environment) else { throw .unreadable }
        let step = step(below: letter.trace)
        if letter.target == "sql" {
            return performAgain(nil, of: entry, message.input, now: now, trace: step?.parent ?? letter.trace).traced(step, as: "redrive")
        }
        // Several actions may have one name: what they are for tells them apart.
        let named = entry.rule.actions.indices.filter { entry.rule.actions[$0].name == letter.target }
        guard let place = named.first(where: { entry.rule.actions[$0].resource == message.resource }) else {
            throw .noTarget(letter.target, rule: letter.rule)
        }
        return performAgain(place, of: entry, message.input, now: now, trace: step?.parent ?? letter.trace).traced(step, as: "redrive")
    }
}

extension RuleDelivery {
    /// Makes the delivery of a dead letter once more.
    ///
    /// - Parameters:
    ///   - number: by which it is listed.
    ///   - now: on the broker's clock.
    ///   - publish: hands messages to the broker.
    /// - Throws: why not; then the dead letter stays.
    package func redrive(_ number: UInt64, now: Instant, publish: ([Message]) async -> PublishOutcome) async throws(RedriveError) {
        if pending.store?.isFailing == true { throw .storeFailing }
        // Taken first: who asks at the same time does not find it.
        guard let letter = engine.takeDeadLetter(number) else { throw .gone }
        let output: RuleOutput
        do throws(RedriveError) { output = try engine.redrive(letter, now: now) } catch {
            engine.putBack(letter, number: number)
            throw error
        }
        let messages = carryOut(output)
        if !messages.isEmpty, await publish(messages) == .refused {
            engine.putBack(letter, number: number)
            throw .stopping
        }
        // Only now: a crash before leaves it to be delivered twice rather than never.
        engine.forgetDeadLetter(number)
    }

    /// Removes a dead letter; false where there is none of that number.
    package func removeDeadLetter(_ number: UInt64) -> Bool {
        guard engine.takeDeadLetter(number) != nil else { return false }
        engine.forgetDeadLetter(number)
        return true
    }
}
