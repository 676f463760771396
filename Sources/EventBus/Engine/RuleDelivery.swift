package import BrokerCore
package import Documents
package import Queues
package import Records

/// The engine with the queues that its rules send to, and with the deliveries that are tried again.
///
/// Sends are carried out here; messages for the broker are answered, since only the caller is where they can be published. Waits for nothing.
package struct RuleDelivery: MessageRules {
    package let engine: EventEngine
    package let queues: SharedQueues
    package let pending: PendingDeliveries

    /// - Parameters:
    ///   - engine: makes of events what is carried out here.
    ///   - queues: take what rules have for them.
    ///   - limits: of deliveries that wait.
    ///   - store: keeps these; without it they are in memory.
    package init(
        engine: EventEngine, queues: SharedQueues, limits: DeliveryLimits = DeliveryLimits(), store: (any RecordStore)? = nil
    ) {
        self.engine = engine
        self.queues = queues
        pending = PendingDeliveries(engine: engine, queues: queues, limits: limits, store: store)
    }

    package var recordsKept: UInt64 { pending.store?.number ?? 0 }

    package var topicFilters: [String] { engine.topicFilters }

    package func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message] {
        carryOut(engine.evaluate(message, from: publisher, now: now))
    }

    /// Puts events on their buses, see ``EventEngine/putEvents(_:)``.
    ///
    /// - Returns: a result for each entry, and what is left to publish.
    package func putEvents(_ entries: [PutEventsEntry]) throws(PutEventsError) -> (results: [PutEventsResult], messages: [Message]) {
        if pending.store?.isFailing == true { throw .notKept }
        let outcome = try engine.putEvents(entries)
        return (outcome.results, carryOut(outcome.output))
    }

    /// Makes the queues and the archives that the templates declare.
    ///
    /// - Parameters:
    ///   - resources: of the templates.
    ///   - buses: the names of all buses, those by API among them; those of the templates unless given.
    /// - Throws: when there would be too many of one kind, and for what does not go with archives that there are; then nothing has changed.
    package func declare(_ resources: ResourceSet, buses: [String]? = nil) throws(DocumentError) {
        let now = engine.world.nowMilliseconds()
        let buses = buses ?? resources.busNames
        try engine.declareArchives(resources, buses: buses, onlyTrying: true)
        do throws(QueueError) {
            try queues.perform { (table) throws(QueueError) in try table.declare(resources.queues, now: now) }
        } catch {
            throw DocumentError(error.message, at: SourceLocation(file: "templates"))
        }
        try engine.declareArchives(resources, buses: buses, onlyTrying: false)
    }

    /// The names of all queues that there are now.
    var queueNames: [String] {
        // Listing them cannot fail.
        (try? queues.perform { (table) throws(QueueError) in table.names() }) ?? []
    }

    /// Sends what is for queues and begins what takes longer, and answers with the messages for the broker.
    package func carryOut(_ output: RuleOutput) -> [Message] { pending.carryOut(output) }
}
