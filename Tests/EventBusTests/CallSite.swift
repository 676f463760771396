import BrokerCore
import Documents
import Logging
import MQTTCodec
import NIOCore
import Queues

@testable import EventBus

/// An engine whose HTTP calls a test answers.
final class CallSite: Sendable {
    let world = TestWorld()
    let log = RecordingLog.LineStore()
    let door = ScriptedDoor()
    let published = PublishedMessages()
    let queues = SharedQueues(makeID: { "message" })
    let delivery: RuleDelivery

    init(_ yaml: String, limits: DeliveryLimits = DeliveryLimits(), lambda: String? = nil, allow: [String] = []) throws {
        let resources = try Self.resources(yaml, lambda: lambda, allow: allow)
        let lines = log
        let engine = EventEngine(
            resources: resources, world: world.source, logger: Logger(label: "test") { _ in RecordingLog(lines: lines) })
        delivery = RuleDelivery(engine: engine, queues: queues, limits: limits)
        try delivery.declare(resources)
        let published = published
        delivery.pending.begin(
            alarm: { _ in }, door: door,
            publish: { messages, done in
                published.append(messages)
                done(true)
            })
    }

    static func resources(_ yaml: String, lambda: String? = nil, allow: [String] = []) throws(DocumentError) -> ResourceSet {
        var configuration = Configuration()
        let location = SourceLocation(file: "crema.yaml", line: 1, column: 1)
        configuration.allowedHosts = allow.map { Configuration.AllowedHost($0, at: location) }
        configuration.lambdaEndpoint = lambda.map { Configuration.AllowedHost($0, at: location) }
        return try ResourceSet(
            templates: [TemplateDocument(file: "t.yaml", text: yaml, parameters: [:])], calls: CallSettings(configuration))
    }

    var engine: EventEngine { delivery.engine }

    func put(_ detail: String = "{}", source: String = "shop") throws {
        _ = try delivery.putEvents([PutEventsEntry(source: source, detailType: "type", detail: Array(detail.utf8))])
    }

    func publish(_ topic: String, _ payload: String) -> [Published] {
        let message = Message(topic: topic, payload: Array(payload.utf8), qos: .atLeastOnce)
        return delivery.evaluate(message, from: Publisher(clientID: "device", principal: nil), now: Instant(nanoseconds: 0))
            .map(Published.init)
    }

    func wait(milliseconds: Int64) {
        world.advance(milliseconds: milliseconds)
        delivery.pending.advance()
    }

    func take(_ queue: String) throws -> [ReceivedMessage] {
        let request = ReceiveRequest(queue: queue, messagesMax: 10)
        guard case .messages(let messages) = try queues.receive(request, now: world.source.nowMilliseconds(), answer: { _ in }) else {
            return []
        }
        return messages
    }

    var isConserved: Bool { engine.counters.isConserved }
}
