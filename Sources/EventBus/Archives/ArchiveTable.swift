import Documents
import Records
import Rules

/// All archives and replays, and the rules by which events get into them and out.
///
/// Knows no clock: every call says what time it is, in milliseconds since 1970. What of it is to outlive the process is in
/// ``takeChanges()``.
struct ArchiveTable: Sendable {
    let limits: EventBusLimits
    private var archives: [String: Archive] = [:]
    private var replays: [String: Replay] = [:]
    /// The names of all replays, oldest first.
    private var replayOrder: [String] = []
    private var routes: [String: ArchiveRoutes] = [:]
    private var numbers: [String: Int] = [:]
    private var lastNumber = 0
    private(set) var bytes = 0
    private(set) var eventsDropped: UInt64 = 0
    /// Whether there is a store: then changes are noted.
    var isKept = false
    /// Whether the store takes nothing now: what would have to be in it is refused.
    var isStoreFailing = false
    /// Whether, besides, as much waits for it as may.
    var isStoreFull = false
    /// By archive: events that are in memory alone, since the store took nothing when they came.
    var notInStore: [UInt64: Set<UInt64>] = [:]
    private var changes: [RecordChange] = []
    private var lastRecord: UInt64 = 0
    /// Archives that the store has and that are not in force, by their names.
    var leftOut: [String: [UInt64]] = [:]
    /// Replays that have put events since they were noted: that counts once what came of the events is carried out.
    private var ahead: Set<String> = []

    init(limits: EventBusLimits) {
        self.limits = limits
    }

    // MARK: - What is kept

    mutating func note(_ change: RecordChange) { changes.append(change) }

    /// What is to be kept of what has changed since this was asked last, in order.
    mutating func takeChanges() -> [RecordChange] {
        if changes.isEmpty { return [] }
        defer { changes = [] }
        return changes
    }

    /// Numbers of archives, events and replays.
    private mutating func nextRecord() -> UInt64 {
        lastRecord += 1
        return lastRecord
    }

    mutating func skipRecords(upTo number: UInt64) { lastRecord = max(lastRecord, number) }

    private func requireStore() throws(ControlError) {
        if isStoreFailing { throw .notKept }
    }

    func archive(named name: String) -> Archive? { archives[name] }

    /// Takes up an archive that was kept, without its events.
    mutating func adopt(_ archive: Archive) {
        archives[archive.declaration.name] = archive
        file(archive.declaration)
    }

    mutating func adopt(_ event: ArchivedEvent, in name: String) {
        archives[name]?.append(event)
        bytes += event.bytes
    }

    mutating func adopt(_ replay: Replay) {
        replays[replay.name] = replay
        replayOrder.append(replay.name)
    }

    /// How a bus's events get into its archives; nil where it has none.
    func routes(ofBus bus: String) -> ArchiveRoutes? { routes[bus] }

    // MARK: - Archives

    func archive(_ name: String) throws(ControlError) -> Archive {
        guard let archive = archives[name] else { throw .noArchive(name) }
        return archive
    }

    var isEmpty: Bool { archives.isEmpty }

    /// All archives, by their names.
    var all: [Archive] { archives.values.sorted { $0.declaration.name < $1.declaration.name } }

    /// Makes an archive by API.
    mutating func create(_ declaration: ArchiveDeclaration, now: Int64) throws(ControlError) {
        guard archives[declaration.name] == nil else {
            throw ControlError(.resourceAlreadyExists, "Archive \(declaration.name) already exists.")
        }
        guard leftOut[declaration.name] == nil else {
            throw ControlError(
                .resourceAlreadyExists,
                "Archive \(declaration.name) is in the store and not in force: the log of the start says why. DeleteArchive removes it.")
        }
        try requireStore()
        guard archives.count < limits.archivesMax else {
            throw ControlError(.limitExceeded, "There are archivesMax (\(limits.archivesMax)) archives already.")
        }
        put(declaration, .api, now: now)
    }

    /// Changes, by API, what an archive keeps from now on; what it has stays.
    mutating func update(_ declaration: ArchiveDeclaration, now: Int64) throws(ControlError) {
        try requireStore()
        try refuseTemplate(try archive(declaration.name))
        put(declaration, .api, now: now)
    }

    /// Deletes an archive by API, and those of its name that are not in force.
    mutating func delete(_ name: String) throws(ControlError) {
        if archives[name] == nil, leftOut[name] != nil {
            try requireStore()
            return noteDeletionOfLeftOut(name)
        }
        let archive = try archive(name)
        try refuseTemplate(archive)
        try requireStore()
        noteDeletionOfLeftOut(name)
        archives[name] = nil
        noteDeletion(of: archive)
        bytes -= archive.bytes
        unfile(archive.declaration)
    }

    func refuseTemplate(_ archive: Archive) throws(ControlError) {
        guard archive.owner == .template else { return }
        throw .ofTemplate("Archive \(archive.declaration.name)", at: archive.declaration.location, .validation)
    }

    /// Makes the archives that templates declare; one that is there keeps its events and gets the template's settings.
    ///
    /// An archive that no template declares any more stays: its events are somebody's.
    ///
    /// - Parameters:
    ///   - declarations: those of all templates.
    ///   - buses: the names of all buses.
    ///   - now: the time.
    /// - Throws: for one that came by API, for one that keeps events of another bus, for one by API whose bus is gone, and for too many;
    ///   then nothing has changed.
    mutating func declare(_ declarations: [ArchiveDeclaration], buses: Set<String>, now: Int64) throws(DocumentError) {
        var problems = ProblemCollector()
        for declaration in declarations {
            guard let known = archives[declaration.name] else { continue }
            if known.owner == .api {
                problems.add("the archive `\(declaration.name)` exists already, by \(known.declaration.location)", at: declaration.location)
            } else if known.declaration.bus != declaration.bus {
                problems.add(
                    "the archive `\(declaration.name)` keeps events of the bus `\(known.declaration.bus)`: one of the bus "
                        + "`\(declaration.bus)` needs another name, or that one is to be deleted first",
                    at: declaration.location)
            }
        }
        for archive in all where archive.owner == .api && !buses.contains(archive.declaration.bus) {
            let (name, bus) = (archive.declaration.name, archive.declaration.bus)
            problems.add("no template declares the bus `\(bus)` of the archive `\(name)` any more", at: archive.declaration.location)
        }
        let new = declarations.filter { archives[$0.name] == nil }
        if let first = new.first, archives.count + new.count > limits.archivesMax {
            problems.add(
                "the templates declare \(new.count) archives more, but there may be archivesMax (\(limits.archivesMax))", at: first.location
            )
        }
        try problems.finish()
        let names = Set(declarations.map(\.name))
        for archive in all where archive.owner == .template && !names.contains(archive.declaration.name) {
            archives[archive.declaration.name]?.owner = .formerTemplate
        }
        for declaration in declarations { put(declaration, .template, now: now) }
    }

    private mutating func put(_ declaration: ArchiveDeclaration, _ owner: Archive.Owner, now: Int64) {
        if let known = archives[declaration.name]?.declaration {
            unfile(known)
            archives[declaration.name]?.declaration = declaration
            archives[declaration.name]?.owner = owner
        } else {
            archives[declaration.name] = Archive(declaration, owner, number: nextRecord(), now: now)
        }
        noteArchive(declaration.name)
        file(declaration)
    }

    private mutating func file(_ declaration: ArchiveDeclaration) {
        lastNumber += 1
        numbers[declaration.name] = lastNumber
        routes[declaration.bus, default: ArchiveRoutes()].insert(declaration, as: lastNumber)
    }

    private mutating func unfile(_ declaration: ArchiveDeclaration) {
        guard let number = numbers.removeValue(forKey: declaration.name) else { return }
        routes[declaration.bus]?.remove(number)
        if routes[declaration.bus]?.isEmpty ?? false { routes[declaration.bus] = nil }
    }

    // MARK: - Events

    /// Keeps an event in archives; where that is too much for all together, the oldest ones of the largest go.
    mutating func keep(_ envelope: EventEnvelope, in names: [String], now: Int64) {
        for name in names {
            guard let number = archives[name]?.number else { continue }
            let event = ArchivedEvent(sequence: nextRecord(), envelope: envelope, arrivedMilliseconds: now)
            archives[name]?.append(event)
            noteEvent(event, in: number)
            bytes += event.bytes
            advance(name, to: now)
        }
        guard bytes > limits.archiveBytesMax else { return }
        advance(to: now)
        // The largest pays, so that no archive can keep others empty.
        while bytes > limits.archiveBytesMax, let largest = archives.max(by: { $0.value.bytes < $1.value.bytes })?.key,
            let number = archives[largest]?.number, let freed = archives[largest]?.removeFirst()
        {
            bytes -= freed.bytes
            noteRemoval([freed.sequence], from: number)
            eventsDropped += 1
        }
    }

    private mutating func advance(_ name: String, to now: Int64) {
        let before = archives[name]?.bytes ?? 0
        guard let dropped = archives[name]?.advance(to: now), !dropped.isEmpty, let archive = archives[name] else { return }
        bytes -= before - archive.bytes
        noteRemoval(dropped, from: archive.number)
    }

    /// Drops what is older than its archive keeps.
    mutating func advance(to now: Int64) {
        for name in archives.keys { advance(name, to: now) }
    }

    // MARK: - Replays

    func replay(_ name: String) throws(ControlError) -> Replay {
        guard let replay = replays[name] else { throw .noReplay(name) }
        return replay
    }

    /// All replays, the latest first.
    var allReplays: [Replay] { replayOrder.reversed().compactMap { replays[$0] } }
    var hasRunningReplays: Bool { !ahead.isEmpty || replays.values.contains { !$0.state.isOver } }

    /// The archive that a replay is to take its events from.
    ///
    /// - Throws: when the replay cannot be started.
    mutating func source(of request: ReplayRequest, now: Int64) throws(ControlError) -> Archive {
        guard replays[request.name] == nil else {
            throw ControlError(.resourceAlreadyExists, "Replay \(request.name) already exists.")
        }
        guard archives[request.archive] != nil else {
            throw ControlError(
                .validation, "Parameter EventSourceArn is not valid. Reason: Archive \(request.archive) does not exist.")
        }
        advance(request.archive, to: now)
        let archive = try archive(request.archive)
        guard archive.declaration.bus == request.destination else {
            throw ControlError(.validation, "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
        }
        guard replays.values.count(where: { !$0.state.isOver }) < limits.replaysRunningMax else {
            throw ControlError(.limitExceeded, "The requested resource exceeds the maximum number allowed.")
        }
        return archive
    }

    /// Starts a replay of events that were taken from ``source(of:now:)``.
    mutating func start(_ request: ReplayRequest, _ events: [ArchivedEvent], now: Int64) throws(ControlError) -> Replay {
        try requireStore()
        let bus = try source(of: request, now: now).declaration.bus
        let replay = Replay(
            request, bus: bus, events: events, number: nextRecord(), sequencesEnd: (events.map(\.sequence).max() ?? 0) + 1, now: now)
        replays[request.name] = replay
        replayOrder.append(request.name)
        noteReplay(replay)
        forgetOldReplays()
        return replay
    }

    private mutating func forgetOldReplays() {
        while replays.count > limits.replaysKeptMax, let oldest = replayOrder.firstIndex(where: { replays[$0]?.state.isOver ?? true }) {
            noteForgotten(replays.removeValue(forKey: replayOrder.remove(at: oldest)))
        }
    }

    mutating func cancel(_ name: String) throws(ControlError) -> Replay {
        let replay = try replay(name)
        guard !replay.state.isOver, replay.state != .cancelling else {
            throw ControlError(.illegalStatus, "Replay \(name) is not in a valid state for this operation.")
        }
        try requireStore()
        replays[name]?.state = .cancelling
        noteReplay(replays[name])
        return try self.replay(name)
    }

    /// The next events of all running replays, at most so many of each.
    mutating func takeReplayed(_ most: Int, now: Int64) -> [(replay: Replay, events: [EventEnvelope])] {
        // What they had put before has been carried out.
        for name in ahead { noteReplay(replays[name]) }
        ahead = []
        var taken: [(replay: Replay, events: [EventEnvelope])] = []
        for name in replayOrder {
            guard let replay = replays[name], !replay.state.isOver else { continue }
            let events = replays[name]?.takeNext(most, now: now) ?? []
            if isKept, !events.isEmpty || replays[name]?.state.isOver ?? false { ahead.insert(name) }
            if !events.isEmpty { taken.append((replay, events)) }
        }
        return taken
    }
}

/// Into which archives the events of one bus go.
struct ArchiveRoutes: Sendable {
    private var index = PatternIndex()
    private var names: [Int: String] = [:]
    private var unfiltered: Set<Int> = []

    var isEmpty: Bool { names.isEmpty }

    mutating func insert(_ declaration: ArchiveDeclaration, as number: Int) {
        names[number] = declaration.name
        if let pattern = declaration.pattern { index.insert(pattern, for: number) } else { unfiltered.insert(number) }
    }

    mutating func remove(_ number: Int) {
        names[number] = nil
        unfiltered.remove(number)
        index.remove(number)
    }

    /// The names of the archives that keep an event.
    func archives(keeping json: [UInt8], _ searches: SearchPool) -> [String] {
        let filtered = index.count == 0 ? [] : searches.withSearch { index.matches(json, using: &$0) }
        return (filtered + unfiltered).compactMap { names[$0] }
    }
}
