import BrokerCore
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import MQTTCodec

extension AdminCall {
    /// A message by hand.
    static func publishing(_ limits: InspectionLimits) -> [AdminCall] {
        [
            AdminCall(
                .post, "publish", "Publishes a message, as the broker itself does.", body: PublishDocument.shape,
                answers: .document(PublishedDocument.shape), refusals: [503]
            ) { responder, request throws(InspectionError) in
                let document = try await request.document(PublishDocument.self, limits)
                let message = try PublishedTopic.message(document, responder.broker)
                guard responder.broker.admitsPublish() else { throw PublishedTopic.noRoom }
                let outcome = await responder.broker.publish([message])
                if outcome == .refused { throw PublishedTopic.stopping }
                responder.log.notice(
                    "message published by an operator",
                    metadata: [
                        "topic": .string(LoggedText.escaping(document.topic)), "bytes": "\(message.payload.readableBytes)",
                        "retain": "\(message.retain)", "by": .string(request.peer),
                    ])
                if outcome == .notKept { throw .notKept }
                return InspectionResponder.json(.ok, PublishedDocument(published: true))
            }.kept()
        ]
    }
}

/// What an operator may publish on.
enum PublishedTopic {
    static let stopping = InspectionError.noRoom("the broker stops: nothing was published")
    static let noRoom = InspectionError.noRoom("too much waits to be published (publishBytesWaitingMax): try again")

    /// Throws for what is no topic name.
    static func check(_ topic: String) throws(InspectionError) {
        do { try Topics.validate(name: Array(topic.utf8).span, in: .publish) } catch {
            throw .invalidQuery("'\(topic)' is no topic name: \(error.description)")
        }
    }

    static func message(_ document: PublishDocument, _ broker: any OperatorAccess) throws(InspectionError) -> Message {
        let topic = document.topic
        do throws(DecodeError) { try Topics.validate(name: Array(topic.utf8).span, in: .publish) } catch {
            throw .invalidBody("'topic' is no topic name: \(error.description)")
        }
        if topic.utf8.first == UInt8(ascii: "$") { throw .invalidBody("'topic' begins with $: those topics are the broker's own") }
        if let problem = broker.problem(ofTopic: topic) { throw .invalidBody("'topic' is \(problem)") }
        guard let qos = QoS(rawValue: UInt8(clamping: document.qos ?? 0)), document.qos ?? 0 >= 0 else {
            throw .invalidBody("'qos' must be 0, 1 or 2")
        }
        let payload: [UInt8]
        switch document.encoding ?? .utf8 {
        case .utf8: payload = Array(document.payload.utf8)
        case .base64:
            guard let bytes = Data(base64Encoded: document.payload) else { throw .invalidBody("'payload' is no base64") }
            payload = Array(bytes)
        }
        return Message(topic: topic, payload: payload, qos: qos, retain: document.retain ?? false)
    }
}

extension PublishDocument {
    static var shape: JSONShape {
        let others: [JSONShape.Member] = [
            .always("topic", .matching(TopicPatterns.ordinaryName)), .maybe("qos", .within(0...2)), .maybe("retain", .flag),
        ]
        let base64 = JSONShape.matching("^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")
        return .either([
            .object(others + [.always("payload", .text), .maybe("encoding", .choice(["utf-8"]))]),
            .object(others + [.always("payload", base64), .always("encoding", .choice(["base64"]))]),
        ])
    }
}

extension PublishedDocument {
    static var shape: JSONShape { .object([.always("published", .flag)]) }
}
