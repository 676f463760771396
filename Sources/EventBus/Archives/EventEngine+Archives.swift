import Documents
import Rules
import Synchronization

/// Archives and replays.
///
/// Safe from any thread, as all of the engine; no lock is held while a pattern is matched.
extension EventEngine {
    // MARK: - Calls

    package func createArchive(_ declaration: ArchiveDeclaration) throws(ArchiveError) -> ArchiveDescription {
        guard rules.hasBus(declaration.bus) else {
            throw ArchiveError(.resourceNotFound, "Event bus \(declaration.bus) does not exist.")
        }
        return try changeArchives { (table, now) throws(ArchiveError) in
            try table.create(declaration, now: now)
            return ArchiveDescription(try table.archive(declaration.name))
        }
    }

    /// Changes what an archive keeps; `nil` leaves something as it is.
    package func updateArchive(
        _ name: String, patternText: String?, retentionDays: Int?, description: String?
    ) throws(ArchiveError) -> ArchiveDescription {
        guard patternText != nil || retentionDays != nil || description != nil else {
            throw ArchiveError(.validation, "At least one of EventPattern, RetentionDays or Description must be provided.")
        }
        let old = try describeArchive(name).declaration
        let declaration = try ArchiveDeclaration(
            name: name, bus: old.bus, patternText: patternText ?? old.patternText, retentionDays: retentionDays ?? old.retentionDays,
            description: description ?? old.description)
        return try changeArchives { (table, _) throws(ArchiveError) in
            try table.update(declaration)
            return ArchiveDescription(try table.archive(name))
        }
    }

    package func deleteArchive(_ name: String) throws(ArchiveError) {
        try changeArchives { (table, _) throws(ArchiveError) in try table.delete(name) }
    }

    package func describeArchive(_ name: String) throws(ArchiveError) -> ArchiveDescription {
        try changeArchives { (table, now) throws(ArchiveError) in
            table.advance(to: now)
            return ArchiveDescription(try table.archive(name))
        }
    }

    /// All archives, by their names.
    package func archives() -> [ArchiveDescription] {
        archiveTable.withLock { table in
            table.advance(to: world.nowMilliseconds())
            return table.all.map(ArchiveDescription.init)
        }
    }

    /// Makes the archives that the templates declare.
    package func declareArchives(_ resources: ResourceSet) throws(ArchiveError) {
        try changeArchives { (table, now) throws(ArchiveError) in try table.declare(resources.archives, now: now) }
    }

    package func startReplay(_ request: ReplayRequest) throws(ArchiveError) -> Replay {
        let archive = try changeArchives { (table, now) throws(ArchiveError) in try table.source(of: request, now: now) }
        // An archive may be large, and events wait for the lock.
        let events = archive.events(in: request.range)
        return try changeArchives { (table, now) throws(ArchiveError) in try table.start(request, events, now: now) }
    }

    package func cancelReplay(_ name: String) throws(ArchiveError) -> Replay {
        try changeArchives { (table, _) throws(ArchiveError) in try table.cancel(name) }
    }

    package func describeReplay(_ name: String) throws(ArchiveError) -> Replay {
        try changeArchives { (table, _) throws(ArchiveError) in try table.replay(name) }
    }

    /// All replays, the latest first.
    package func replays() -> [Replay] { archiveTable.withLock { $0.allReplays } }

    private func changeArchives<Value>(
        _ change: (inout ArchiveTable, Int64) throws(ArchiveError) -> Value
    ) throws(ArchiveError) -> Value {
        let now = world.nowMilliseconds()
        let result = archiveTable.withLock { table -> Result<Value, ArchiveError> in
            defer { hasArchives.store(!table.isEmpty, ordering: .releasing) }
            do throws(ArchiveError) { return .success(try change(&table, now)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    // MARK: - Events

    func hasArchives(ofBus bus: String) -> Bool {
        hasArchives.load(ordering: .acquiring) && archiveTable.withLock { $0.routes(ofBus: bus) != nil }
    }

    /// Keeps an event that was put on a bus, where an archive of the bus wants it.
    func archive(_ envelope: EventEnvelope, onBus bus: String, rules: RuleTable) {
        // What is replayed was archived before.
        guard !envelope.isReplayed, hasArchives.load(ordering: .acquiring), let routes = archiveTable.withLock({ $0.routes(ofBus: bus) })
        else { return }
        let names = routes.archives(keeping: envelope.json, rules.searches)
        guard !names.isEmpty else { return }
        let now = world.nowMilliseconds()
        archiveTable.withLock { $0.keep(envelope, in: names, now: now) }
        totals.eventsArchived.increment()
    }

    /// Whether ``runReplays()`` has something to do.
    package var hasRunningReplays: Bool { archiveTable.withLock { $0.hasRunningReplays } }

    /// Puts the next events of all running replays on their buses.
    ///
    /// - Parameter eventsMax: of each replay.
    /// - Returns: what is to be carried out.
    package func runReplays(eventsMax: Int) -> RuleOutput {
        var output = RuleOutput()
        let now = world.nowMilliseconds()
        let taken = archiveTable.withLock { $0.takeReplayed(eventsMax, now: now) }
        let rules = rules
        for (replay, events) in taken where rules.hasBus(replay.bus) {
            for event in events {
                let envelope = event.replayed(as: replay.name)
                totals.eventsReplayed.increment()
                var matching = rules.rules(onBus: replay.bus, matching: envelope.json)
                if !replay.filterARNs.isEmpty { matching.removeAll { !replay.filterARNs.contains($0.rule.arn) } }
                if matching.isEmpty {
                    totals.eventsUnmatched.increment()
                } else {
                    route(envelope, onBus: replay.bus, to: matching, hops: 0, rules: rules, into: &output)
                }
            }
        }
        return output
    }
}

/// An archive as it is now.
package struct ArchiveDescription: Sendable {
    package let declaration: ArchiveDeclaration
    package let createdMilliseconds: Int64
    package let eventCount: Int
    /// Of the events' JSON.
    package let bytes: Int

    package var arn: String { Self.arn(of: declaration.name) }

    package static func arn(of name: String) -> String {
        "arn:aws:events:\(TemplateScope.region):\(TemplateScope.accountID):archive/\(name)"
    }

    init(_ archive: Archive) {
        declaration = archive.declaration
        createdMilliseconds = archive.createdMilliseconds
        eventCount = archive.events.count
        bytes = archive.bytes
    }
}
