package import Documents
package import Records
package import Rules
import Synchronization

/// Makes, changes and lists buses, rules, targets, topic rules, connections and API destinations by API, beside those of the templates.
///
/// What came by API is kept over a reload of the templates, and with a store over a restart. Each change compiles what it names, and puts all rules in force
/// at once: events that are on their way finish with the old ones, later ones find the new. Safe from any thread; changes are made one after
/// the other, and events do not wait for them.
package final class ControlPlane: Sendable {
    package let delivery: RuleDelivery
    let limits: EventBusLimits
    let host: SQLHost
    private let registry: Mutex<ResourceRegistry>
    private let store: (any RecordStore)?

    /// - Parameters:
    ///   - delivery: whose engine has the rules of the templates in force.
    ///   - templates: these rules.
    ///   - host: what the program lends the statements of topic rules.
    ///   - store: keeps what comes by API; without it that is in memory.
    package init(delivery: RuleDelivery, templates: ResourceSet, host: SQLHost = SQLHost(), store: (any RecordStore)? = nil) {
        self.delivery = delivery
        self.host = host
        self.store = store
        limits = delivery.engine.limits
        registry = Mutex(ResourceRegistry(templates: templates, loadedMilliseconds: delivery.engine.world.nowMilliseconds()))
    }

    /// Takes up what the store had kept of what came by API, once, before anything else.
    ///
    /// - Returns: how much of it is in force, and what is not, and why.
    /// - Throws: for what another version wrote.
    package func restore(_ records: [KeptRecord]) throws(UnreadableRecord) -> (restored: Int, leftOut: [String]) {
        try registry.withLock { (registry) throws(UnreadableRecord) in
            let found = try ResourceRestoring(registry, records, host: host)
            registry = found.registry
            delivery.pending.keep(deliveriesOf: found.incompleteRules)
            // All of it is in the store.
            (_, _) = (registry.takeChanges(), registry.takeRecordChanges())
            delivery.engine.replace(resources: registry.resources)
            let archives = try delivery.engine.restoreArchives(
                records, declared: registry.templates.archives, buses: registry.allBuses.map(\.name))
            return (found.count, found.leftOut + archives)
        }
    }

    /// Returns when all that was changed so far outlives a crash, as far as the durability says so.
    package func kept() async throws(ControlError) {
        do throws(NotKept) { try await store?.settle() } catch { throw .notKept }
    }

    /// Hands what has changed to the store; under the lock, so that it gets changes in the order in which they were made.
    private func keep(_ registry: inout ResourceRegistry) {
        let changes = registry.takeRecordChanges()
        if !changes.isEmpty { store?.append(changes) }
    }

    /// Puts the rules of other templates in force, beside those that came by API, and makes the queues that they declare.
    ///
    /// - Throws: when a template declares what came by API, or not any more what something by API needs, and for more queues or archives
    ///   than there may be; then nothing has changed.
    package func replace(templates: ResourceSet) throws(DocumentError) {
        try registry.withLock { (registry) throws(DocumentError) in
            var next = registry
            try next.replace(templates: templates, loadedMilliseconds: now)
            var declared = next.declared
            // Of the templates' own some are not made yet.
            declared.queues += delivery.queueNames
            try next.readCallsAgain(declared)
            // All of them are put in force.
            _ = next.takeChanges()
            try delivery.declare(templates, buses: declared.buses)
            keep(&next)
            registry = next
            delivery.engine.replace(resources: next.resources)
        }
        delivery.pending.rulesChanged()
    }

    /// The names of all buses, those by API among them.
    package var busNames: [String] { registry.withLock { $0.allBuses.map(\.name) } }

    /// Targets of one call, see ``EventBusLimits/targetsPerCallMax``.
    package var targetsPerCallMax: Int { limits.targetsPerCallMax }

    var now: Int64 { delivery.engine.world.nowMilliseconds() }

    /// Where and when something came by API.
    func origin(_ operation: String) -> SourceLocation { SourceLocation(file: "\(operation) \(timestamp(milliseconds: now))") }

    func look<Value: Sendable>(_ body: (borrowing ResourceRegistry) throws(ControlError) -> Value) throws(ControlError) -> Value {
        try registry.withLock { (registry) throws(ControlError) in try body(registry) }
    }

    /// Changes the registry, and puts the outcome in force.
    ///
    /// The body throws before it changes anything.
    func change<Value: Sendable>(_ body: (inout ResourceRegistry) throws(ControlError) -> Value) throws(ControlError) -> Value {
        if store?.isFailing == true { throw .notKept }
        let value = try registry.withLock { (registry) throws(ControlError) in
            let value = try body(&registry)
            keep(&registry)
            let changes = registry.takeChanges()
            if changes.needsAll {
                delivery.engine.replace(resources: registry.resources)
            } else {
                // Only what has changed: a bus may have very many rules.
                delivery.engine.replace(rules: changes.rules, topicRules: changes.hasTopicRules ? registry.allTopicRules : nil)
            }
            return value
        }
        delivery.pending.rulesChanged()
        return value
    }

    /// What targets and actions may refer to now: the queues, too, that came by API.
    func declaredNames(_ registry: borrowing ResourceRegistry) -> DeclaredNames {
        var names = registry.declared
        names.queues = delivery.queueNames
        return names
    }
}
