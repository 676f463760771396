/// Events of an archive on their way to their bus once more.
package struct Replay: Sendable {
    package enum State: String, Sendable {
        case starting = "STARTING"
        case running = "RUNNING"
        case completed = "COMPLETED"
        case cancelling = "CANCELLING"
        case cancelled = "CANCELLED"

        package var isOver: Bool { self == .completed || self == .cancelled }
    }

    package let name: String
    package let archive: String
    package let bus: String
    /// The rules that get the events, by their ARNs; empty for all.
    package let filterARNs: [String]
    package let description: String?
    /// Of the events' own times, in milliseconds since 1970.
    package let range: Range<Int64>
    package let startedMilliseconds: Int64
    package var endedMilliseconds: Int64?
    package var state = State.starting
    /// The own time of the event that was replayed last.
    package var lastReplayedMilliseconds: Int64?
    /// Of the same event.
    var lastSequence: UInt64 = 0
    /// By which the store has it.
    let number: UInt64
    /// Events of the archive from this one on came after the start.
    let sequencesEnd: UInt64
    /// The events of the archive as it was at the start: they share their bytes with it.
    private var events: [ArchivedEvent]
    private var position = 0

    init(_ request: ReplayRequest, bus: String, events: [ArchivedEvent], number: UInt64, sequencesEnd: UInt64, now: Int64) {
        (self.number, self.sequencesEnd) = (number, sequencesEnd)
        (name, archive, self.bus) = (request.name, request.archive, bus)
        (filterARNs, description, range) = (request.filterARNs, request.description, request.range)
        startedMilliseconds = now
        self.events = events
    }

    /// The next events, at most so many; afterwards the state says whether there are more.
    mutating func takeNext(_ most: Int, now: Int64) -> [EventEnvelope] {
        switch state {
        case .completed, .cancelled: return []
        case .cancelling:
            end(.cancelled, now)
            return []
        case .starting, .running: break
        }
        let next = Array(events[position...].prefix(most))
        position += next.count
        if let last = next.last {
            lastReplayedMilliseconds = last.envelope.timeMilliseconds
            lastSequence = last.sequence
        }
        state = .running
        if position == events.count { end(.completed, now) }
        return next.map(\.envelope)
    }

    private mutating func end(_ state: State, _ now: Int64) {
        self.state = state
        endedMilliseconds = now
        events = []
        position = 0
    }
}

/// A call for a replay.
package struct ReplayRequest: Sendable {
    package let name: String
    package let archive: String
    /// The bus that is to get the events, which must be the archive's own.
    package let destination: String
    package let filterARNs: [String]
    package let description: String?
    package let range: Range<Int64>

    /// - Parameters:
    ///   - name: of the replay.
    ///   - archive: the name of the archive.
    ///   - destination: the name of the bus.
    ///   - filterARNs: the rules that get the events; empty for all.
    ///   - description: for people.
    ///   - start: the first event's own time, in milliseconds since 1970.
    ///   - end: behind the last event's.
    /// - Throws: when the name or the times are not valid.
    package init(
        name: String, archive: String, destination: String, filterARNs: [String] = [], description: String? = nil, start: Int64, end: Int64
    ) throws(ControlError) {
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else {
            throw .invalid("ReplayName", name, "must be 1 to 64 letters, digits and any of `.-_`")
        }
        guard start < end else {
            throw ControlError(.validation, "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
        }
        (self.name, self.archive, self.destination) = (name, archive, destination)
        (self.filterARNs, self.description) = (filterARNs, description)
        range = start..<end
    }
}
