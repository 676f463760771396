import BrokerCore
import Queues
import Rules

/// An event on its way through buses.
private struct RoutedEvent {
    let envelope: EventEnvelope
    let root: JSONView
    let nowMilliseconds: Int64
    let rules: RuleTable
    /// The buses that it has been put on to come here; on one way none gets it twice.
    var buses: Set<String>
    var hops: UInt8
}

/// From bus to targets.
extension EventEngine {
    /// Puts one event on a bus and runs the bus's rules.
    ///
    /// - Returns: the event's identifier, also when the bus does not exist.
    @discardableResult
    func put(
        _ event: NewEvent, onBus busName: String, hops: UInt8, rules: RuleTable, trace: TraceParent?, into output: inout RuleOutput
    ) -> String {
        let id = world.makeID()
        guard rules.hasBus(busName) else {
            dropUnknownBus(busName, eventID: id)
            return id
        }
        totals.eventsAccepted.increment()
        guard rules.hasRules(onBus: busName) || hasArchives(ofBus: busName) else {
            totals.eventsUnmatched.increment()
            return id
        }
        let now = world.nowMilliseconds()
        var envelope = EventEnvelope(
            id: id, source: event.source, detailType: event.detailType, timeMilliseconds: event.timeMilliseconds ?? now,
            resources: event.resources, detail: event.detail)
        envelope.trace = trace
        archive(envelope, onBus: busName, rules: rules, noting: &output)
        let matching = rules.rules(onBus: busName, matching: envelope.json)
        if matching.isEmpty { totals.eventsUnmatched.increment() }
        route(envelope, onBus: busName, to: matching, hops: hops, rules: rules, into: &output)
        return id
    }

    /// Takes an event from its bus to the targets of rules.
    func route(
        _ envelope: EventEnvelope, onBus busName: String, to matching: [RuleTable.Event], hops: UInt8, rules: RuleTable,
        into output: inout RuleOutput
    ) {
        guard !matching.isEmpty else { return }
        // Parsed only now, for the targets.
        guard let document = envelope.parsed else {
            assertionFailure("an envelope of checked parts is JSON")
            totals.eventsUnmatched.increment()
            return
        }
        let routed = RoutedEvent(
            envelope: envelope, root: document.root, nowMilliseconds: world.nowMilliseconds(), rules: rules, buses: [busName], hops: hops)
        var forwards = 0
        route(routed, to: matching, forwards: &forwards, into: &output)
    }

    // Recursion goes from bus to bus, on one way to none twice, and is bounded by the hops. All ways together are bounded by the forwards:
    // a mesh of buses has far more of them than buses.
    private func route(_ event: RoutedEvent, to matching: [RuleTable.Event], forwards: inout Int, into output: inout RuleOutput) {
        if matching.isEmpty { totals.eventsUnmatched.increment() }
        for entry in matching {
            countMatch(entry.counters)
            let reserved = reserved(entry.rule, at: event.nowMilliseconds)
            for target in entry.rule.targets {
                totals.deliveriesAccepted.increment()
                let delivery = TargetDelivery(entry: entry, target: target, event: event.envelope, nowMilliseconds: event.nowMilliseconds)
                do throws(DeliveryFailure) {
                    try deliver(event, delivery, reserved, forwards: &forwards, into: &output)
                } catch {
                    fail(delivery, error, into: &output)
                }
            }
        }
    }

    /// Makes one delivery of an event once more; what fails of it is a dead letter of its own.
    ///
    /// - Returns: false for an event that is no JSON.
    func deliverAgain(_ envelope: EventEnvelope, to target: Target, of entry: RuleTable.Event, into output: inout RuleOutput) -> Bool {
        guard let document = envelope.parsed else { return false }
        let now = world.nowMilliseconds()
        let event = RoutedEvent(
            envelope: envelope, root: document.root, nowMilliseconds: now, rules: rules, buses: [entry.rule.busName], hops: 0)
        let delivery = TargetDelivery(entry: entry, target: target, event: envelope, nowMilliseconds: now)
        var forwards = 0
        totals.deliveriesAccepted.increment()
        do throws(DeliveryFailure) {
            try deliver(event, delivery, reserved(entry.rule, at: now), forwards: &forwards, into: &output)
        } catch {
            fail(delivery, error, into: &output)
        }
        return true
    }

    private func deliver(
        _ event: RoutedEvent, _ delivery: TargetDelivery, _ reserved: ReservedVariables, forwards: inout Int, into output: inout RuleOutput
    ) throws(DeliveryFailure) {
        let (entry, target) = (delivery.entry, delivery.target)
        guard let hops = nextHop(event.hops) else { return cut(rule: entry.rule.name, topic: target.id, entry.counters) }
        switch target.destination {
        case .topic(let destination):
            let topic: String
            do throws(TopicTemplateError) { topic = try destination.topic.render(event.root) } catch { throw .topic(error) }
            guard topic.utf8.first != UInt8(ascii: "$") else {
                throw .invalidTopic("the topic would begin with `$`, which belongs to the broker")
            }
            let payload = try payload(for: event.root, target, reserved)
            var message = Message(topic: topic, payload: payload, qos: destination.qos, retain: destination.retain, hops: hops)
            if let seconds = destination.expirySeconds {
                message.properties = MessageProperties(forwarded: nil, expiryInterval: seconds, now: world.brokerNow())
            }
            output.messages.append(message)
            countDelivery(entry.counters, began: event.nowMilliseconds)
        case .queue, .call, .function:
            switch try work(for: delivery, event.root, reserved) {
            case .send(let send): output.sends.append(send)
            case .call(let call): output.calls.append(call)
            case nil: break
            }
        case .log(let group):
            log(rule: entry.rule.name, group: group, event: event.envelope.id, payload: try payload(for: event.root, target, reserved))
            countDelivery(entry.counters, began: event.nowMilliseconds)
        case .bus(let name):
            guard event.rules.hasBus(name) else { throw .unknownBus(name) }
            var forwarded = event
            forwarded.hops = hops
            // The same event would take the same way from there, again and again.
            guard forwarded.buses.insert(name).inserted else { return cut(rule: entry.rule.name, topic: target.id, entry.counters) }
            guard forwards < limits.busForwardsMax else { return cut(rule: entry.rule.name, topic: target.id, entry.counters) }
            forwards += 1
            totals.eventsAccepted.increment()
            countDelivery(entry.counters, began: event.nowMilliseconds)
            archive(event.envelope, onBus: name, rules: event.rules, noting: &output)
            let matching = event.rules.rules(onBus: name, matching: event.envelope.json)
            route(forwarded, to: matching, forwards: &forwards, into: &output)
        }
    }

    /// What a target gets that may not take it at once; nil for any other target.
    func work(
        for delivery: TargetDelivery, _ event: JSONView, _ reserved: ReservedVariables
    ) throws(DeliveryFailure) -> PendingDelivery.Work? {
        let target = delivery.target
        switch target.destination {
        case .queue(let queue, let group):
            let body = String(decoding: try payload(for: event, target, reserved), as: UTF8.self)
            let message = NewQueueMessage(body: body, identity: MessageIdentity(groupID: group)).digested(for: queue)
            return .send(QueueSend(queue: queue, message: message, origin: .target(delivery)))
        case .call(let destination, let parameters):
            let body = try payload(for: event, target, reserved)
            let invocation = try destination.invocation(body, parameters, event)
            return .call(RuleCall(invocation: invocation, name: "\(destination)", pace: destination.pace, origin: .target(delivery)))
        case .function(let function):
            let invocation = function.invocation(try payload(for: event, target, reserved))
            return .call(
                RuleCall(invocation: invocation, name: "function \(function.name)", function: function.name, origin: .target(delivery)))
        case .topic, .bus, .log: return nil
        }
    }

    func reserved(_ rule: EventRule, at milliseconds: Int64) -> ReservedVariables {
        ReservedVariables(ruleARN: rule.arn, ruleName: rule.name, ingestionTime: timestamp(milliseconds: milliseconds))
    }

    private func payload(for event: JSONView, _ target: Target, _ reserved: ReservedVariables) throws(DeliveryFailure) -> [UInt8] {
        let payload: [UInt8]?
        do throws(TransformError) { payload = try target.input.payload(for: event, reserved: reserved) } catch { throw .payload(error) }
        guard let payload else { throw .nothingSelected }
        return payload
    }

    /// The hop count of an output; `nil` where it must be cut.
    func nextHop(_ hops: UInt8) -> UInt8? {
        let (next, overflow) = hops.addingReportingOverflow(1)
        return overflow || Int(next) > limits.ruleHopsMax ? nil : next
    }
}
