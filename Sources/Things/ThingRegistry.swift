package import Documents
package import EventBus
package import Records
package import Rights
import Synchronization
import Trust

/// Things, certificates and policies that came by AWS IoT's API, beside the policies of the templates.
///
/// What came by API is kept over a reload, and with a store over a restart. A change that says something of who may do what is in force for
/// everything that is asked afterwards; who is connected and has lost a right is for the broker to find. Safe from any thread.
package final class ThingRegistry: Sendable {
    private struct State {
        var table: ThingTable
        /// Whether rights are asked for without what came by API.
        var isEnforced: Bool
    }

    private let state: Mutex<State>
    private let store: (any RecordStore)?
    private let source: EventSource
    /// Puts rights in force.
    private let putInForce: @Sendable (RegisteredRights) -> Void

    /// - Parameters:
    ///   - policies: those of the templates and the configuration, without what came by API.
    ///   - limits: named limits.
    ///   - store: keeps what comes by API; without it that is in memory.
    ///   - source: the time, and identifiers of things.
    ///   - putInForce: called under a lock, so that rights are in force in the order of the changes; waits for nothing.
    package init(
        policies: PolicyBook = PolicyBook(), limits: ThingLimits = ThingLimits(), store: (any RecordStore)? = nil,
        source: EventSource = .system, putInForce: @escaping @Sendable (RegisteredRights) -> Void = { _ in }
    ) {
        state = Mutex(State(table: ThingTable(limits: limits, templates: policies.policies), isEnforced: policies.isEnforced))
        (self.store, self.source, self.putInForce) = (store, source, putInForce)
    }

    // MARK: - Keeping

    /// Takes up what the store had kept, once, before anything else.
    ///
    /// - Returns: how much of it there is, and what is not in force, and why.
    /// - Throws: for what another version wrote.
    package func restore(_ records: [KeptRecord]) throws(UnreadableRecord) -> (restored: Int, leftOut: [String]) {
        try state.withLock { (state) throws(UnreadableRecord) in
            let leftOut = try state.table.restore(records)
            putInForce(state.table.rights)
            let table = state.table
            let count = table.things.count + table.groups.count + table.types.count + table.certificates.count + table.policies.count
            return (count, leftOut)
        }
    }

    /// Whether something here says who may not do what, and the configuration asks for no rights: nobody would keep to it.
    package var lacksBase: Bool { state.withLock { !$0.isEnforced && $0.table.saysWhoMayNot } }

    /// Returns when all that was changed so far outlives a crash, as far as the durability says so.
    package func kept() async throws(ControlError) {
        do throws(NotKept) { try await store?.settle() } catch { throw .notKept }
    }

    // MARK: - Reloading

    /// Refuses policies of other templates that have names of policies by API.
    package func check(_ policies: PolicyBook) throws(DocumentError) {
        let (known, templates) = state.withLock { ($0.table.policies, $0.table.templates) }
        // Those that had it already at the start have the word.
        let former = Set(templates.map(\.name))
        var problems = ProblemCollector()
        for policy in policies.policies where !former.contains(policy.name) {
            guard let location = known[policy.name]?.inForce?.policy.location else { continue }
            problems.add("the policy `\(policy.name)` exists already, by \(location)", at: policy.location)
        }
        try problems.finish()
    }

    /// Takes the policies of other templates, which ``check(_:)`` has let pass.
    package func replace(policies: PolicyBook) {
        state.withLock { state in
            state.table.templates = policies.policies
            state.isEnforced = policies.isEnforced
        }
    }

    // MARK: - Asking and changing

    /// Looks at the registry.
    package func look<Value: Sendable>(_ question: (borrowing ThingTable) throws(ControlError) -> Value) throws(ControlError) -> Value {
        try state.withLock { (state) throws(ControlError) in try question(state.table) }
    }

    /// Changes the registry.
    ///
    /// - Parameter body: throws before it changes anything. It is told whether rights are asked for without what came by API.
    /// - Returns: what the body says, and whether somebody may do more or less now.
    /// - Throws: what the body does, and while the store takes nothing.
    package func change<Value: Sendable>(
        _ body: (inout ThingTable, _ isEnforced: Bool) throws(ControlError) -> Value
    ) throws(ControlError) -> (Value, hasChangedRights: Bool) {
        if store?.isFailing == true { throw .notKept }
        return try state.withLock { (state) throws(ControlError) in
            let value = try body(&state.table, state.isEnforced)
            // Under the lock: the store gets changes in the order in which they were made.
            let changes = state.table.takeChanges()
            if !changes.isEmpty { store?.append(changes) }
            let hasChangedRights = state.table.rightsChanged
            state.table.rightsChanged = false
            if hasChangedRights { putInForce(state.table.rights) }
            return (value, hasChangedRights)
        }
    }

    /// Milliseconds since 1970.
    package var now: Int64 { source.nowMilliseconds() }
    /// An identifier that nobody else has.
    package func makeID() -> String { source.makeID() }

    /// Where and when something came by API.
    package func origin(_ operation: String) -> SourceLocation { SourceLocation(file: "\(operation) \(timestamp(milliseconds: now))") }
}
