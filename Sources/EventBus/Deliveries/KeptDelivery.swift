import BrokerCore
import Queues
import Records
import Rules

/// A delivery as it is kept: what it is for and what of, not what it calls, which may have changed until it is read again.
///
/// How often it was tried is not kept: after a restart it is tried as if it had come then, but for its age.
enum KeptDelivery {
    case target(bus: String, rule: String, target: String, arn: String, event: EventEnvelope, nowMilliseconds: Int64)
    case action(rule: String, place: KeptAction, input: SQLInput, selected: [UInt8]?, hops: UInt8, trace: TraceParent?)
}

/// Which action of a topic rule; it is the same as long as its name and its resource are.
struct KeptAction {
    /// Its place among the rule's actions when the message came; nil for the error action.
    var index: Int?
    var name: String
    var resource: String
    /// What the error action gets.
    var document: [UInt8]

    /// The action, among others or elsewhere by now.
    func find(in rule: TopicRule) -> TopicRule.Action? {
        func isMeant(_ action: TopicRule.Action) -> Bool { action.name == name && action.resource == resource }
        guard let index else { return rule.errorAction.flatMap { isMeant($0) ? $0 : nil } }
        if rule.actions.indices.contains(index), isMeant(rule.actions[index]) { return rule.actions[index] }
        return rule.actions.first(where: isMeant)
    }
}

extension PendingDelivery {
    /// The second has what the statement selected, and where the client was; the third, of what belongs to a trace, the step in it.
    static let recordVersion: UInt8 = 3

    /// The record of a delivery; nil for what is never tried again.
    func kept(as number: UInt64, acceptedMilliseconds: Int64) -> KeptRecord? {
        var writer = RecordWriter(version: origin.trace == nil ? 2 : Self.recordVersion)
        writer.add(acceptedMilliseconds)
        switch origin {
        case .target(let delivery):
            writer.add(false)
            writer.add(delivery.entry.rule.busName)
            writer.add(delivery.entry.rule.name)
            writer.add(delivery.target.id)
            writer.add(delivery.target.arn)
            writer.add(delivery.event.id)
            writer.add(delivery.event.timeMilliseconds)
            writer.add(delivery.event.json)
            writer.add(delivery.nowMilliseconds)
        case .action(let action, let run, let match): Self.write(action, run.place, run, match, to: &writer)
        case .errorAction(let action, let run): Self.write(action, nil, run, nil, to: &writer)
        case .deadLetter: return nil
        }
        writer.add(trace: origin.trace)
        return KeptRecord(RecordKey(.delivery, number), writer.bytes)
    }

    private static func write(
        _ action: TopicRule.Action, _ index: Int?, _ run: SuspendedRun, _ match: SQLMatch?, to writer: inout RecordWriter
    ) {
        writer.add(true)
        writer.add(run.entry.rule.name)
        writer.add(index) { $0.add(Int64($1)) }
        writer.add(action.name)
        writer.add(action.resource)
        writer.add(run.document)
        writer.add(Int64(run.hops))
        let input = run.resumed().input
        writer.add(input)
        writer.add(input.peer)
        writer.add(match?.payload) { $0.add($1) }
    }
}

extension KeptDelivery {
    init(_ reader: inout RecordReader, _ environment: SQLEnvironment) throws(UnreadableRecord) {
        guard try reader.flag() else {
            let (bus, rule, target, arn) = (try reader.text(), try reader.text(), try reader.text(), try reader.text())
            let (id, time, json) = (try reader.text(), try reader.number(), try reader.field())
            let now = try reader.number()
            var event = EventEnvelope(id: id, timeMilliseconds: time, json: json)
            event.trace = try reader.trace(since: 3)
            self = .target(bus: bus, rule: rule, target: target, arn: arn, event: event, nowMilliseconds: now)
            return
        }
        let rule = try reader.text()
        let index = try reader.optionalNumber().map { Int($0) }
        let place = KeptAction(
            index: index, name: try reader.text(), resource: try reader.text(), document: try reader.field())
        let hops = UInt8(clamping: try reader.number())
        let isOld = reader.version < 2
        let input = try reader.input(environment, hasPeer: !isOld)
        let selected = isOld ? nil : try reader.optional { (reader) throws(UnreadableRecord) in try reader.field() }
        let trace = try reader.trace(since: 3)
        self = .action(rule: rule, place: place, input: input, selected: selected, hops: hops, trace: trace)
    }
}

/// What becomes of a delivery that was kept.
enum RevivedDelivery {
    case pending(PendingDelivery)
    /// Its target would not take it any more.
    case refused(DeliveryOrigin, DeliveryFailure)
    /// Its rule, its target or its action is not there any more.
    case gone(rule: String, target: String)

    /// The rule of what cannot be tried.
    var hopelessRule: String? {
        switch self {
        case .pending: nil
        case .refused(let origin, _): origin.names.rule
        case .gone(let rule, _): rule
        }
    }
}

extension EventEngine {
    /// Makes a delivery again, as its target is now.
    func revive(_ kept: KeptDelivery, now: Instant) -> RevivedDelivery {
        let rules = rules
        switch kept {
        case .target(let bus, let rule, let target, let arn, let event, let nowMilliseconds):
            guard let entry = rules.eventRule(rule, onBus: bus),
                let found = entry.rule.targets.first(where: { $0.id == target }), found.arn == arn, let root = event.parsed?.root
            else { return .gone(rule: "\(bus)/\(rule)", target: target) }
            let delivery = TargetDelivery(entry: entry, target: found, event: event, nowMilliseconds: nowMilliseconds)
            do throws(DeliveryFailure) {
                guard let work = try work(for: delivery, root, reserved(entry.rule, at: nowMilliseconds)) else {
                    return .gone(rule: "\(bus)/\(rule)", target: target)
                }
                return .pending(PendingDelivery(work: work).traced(step(below: event.trace)))
            } catch { return .refused(.target(delivery), error) }
        case .action(let rule, let place, let input, let selected, let hops, let trace):
            guard let entry = rules.topicRules.first(where: { $0.rule.name == rule }), let action = place.find(in: entry.rule)
            else { return .gone(rule: rule, target: place.name) }
            var run = TopicRuleRun(entry: entry, input: input, hops: hops, now: now, rules: rules)
            run.trace = trace
            run.isErrorAction = place.index == nil
            run.document = place.document
            run.place = place.index ?? 0
            let statement = entry.rule.statement
            var match: SQLMatch?
            if let selected = run.isErrorAction ? place.document : selected {
                match = statement.match(input, thatSelected: selected)
            } else {
                // An older version has not kept it.
                match = try? statement.match(input)
            }
            guard let payload = run.isErrorAction ? place.document : selected ?? match?.payload else {
                return .gone(rule: rule, target: place.name)
            }
            return revive(action, payload: payload, match, &run)
        }
    }

    private func revive(
        _ action: TopicRule.Action, payload: [UInt8], _ match: SQLMatch?, _ run: inout TopicRuleRun
    ) -> RevivedDelivery {
        do throws(DeliveryFailure) { _ = try perform(action, payload: payload, match, &run) } catch {
            return .refused(run.origin(of: action, match), error)
        }
        let step = step(below: run.trace)
        if let send = run.output.sends.first { return .pending(PendingDelivery(work: .send(send)).traced(step)) }
        if let call = run.output.calls.first { return .pending(PendingDelivery(work: .call(call)).traced(step)) }
        return .gone(rule: run.entry.rule.name, target: action.name)
    }
}

extension RecordWriter {
    fileprivate mutating func add(_ input: SQLInput) {
        add(input.topic)
        add(input.payload)
        add(input.clientID)
        add(input.principal)
        add(input.timestampMilliseconds)
        add(input.traceID)
        add(input.properties) { writer, properties in
            writer.add(properties.contentType)
            writer.add(properties.isUTF8)
            writer.add(properties.responseTopic)
            writer.add(properties.correlationData) { $0.add($1) }
            writer.add(properties.userProperties) { writer, property in
                writer.add(property.name)
                writer.add(property.value)
            }
        }
    }
}

extension RecordReader {
    fileprivate mutating func input(_ environment: SQLEnvironment, hasPeer: Bool) throws(UnreadableRecord) -> SQLInput {
        let (topic, payload) = (try text(), try field())
        let (clientID, principal) = (try optionalText(), try optionalText())
        let (timestamp, traceID) = (try number(), try text())
        let properties = try optional { (reader) throws(UnreadableRecord) in
            var properties = SQLMessageProperties()
            properties.contentType = try reader.optionalText()
            properties.isUTF8 = try reader.flag()
            properties.responseTopic = try reader.optionalText()
            properties.correlationData = try reader.optional { (reader) throws(UnreadableRecord) in try reader.field() }
            properties.userProperties = try reader.list { (reader) throws(UnreadableRecord) in (try reader.text(), try reader.text()) }
            return properties
        }
        let peer = hasPeer ? try optionalText() : nil
        return SQLInput(
            topic: topic, payload: payload, clientID: clientID, principal: principal, timestampMilliseconds: timestamp,
            environment: environment, peer: peer, traceID: traceID, properties: { properties })
    }
}
