import DequeModule

/// An event that an archive keeps.
struct ArchivedEvent: Sendable {
    /// Rises from one event to the next.
    let sequence: UInt64
    let envelope: EventEnvelope
    /// When it came, in milliseconds since 1970: retention counts from here.
    let arrivedMilliseconds: Int64

    /// What it counts towards `archiveBytesMax`, so that small events are not free.
    var bytes: Int { envelope.json.count + (envelope.trace == nil ? 128 : 256) }
}

/// The events of one archive, in the order in which they came.
struct Archive: Sendable {
    /// Who says what it keeps.
    enum Owner: Sendable {
        case template
        /// A template did, and none does any more: it may be deleted and changed by API, and declared again.
        case formerTemplate
        case api
    }

    var declaration: ArchiveDeclaration
    var owner: Owner
    /// By which the store has it.
    let number: UInt64
    let createdMilliseconds: Int64
    private(set) var events = Deque<ArchivedEvent>()
    private(set) var bytes = 0

    init(_ declaration: ArchiveDeclaration, _ owner: Owner, number: UInt64, now: Int64) {
        self.number = number
        self.declaration = declaration
        self.owner = owner
        createdMilliseconds = now
    }

    mutating func append(_ event: ArchivedEvent) {
        events.append(event)
        bytes += event.bytes
    }

    /// Drops the oldest event, and answers it.
    mutating func removeFirst() -> ArchivedEvent? {
        guard let first = events.popFirst() else { return nil }
        bytes -= first.bytes
        return first
    }

    /// Drops what is older than the archive keeps.
    ///
    /// - Returns: the dropped events.
    mutating func advance(to now: Int64) -> [UInt64] {
        guard declaration.retentionDays > 0 else { return [] }
        let oldest = now - Int64(declaration.retentionDays) * 86_400_000
        var dropped: [UInt64] = []
        while let first = events.first, first.arrivedMilliseconds < oldest {
            _ = removeFirst()
            dropped.append(first.sequence)
        }
        return dropped
    }

    /// The events of a time, by the minute of their own time; those of one minute in the order in which they came.
    ///
    /// - Parameter range: of the events' own times, in milliseconds since 1970.
    /// - Returns: the events, which share their bytes with the archive.
    func events(in range: Range<Int64>) -> [ArchivedEvent] {
        let chosen = events.lazy.filter { range.contains($0.envelope.timeMilliseconds) }
        return chosen.enumerated().sorted { left, right in
            let minutes = (left.element.envelope.timeMilliseconds / 60_000, right.element.envelope.timeMilliseconds / 60_000)
            return minutes.0 == minutes.1 ? left.offset < right.offset : minutes.0 < minutes.1
        }.map(\.element)
    }
}
