import MQTTCodec
package import NIOCore

/// Messages accepted by this shard: retained, statistics, routing, rules (MQTT 3.1.1 and MQTT 5 section 3.3).
extension Shard {
    func topicProblem(_ topic: ByteBuffer, of connection: ClientConnection) -> String? {
        connection.limits.values.problem(ofTopic: topic)
    }

    /// Clients publish to one kind of the broker's own topics only, that of Basic Ingest, and nowhere without the right to.
    func mayPublish(_ topic: ByteBuffer, retain: Bool, _ publisher: Publisher) -> Bool {
        let isSystemTopic = topic.readableBytesView.first == UInt8(ascii: "$")
        let isOpen = !isSystemTopic || (rules != nil && BasicIngest.includes(topic))
        if isOpen, authorizer.isUnrestricted { return true }
        let name = String(buffer: topic)
        let refusal =
            isOpen ? authorizer.refusal(ofPublish: name, retain: retain, by: publisher) : "the topic is the broker's own"
        guard let refusal else { return true }
        counters.drop(.publishDenied)
        let clientID = publisher.clientID ?? ""
        if !traces.isEmpty { traceDecision("publish denied", of: clientID, [.text("topic", name), .text("reason", refusal)]) }
        // A will's client may be gone, with its session.
        if sessions[ExactText(clientID)]?.refusals.note(.publish, name, refusal) ?? true {
            transport.report(.publishDenied(clientID: clientID, topic: name, refusal))
        }
        return false
    }

    /// A message that did not come as a PUBLISH of a connection here: by the broker itself, or a will, which the store may know.
    func accept(_ message: Message, from publisher: Publisher, origin: KeptOrigin? = nil) {
        let route = routes.route(for: message.topic, index: &index, topics: &topics)
        var outgoing = OutgoingMessage(message, now: now)
        outgoing.origin = origin
        // A will is published by its client, which may not want to get back what it publishes [MQTT5-3.8.3-3].
        if route.hasNoLocal, let clientID = publisher.clientID { outgoing.publisher = sessions[ExactText(clientID)] }
        if message.retain, !route.isBasicIngest { retain(&outgoing, by: publisher) }
        accept(&outgoing, along: route, publisher: publisher)
        if !taps.isEmpty { tap(outgoing.message, along: route) { publisher } }
    }

    func accept(_ outgoing: inout OutgoingMessage, along route: Route, from connection: ClientConnection) {
        if outgoing.message.retain, !route.isBasicIngest { retain(&outgoing, by: connection.publisher) }  // [MQTT5-3.3.1-8]
        // The publisher's name is made only for those who ask for it.
        accept(&outgoing, along: route, publisher: route.hasRules ? connection.publisher : nil)
        if !taps.isEmpty { tap(outgoing.message, along: route) { connection.publisher } }
    }

    private func accept(_ outgoing: inout OutgoingMessage, along route: Route, publisher: Publisher?) {
        route.record?.count(outgoing.message.payload, at: now)
        // A message of Basic Ingest reaches its rule and no subscriber.
        if !route.isBasicIngest { deliver(&outgoing, along: route) }  // also what is empty and removes the retained one [MQTT5-3.3.1-6]
        guard let publisher else { return }
        if route.hasRules, let rules {
            let kept = rules.recordsKept
            for output in rules.evaluate(outgoing.message, from: publisher, now: now) { enqueueOwn(output) }
            // Of several loops another may have counted: then an answer waits that need not.
            if rules.recordsKept != kept { recordOfRules() }
        }
    }

    private func retain(_ outgoing: inout OutgoingMessage, by publisher: Publisher) {
        // The broker's own figures are nothing to keep.
        defer { if !RetainedStore.isSystem(outgoing.message.topic) { recordRetained() } }
        if !retained.update(outgoing.stored(), by: publisher, at: now, mark: nextRetainedMark()) {
            counters.drop(.retainedFull)
            transport.report(.retainedFull(topic: outgoing.message.topicName))
        } else if let expiry = outgoing.message.properties?.expiresAt {
            scheduleRetainedSweep(at: expiry)
        }
    }

}

extension BrokerLimits {
    /// Why a topic is not taken for a publish; `nil` when it is.
    package func problem(ofTopic topic: ByteBuffer) -> String? {
        var topic = topic
        // The levels that only name a rule do not count.
        if let length = BasicIngest.topicLength(in: topic) {
            let before = topic.readableBytes - length
            guard before <= BasicIngest.prefix.utf8.count + BasicIngest.nameBytesMax + 1 else {
                return "the name of a rule that is longer than \(BasicIngest.nameBytesMax) bytes"
            }
            topic.moveReaderIndex(forwardBy: before)
        }
        if topic.readableBytes > topicBytesMax { return "a topic longer than \(topicBytesMax) bytes (topicBytesMax)" }
        var levels = 1
        for byte in topic.readableBytesView where byte == UInt8(ascii: "/") { levels += 1 }
        if levels > topicLevelsMax { return "a topic of more than \(topicLevelsMax) levels (topicLevelsMax)" }
        return nil
    }
}
