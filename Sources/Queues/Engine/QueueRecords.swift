package import Records

/// What of the queues outlives the process, and how it is read again.
///
/// How often a message was received, and who has it now, is not written: after a restart each is as it was sent.
extension QueueTable {
    // MARK: - Writing

    func queueKey(_ queue: Queue) -> RecordKey { RecordKey(.queue, queue.number) }

    /// Notes a queue as it is now, without its messages.
    mutating func noteQueue(_ name: String) {
        guard isKept, let queue = queues[name] else { return }
        var writer = RecordWriter()
        writer.add(name)
        writer.add(queue.createdMilliseconds)
        writer.add(queue.modifiedMilliseconds)
        writer.add(queue.settings.attributes)
        writer.add(queue.tags)
        note(.put(KeptRecord(queueKey(queue), writer.bytes)))
    }

    mutating func noteMessage(_ sequence: UInt64, in name: String) {
        guard isKept, let queue = queues[name], let message = queue.message(sequence) else { return }
        note(.put(KeptRecord(RecordKey(.queueMessage, queue.number, sequence), message.fields)))
    }

    mutating func noteRemoval(_ sequence: UInt64, from queue: UInt64) {
        if isKept { note(.remove(RecordKey(.queueMessage, queue, sequence))) }
    }

    /// Notes that a queue has no messages.
    mutating func noteEmptied(_ queue: UInt64) {
        if isKept { note(.removeAll(RecordKey(.queueMessage, queue))) }
    }

    // MARK: - Reading

    /// Takes up what was kept, once, before anything else; from here on changes are noted.
    ///
    /// - Throws: for a record of another version.
    package mutating func restore(_ records: [KeptRecord]) throws(UnreadableRecord) {
        isKept = true
        var names: [UInt64: String] = [:]
        for record in records where record.key.kind == .queue {
            let (name, queue) = try Self.queue(record)
            names[queue.number] = name
            queues[name] = queue
            skipNumbers(upTo: queue.number)
        }
        for record in records where record.key.kind == .queueMessage {
            guard let number = record.key.number(at: 0), let sequence = record.key.number(at: 1) else { continue }
            // What a crash has left of a queue that was deleted.
            guard let name = names[number] else {
                note(.remove(record.key))
                continue
            }
            let (message, availableAt) = try StoredMessage.read(record)
            let before = queues[name]?.bytes ?? 0
            queues[name]?.insert(message, as: sequence, availableAt: availableAt)
            queues[name]?.remember(message, as: sequence)
            bytes += (queues[name]?.bytes ?? 0) - before
            skipNumbers(upTo: sequence)
        }
    }

    private static func queue(_ record: KeptRecord) throws(UnreadableRecord) -> (String, Queue) {
        var reader = try RecordReader(record)
        guard let number = record.key.number(at: 0) else { throw reader.unreadable("it has no number") }
        let name = try reader.text()
        let created = try reader.number()
        let modified = try reader.number()
        let attributes = try reader.texts()
        let tags = try reader.texts()
        var settings = QueueSettings()
        do throws(QueueError) { try settings.set(attributes) } catch { throw reader.unreadable(error.message) }
        var queue = Queue(number: number, settings: settings, tags: tags, now: created)
        queue.modifiedMilliseconds = modified
        return (name, queue)
    }
}

extension StoredMessage {
    /// Version 2 has the place among others and the trace, where the sender said something of them, and version 3 that it was moved.
    fileprivate var fields: [UInt8] {
        let isPlain = identity == MessageIdentity() && traceHeader == nil
        // What has no identifier is taken for no other message, moved or not.
        let isMoved = isMoved && identity.deduplicationID != nil
        var writer = RecordWriter(version: isPlain ? 1 : isMoved ? 3 : 2)
        writer.add(id)
        writer.add(body)
        writer.add(attributes.sorted { $0.key < $1.key }) { writer, attribute in
            writer.add(attribute.key)
            writer.add(attribute.value.dataType)
            writer.add(attribute.value.isBinary)
            writer.add(attribute.value.bytes)
        }
        writer.add(sentMilliseconds)
        writer.add(deadLetterSource)
        let availableAt: Int64? = if case .delayed(let until) = state { until } else { nil }
        writer.add(availableAt) { $0.add($1) }
        if isPlain { return writer.bytes }
        writer.add(identity.groupID)
        writer.add(identity.deduplicationID)
        writer.add(traceHeader)
        return writer.bytes
    }

    fileprivate static func read(_ record: KeptRecord) throws(UnreadableRecord) -> (StoredMessage, availableAt: Int64?) {
        var reader = try RecordReader(record, upTo: 3)
        let id = try reader.text()
        let body = try reader.text()
        let pairs = try reader.list { (reader) throws(UnreadableRecord) in
            let (name, type) = (try reader.text(), try reader.text())
            let isBinary = try reader.flag()
            let bytes = try reader.field()
            let value: QueueMessageAttribute.Value = isBinary ? .binary(bytes) : .text(String(decoding: bytes, as: UTF8.self))
            return (name, QueueMessageAttribute(dataType: type, value: value))
        }
        let attributes = Dictionary(pairs, uniquingKeysWith: { $1 })
        let sentMilliseconds: Int64 = try reader.number()
        let deadLetterSource = try reader.optionalText()
        let availableAt = try reader.optionalNumber()
        var (identity, traceHeader) = (MessageIdentity(), String?.none)
        if reader.version > 1 {
            identity.groupID = try reader.optionalText()
            identity.deduplicationID = try reader.optionalText()
            traceHeader = try reader.optionalText()
        }
        var message = StoredMessage(
            id: id, body: body, attributes: attributes, identity: identity, traceHeader: traceHeader, sentMilliseconds: sentMilliseconds)
        message.deadLetterSource = deadLetterSource
        message.isMoved = reader.version > 2
        return (message, availableAt)
    }
}
