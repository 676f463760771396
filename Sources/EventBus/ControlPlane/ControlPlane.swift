package import Documents
package import Rules
import Synchronization

/// Makes, changes and lists buses, rules, targets, topic rules, connections and API destinations by API, beside those of the templates.
///
/// What came by API is kept in memory, also over a reload of the templates. Each change compiles what it names, and puts all rules in force
/// at once: events that are on their way finish with the old ones, later ones find the new. Safe from any thread; changes are made one after
/// the other, and events do not wait for them.
package final class ControlPlane: Sendable {
    package let delivery: RuleDelivery
    let limits: EventBusLimits
    let host: SQLHost
    private let registry: Mutex<ResourceRegistry>

    /// - Parameters:
    ///   - delivery: whose engine has the rules of the templates in force.
    ///   - templates: these rules.
    ///   - host: what the program lends the statements of topic rules.
    package init(delivery: RuleDelivery, templates: ResourceSet, host: SQLHost = SQLHost()) {
        self.delivery = delivery
        self.host = host
        limits = delivery.engine.limits
        registry = Mutex(ResourceRegistry(templates: templates, loadedMilliseconds: delivery.engine.world.nowMilliseconds()))
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
            registry = next
            delivery.engine.replace(resources: next.resources)
        }
        delivery.pending.rulesChanged()
    }

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
        let value = try registry.withLock { (registry) throws(ControlError) in
            let value = try body(&registry)
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
