package import Documents
import Records
import Rules
import Synchronization

/// Archives and replays.
///
/// Safe from any thread, as all of the engine; no lock is held while a pattern is matched.
extension EventEngine {
    // MARK: - Calls

    package func createArchive(_ declaration: ArchiveDeclaration) throws(ControlError) -> ArchiveDescription {
        guard rules.hasBus(declaration.bus) else {
            throw ControlError(.resourceNotFound, "Event bus \(declaration.bus) does not exist.")
        }
        return try changeArchives { (table, now) throws(ControlError) in
            try table.create(declaration, now: now)
            return ArchiveDescription(try table.archive(declaration.name))
        }
    }

    /// Changes what an archive keeps; `nil` leaves something as it is.
    package func updateArchive(
        _ name: String, patternText: String?, retentionDays: Int?, description: String?,
        location: SourceLocation = SourceLocation(file: "UpdateArchive")
    ) throws(ControlError) -> ArchiveDescription {
        guard patternText != nil || retentionDays != nil || description != nil else {
            throw ControlError(.validation, "At least one of EventPattern, RetentionDays or Description must be provided.")
        }
        let old = try changeArchives { (table, _) throws(ControlError) in
            let archive = try table.archive(name)
            try table.refuseTemplate(archive)
            return archive.declaration
        }
        let declaration = try ArchiveDeclaration(
            name: name, bus: old.bus, patternText: patternText ?? old.patternText, retentionDays: retentionDays ?? old.retentionDays,
            description: description ?? old.description, location: location)
        return try changeArchives { (table, now) throws(ControlError) in
            try table.update(declaration, now: now)
            return ArchiveDescription(try table.archive(name))
        }
    }

    package func deleteArchive(_ name: String) throws(ControlError) {
        try changeArchives { (table, _) throws(ControlError) in try table.delete(name) }
    }

    package func describeArchive(_ name: String) throws(ControlError) -> ArchiveDescription {
        try changeArchives { (table, now) throws(ControlError) in
            table.advance(to: now)
            return ArchiveDescription(try table.archive(name))
        }
    }

    /// All archives, by their names.
    package func archives() -> [ArchiveDescription] {
        archiveTable.withLock { table in
            table.advance(to: world.nowMilliseconds())
            keepChanges(of: &table)
            return table.all.map(ArchiveDescription.init)
        }
    }

    /// Makes the archives that the templates declare, or only says why they cannot be made.
    func declareArchives(_ resources: ResourceSet, buses: [String], onlyTrying: Bool) throws(DocumentError) {
        let now = world.nowMilliseconds()
        let result = archiveTable.withLock { table -> Result<Void, DocumentError> in
            var next = table
            do throws(DocumentError) { try next.declare(resources.archives, buses: Set(buses), now: now) } catch { return .failure(error) }
            if !onlyTrying {
                table = next
                keepChanges(of: &table)
                hasArchives.store(!table.isEmpty, ordering: .releasing)
            }
            return .success(())
        }
        try result.get()
    }

    package func startReplay(_ request: ReplayRequest) throws(ControlError) -> Replay {
        // Also where it is the archive's own: a template may have lacked the bus since, and left the archive.
        guard rules.hasBus(request.destination) else { throw .noBus(request.destination) }
        let archive = try changeArchives { (table, now) throws(ControlError) in try table.source(of: request, now: now) }
        try requireRules(request.filterARNs, onBus: request.destination)
        // An archive may be large, and events wait for the lock.
        let events = archive.events(in: request.range)
        return try changeArchives { (table, now) throws(ControlError) in try table.start(request, events, now: now) }
    }

    /// By which a replay names one of the rules that are to get its events.
    package func arn(ofRule name: String, onBus bus: String) throws(ControlError) -> String {
        guard let entry = rules.eventRule(RuleKey(bus: bus, name: name)) else { throw .noRule(name, onBus: bus) }
        return entry.rule.arn
    }

    /// A replay to rules that are not there would reach nobody.
    private func requireRules(_ arns: [String], onBus bus: String) throws(ControlError) {
        let rules = rules
        for arn in arns {
            let key = RuleKey(arn: arn)
            guard let key, key.bus == bus else {
                throw .invalid("Destination.FilterArns", arn, "is not the ARN of a rule of the event bus \(bus)")
            }
            guard rules.eventRule(key)?.rule.arn == arn else { throw .noRule(key.name, onBus: bus) }
        }
    }

    package func cancelReplay(_ name: String) throws(ControlError) -> Replay {
        try changeArchives { (table, _) throws(ControlError) in try table.cancel(name) }
    }

    package func describeReplay(_ name: String) throws(ControlError) -> Replay {
        try changeArchives { (table, _) throws(ControlError) in try table.replay(name) }
    }

    /// All replays, the latest first.
    package func replays() -> [Replay] { archiveTable.withLock { $0.allReplays } }

    private func changeArchives<Value>(
        _ change: (inout ArchiveTable, Int64) throws(ControlError) -> Value
    ) throws(ControlError) -> Value {
        let now = world.nowMilliseconds()
        let result = archiveTable.withLock { table -> Result<Value, ControlError> in
            table.isStoreFailing = store?.isFailing ?? false
            defer {
                hasArchives.store(!table.isEmpty, ordering: .releasing)
                keepChanges(of: &table)
            }
            do throws(ControlError) { return .success(try change(&table, now)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Takes up the archives and replays that the store had kept; answers what is left out, and why.
    func restoreArchives(
        _ records: [KeptRecord], declared: [ArchiveDeclaration], buses: [String]
    ) throws(UnreadableRecord) -> [String] {
        let result = archiveTable.withLock { table -> Result<[String], UnreadableRecord> in
            defer { hasArchives.store(!table.isEmpty, ordering: .releasing) }
            do throws(UnreadableRecord) {
                return .success(try table.restore(records, declared: declared, buses: Set(buses)))
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Hands what has changed to the store; under the lock, so that it gets changes in the order in which they were made.
    private func keepChanges(of table: inout ArchiveTable) {
        let changes = table.takeChanges()
        if !changes.isEmpty { store?.append(changes) }
    }

    // MARK: - Events

    func hasArchives(ofBus bus: String) -> Bool {
        hasArchives.load(ordering: .acquiring) && archiveTable.withLock { $0.routes(ofBus: bus) != nil }
    }

    /// Keeps an event that was put on a bus, where an archive of the bus wants it.
    func archive(_ envelope: EventEnvelope, onBus bus: String, rules: RuleTable, noting output: inout RuleOutput) {
        // What is replayed was archived before.
        guard !envelope.isReplayed, hasArchives.load(ordering: .acquiring), let routes = archiveTable.withLock({ $0.routes(ofBus: bus) })
        else { return }
        let names = routes.archives(keeping: envelope.json, rules.searches)
        guard !names.isEmpty else { return }
        let now = world.nowMilliseconds()
        archiveTable.withLock { table in
            table.isStoreFull = store?.isFull ?? false
            table.keep(envelope, in: names, now: now)
            keepChanges(of: &table)
        }
        totals.eventsArchived.increment()
        output.isReferredTo = true
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
        let taken = archiveTable.withLock { table in
            defer { keepChanges(of: &table) }
            // A replay can wait for the disk: what it puts is not to be in memory alone.
            return table.takeReplayed(store?.isFailing == true ? 0 : eventsMax, now: now)
        }
        let rules = rules
        for (replay, events) in taken where rules.hasBus(replay.bus) {
            for event in events {
                var envelope = event.replayed(as: replay.name)
                let step = step(below: envelope.trace)
                envelope.trace = step?.parent ?? envelope.trace
                totals.eventsReplayed.increment()
                var matching = rules.rules(onBus: replay.bus, matching: envelope.json)
                if !replay.filterARNs.isEmpty { matching.removeAll { !replay.filterARNs.contains($0.rule.arn) } }
                if matching.isEmpty {
                    totals.eventsUnmatched.increment()
                } else {
                    var made = RuleOutput()
                    route(envelope, onBus: replay.bus, to: matching, hops: 0, rules: rules, into: &made)
                    output.append(made.traced(step, as: "replay"))
                }
            }
        }
        return output
    }
}

/// An archive as it is now.
package struct ArchiveDescription: Sendable {
    package let declaration: ArchiveDeclaration
    /// Whether a template declared it, and none does any more.
    package let isLeft: Bool
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
        isLeft = archive.owner == .formerTemplate
        createdMilliseconds = archive.createdMilliseconds
        eventCount = archive.events.count
        bytes = archive.bytes
    }
}
