import Documents
import Records

/// What of archives and replays outlives the process (record 0020).
extension ArchiveTable {
    // MARK: - Writing

    mutating func noteArchive(_ name: String) {
        guard isKept, let archive = archive(named: name) else { return }
        var writer = RecordWriter()
        let declaration = archive.declaration
        writer.add(declaration.name)
        writer.add(declaration.bus)
        writer.add(declaration.patternText)
        writer.add(Int64(declaration.retentionDays))
        writer.add(declaration.description)
        writer.add(declaration.location.description)
        writer.add(archive.owner == .api)
        writer.add(archive.createdMilliseconds)
        note(.put(KeptRecord(RecordKey(.archive, archive.number), writer.bytes)))
    }

    mutating func noteDeletion(of archive: Archive) { noteDeletion(of: archive.number) }

    mutating func noteDeletionOfLeftOut(_ name: String) {
        for number in leftOut.removeValue(forKey: name) ?? [] { noteDeletion(of: number) }
    }

    private mutating func noteDeletion(of archive: UInt64) {
        guard isKept else { return }
        notInStore[archive] = nil
        note(.removeAll(RecordKey(.archivedEvent, archive)))
        note(.remove(RecordKey(.archive, archive)))
    }

    /// Beyond what may wait for a disk that takes nothing, an event is in memory alone: nobody was promised more.
    mutating func noteEvent(_ event: ArchivedEvent, in archive: UInt64) {
        guard isKept else { return }
        guard !isStoreFull else {
            notInStore[archive, default: []].insert(event.sequence)
            return
        }
        // The second version has a trace.
        var writer = RecordWriter(version: event.envelope.trace == nil ? 1 : 2)
        writer.add(event.arrivedMilliseconds)
        event.envelope.write(to: &writer)
        writer.add(trace: event.envelope.trace)
        note(.put(KeptRecord(RecordKey(.archivedEvent, archive, event.sequence), writer.bytes)))
    }

    mutating func noteRemoval(_ events: [UInt64], from archive: UInt64) {
        guard isKept else { return }
        // What the store never had is not to fill it with removals while it takes nothing.
        for sequence in events where notInStore[archive]?.remove(sequence) == nil {
            note(.remove(RecordKey(.archivedEvent, archive, sequence)))
        }
    }

    mutating func noteReplay(_ replay: Replay?) {
        guard isKept, let replay else { return }
        var writer = RecordWriter()
        replay.write(to: &writer)
        note(.put(KeptRecord(RecordKey(.replay, replay.number), writer.bytes)))
    }

    mutating func noteForgotten(_ replay: Replay?) {
        if isKept, let replay { note(.remove(RecordKey(.replay, replay.number))) }
    }

    // MARK: - Reading

    /// Takes up what was kept, once, before anything else; from here on changes are noted.
    ///
    /// Replays that were not over go on behind what they had put.
    ///
    /// - Parameters:
    ///   - records: all that the store had.
    ///   - declared: the archives of the templates, which are made later; one with another bus goes before.
    ///   - buses: the names of all buses.
    /// - Returns: what is left out, and why.
    /// - Throws: for a record of another version.
    mutating func restore(
        _ records: [KeptRecord], declared: [ArchiveDeclaration], buses: Set<String>
    ) throws(UnreadableRecord) -> [String] {
        isKept = true
        var reasons: [String] = []
        var found: [(archive: Archive, name: String)] = []
        for record in records where record.key.kind == .archive {
            var reader = try RecordReader(record)
            let number = try reader.keyNumber(record, at: 0)
            let (archive, declaration) = try Self.archive(&reader, number: number)
            skipRecords(upTo: number)
            if let reason = Self.refusal(of: declaration, archive.owner, declared, buses) {
                reasons.append("archive \(declaration.name): \(reason)")
                leftOut[declaration.name, default: []].append(number)
                continue
            }
            found.append((archive, declaration.name))
        }
        var names: [UInt64: String] = [:]
        // One was made while another of its name was left out: the later one has the name.
        for (archive, name) in found.sorted(by: { $0.archive.number > $1.archive.number }) {
            if self.archive(named: name) != nil {
                reasons.append("archive \(name): another one of this name was made later")
                leftOut[name, default: []].append(archive.number)
                continue
            }
            names[archive.number] = name
            adopt(archive)
        }
        for record in records where record.key.kind == .archivedEvent {
            var reader = try RecordReader(record, upTo: 2)
            let number = try reader.keyNumber(record, at: 0)
            let sequence = try reader.keyNumber(record, at: 1)
            skipRecords(upTo: sequence)
            guard let name = names[number] else { continue }
            let arrived = try reader.number()
            var envelope = try EventEnvelope(&reader)
            envelope.trace = try reader.trace(since: 2)
            adopt(ArchivedEvent(sequence: sequence, envelope: envelope, arrivedMilliseconds: arrived), in: name)
        }
        for record in records where record.key.kind == .replay {
            var reader = try RecordReader(record)
            let number = try reader.keyNumber(record, at: 0)
            skipRecords(upTo: number)
            let replay = try Replay(&reader, number: number) { archive(named: $0)?.events(in: $1) }
            adopt(replay)
        }
        return reasons
    }

    private static func archive(
        _ reader: inout RecordReader, number: UInt64
    ) throws(UnreadableRecord) -> (Archive, ArchiveDeclaration) {
        let (name, bus, pattern) = (try reader.text(), try reader.text(), try reader.optionalText())
        let (days, description) = (Int(clamping: try reader.number()), try reader.optionalText())
        let location = SourceLocation(file: try reader.text())
        let declaration: ArchiveDeclaration
        do throws(ControlError) {
            declaration = try ArchiveDeclaration(
                name: name, bus: bus, patternText: pattern, retentionDays: days, description: description, location: location)
        } catch { throw reader.unreadable(error.message) }
        // Whether a template still declares it is known when the templates' are made.
        let owner: Archive.Owner = try reader.flag() ? .api : .formerTemplate
        return (Archive(declaration, owner, number: number, now: try reader.number()), declaration)
    }

    private static func refusal(
        of kept: ArchiveDeclaration, _ owner: Archive.Owner, _ declared: [ArchiveDeclaration], _ buses: Set<String>
    ) -> String? {
        if let other = declared.first(where: { $0.name == kept.name }), owner == .api || other.bus != kept.bus {
            return "another one is declared at \(other.location) by now"
        }
        return owner == .api && !buses.contains(kept.bus) ? "there is no event bus \(kept.bus) any more" : nil
    }
}

extension RecordReader {
    fileprivate func keyNumber(_ record: KeptRecord, at place: Int) throws(UnreadableRecord) -> UInt64 {
        guard let number = record.key.number(at: place) else { throw unreadable("it has no number") }
        return number
    }
}

extension Replay {
    fileprivate func write(to writer: inout RecordWriter) {
        writer.add(name)
        writer.add(archive)
        writer.add(bus)
        writer.add(filterARNs) { $0.add($1) }
        writer.add(description)
        writer.add(range.lowerBound)
        writer.add(range.upperBound)
        writer.add(startedMilliseconds)
        writer.add(endedMilliseconds) { $0.add($1) }
        writer.add(state.rawValue)
        writer.add(lastReplayedMilliseconds) { $0.add($1) }
        writer.add(Int64(bitPattern: lastSequence))
        writer.add(Int64(bitPattern: sequencesEnd))
    }

    /// A replay that goes on behind what it put last; `find` answers the events of an archive in a range of times, nil for no such archive.
    fileprivate init(
        _ reader: inout RecordReader, number: UInt64, find: (String, Range<Int64>) -> [ArchivedEvent]?
    ) throws(UnreadableRecord) {
        let (name, archive, bus) = (try reader.text(), try reader.text(), try reader.text())
        let filterARNs = try reader.list { (reader) throws(UnreadableRecord) in try reader.text() }
        let description = try reader.optionalText()
        let (start, end) = (try reader.number(), try reader.number())
        let request: ReplayRequest
        do throws(ControlError) {
            request = try ReplayRequest(
                name: name, archive: archive, destination: bus, filterARNs: filterARNs, description: description, start: start, end: end)
        } catch { throw reader.unreadable(error.message) }
        let started = try reader.number()
        let ended = try reader.optionalNumber()
        guard let state = State(rawValue: try reader.text()) else { throw reader.unreadable("it has no state") }
        let last = try reader.optionalNumber()
        let lastSequence = UInt64(bitPattern: try reader.number())
        let sequencesEnd = UInt64(bitPattern: try reader.number())
        var events = state.isOver ? [] : find(archive, request.range)?.filter { $0.sequence < sequencesEnd } ?? []
        if let place = events.firstIndex(where: { $0.sequence == lastSequence }) {
            events.removeFirst(place + 1)
        } else if let last {
            // That one is too old by now: those of its minute come once more.
            events.removeAll { $0.envelope.timeMilliseconds / 60_000 < last / 60_000 }
        }
        self.init(request, bus: bus, events: events, number: number, sequencesEnd: sequencesEnd, now: started)
        (self.state, endedMilliseconds, lastReplayedMilliseconds, self.lastSequence) = (state, ended, last, lastSequence)
    }
}

extension EventEnvelope {
    fileprivate func write(to writer: inout RecordWriter) {
        writer.add(id)
        writer.add(timeMilliseconds)
        writer.add(json)
        writer.add(Int64(replayOffset))
    }

    fileprivate init(_ reader: inout RecordReader) throws(UnreadableRecord) {
        let (id, time, json) = (try reader.text(), try reader.number(), try reader.field())
        guard let offset = Int(exactly: try reader.number()), (0...json.count).contains(offset) else {
            throw reader.unreadable("its event has no place for the name of a replay")
        }
        self.init(id: id, timeMilliseconds: time, json: json, replayOffset: offset)
    }
}
