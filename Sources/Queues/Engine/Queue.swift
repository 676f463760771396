import DequeModule
import HeapModule

/// One queue: its messages, in the order in which they can be received, and who waits for them.
///
/// The oldest visible message is received first. Times are milliseconds since 1970; whoever calls says what time it is.
struct Queue {
    let number: UInt64
    let createdMilliseconds: Int64
    var modifiedMilliseconds: Int64
    var settings: QueueSettings
    var tags: [String: String]
    var waiters = WaitingReceivers()

    private var messages: [UInt64: StoredMessage] = [:]
    /// Visible messages; some that are gone may still be in it.
    private var visible = Heap<UInt64>()
    /// When hidden messages become visible; what has been set since is not valid any more.
    private var wakings = Heap<Moment>()
    /// When messages were sent.
    private var sendings = Heap<Moment>()
    private(set) var inFlight = 0
    private(set) var delayed = 0
    /// Of a FIFO queue; there only the first message of each group is among the visible ones, where nothing holds it up.
    private var groups = MessageGroups()
    private var deduplication = Deduplication()
    private var messageBytes = 0
    /// What the messages, and what is remembered of others, count towards the bytes of all queues.
    var bytes: Int { messageBytes + deduplication.bytes }

    init(number: UInt64, settings: QueueSettings, tags: [String: String], now: Int64) {
        self.number = number
        self.settings = settings
        self.tags = tags
        createdMilliseconds = now
        modifiedMilliseconds = now
    }

    /// A message and a time of its.
    private struct Moment: Comparable {
        let milliseconds: Int64
        let sequence: UInt64

        static func < (left: Moment, right: Moment) -> Bool {
            (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
        }
    }

    var count: Int { messages.count }
    /// Entries of the heap of visible messages, which is to stay in proportion to the messages.
    var visibleEntries: Int { visible.count }
    var visibleCount: Int { messages.count - inFlight - delayed }
    /// When the next hidden message becomes visible; it may be early, never late.
    var nextWaking: Int64? { wakings.min?.milliseconds }

    /// Whether it is a FIFO queue, for good.
    var isOrdered: Bool { settings.fifo != nil }

    func message(_ sequence: UInt64) -> StoredMessage? { messages[sequence] }

    /// Takes a message, to be received from a time on, or at once.
    mutating func insert(_ message: StoredMessage, as sequence: UInt64, availableAt: Int64?) {
        var message = message
        messageBytes += message.bytes
        sendings.insert(Moment(milliseconds: message.sentMilliseconds, sequence: sequence))
        if let availableAt {
            message.state = .delayed(until: availableAt)
            delayed += 1
            wakings.insert(Moment(milliseconds: availableAt, sequence: sequence))
        } else {
            message.state = .visible
            if !isOrdered { visible.insert(sequence) }
        }
        messages[sequence] = message
        guard isOrdered else { return }
        groups.add(sequence, to: message.group)
        offerFirst(of: message.group)
    }

    @discardableResult
    mutating func remove(_ sequence: UInt64) -> StoredMessage? {
        guard let message = messages.removeValue(forKey: sequence) else { return nil }
        messageBytes -= message.bytes
        leave(message.state)
        if isOrdered {
            if message.isInFlight { groups.land(sequence, in: message.group) }
            offerFirst(of: message.group)
        }
        forgetRemoved()
        return message
    }

    /// What is remembered of messages goes with them, as in the service.
    mutating func removeAll() {
        messages = [:]
        (groups, deduplication) = (MessageGroups(), Deduplication())
        (visible, wakings, sendings) = (Heap(), Heap(), Heap())
        (inFlight, delayed, messageBytes) = (0, 0, 0)
    }

    private mutating func leave(_ state: StoredMessage.State) {
        switch state {
        case .visible: break
        case .delayed: delayed -= 1
        case .inFlight: inFlight -= 1
        }
    }

    /// The oldest message that may be received, which stays where it is.
    mutating func oldestVisible() -> UInt64? {
        while let sequence = visible.min {
            if let message = messages[sequence], message.state == .visible, !isOrdered || isNext(sequence, in: message.group) {
                return sequence
            }
            visible.removeMin()
        }
        return nil
    }

    /// Hands out a visible message under a receipt, and hides it until a time.
    mutating func receive(_ sequence: UInt64, receipt: String, until: Int64, now: Int64) -> ReceivedMessage? {
        guard var message = messages[sequence] else { return nil }
        // It may become visible again, and is to be in the heap once then.
        if visible.min == sequence { visible.removeMin() }
        message.receipt = receipt
        message.receiveCount += 1
        let first = message.firstReceivedMilliseconds ?? now
        message.firstReceivedMilliseconds = first
        message.receivedMilliseconds = now
        leave(message.state)
        inFlight += 1
        if isOrdered { groups.take(sequence, from: message.group) }
        message.state = .inFlight(until: until)
        messages[sequence] = message
        wakings.insert(Moment(milliseconds: until, sequence: sequence))
        return ReceivedMessage(
            id: message.id, receiptHandle: ReceiptHandle(queue: number, sequence: sequence, receipt: receipt).text, body: message.body,
            attributes: message.attributes, sentMilliseconds: message.sentMilliseconds, firstReceivedMilliseconds: first,
            receiveCount: message.earlierReceives + message.receiveCount, deadLetterSource: message.deadLetterSource,
            identity: message.identity, sequenceNumber: isOrdered ? SentMessage.number(sequence) : nil,
            traceHeader: message.traceHeader)
    }

    /// Hides a message that is in flight until another time.
    mutating func hide(_ sequence: UInt64, until: Int64) {
        messages[sequence]?.state = .inFlight(until: until)
        wakings.insert(Moment(milliseconds: until, sequence: sequence))
        forgetRemoved()
    }

    /// Makes visible what has been hidden long enough, and drops what is too old.
    ///
    /// - Returns: the messages that were dropped.
    mutating func advance(to now: Int64) -> [UInt64] {
        deduplication.forget(upTo: now)
        var expired: [UInt64] = []
        let oldest = now - Int64(settings.messageRetentionPeriod) * 1_000
        while let moment = sendings.min, moment.milliseconds <= oldest {
            sendings.removeMin()
            if remove(moment.sequence) != nil { expired.append(moment.sequence) }
        }
        while let moment = wakings.min, moment.milliseconds <= now {
            wakings.removeMin()
            guard let message = messages[moment.sequence] else { continue }
            switch message.state {
            case .delayed(moment.milliseconds), .inFlight(moment.milliseconds):
                leave(message.state)
                messages[moment.sequence]?.state = .visible
                if isOrdered { comeBack(moment.sequence, message) } else { visible.insert(moment.sequence) }
            default: continue
            }
        }
        // Each message of a group that comes back offers the group's first one again.
        if isOrdered { forgetRemoved() }
        return expired
    }

    /// Keeps the heaps in proportion to the messages, however often these are hidden anew or deleted.
    private mutating func forgetRemoved() {
        let most = 2 * messages.count + 64
        if visible.count > most { visible = Heap(Set(visible.unordered).filter { messages[$0]?.state == .visible }) }
        if sendings.count > most { sendings = Heap(sendings.unordered.filter { messages[$0.sequence] != nil }) }
        guard wakings.count > most else { return }
        wakings = Heap(
            messages.compactMap { sequence, message in
                switch message.state {
                case .visible: nil
                case .delayed(let until), .inFlight(let until): Moment(milliseconds: until, sequence: sequence)
                }
            })
    }

    // MARK: - The order of a FIFO queue

    /// Whether a message is the first of its group that waits, and none that was sent before it is in flight.
    private func isNext(_ sequence: UInt64, in group: String) -> Bool {
        groups.first(of: group) == sequence && groups.isFree(sequence, in: group)
    }

    /// The message that a receiver gets after another: in a FIFO queue first the next of the same group, as the service does.
    mutating func next(after last: UInt64?) -> UInt64? {
        if isOrdered, let last, let group = messages[last]?.group, let first = firstThere(of: group), messages[first]?.state == .visible,
            groups.isFree(first, after: last, in: group)
        {
            return first
        }
        return oldestVisible()
    }

    private mutating func firstThere(of group: String) -> UInt64? {
        while let first = groups.first(of: group) {
            if messages[first] != nil { return first }
            groups.dropFirst(of: group)
        }
        return nil
    }

    /// Lets the first message of a group be found, where it may be received.
    private mutating func offerFirst(of group: String) {
        if let first = firstThere(of: group), groups.isFree(first, in: group), messages[first]?.state == .visible { visible.insert(first) }
        groups.forgetIfEmpty(group)
    }

    /// A message that was hidden is not any more.
    private mutating func comeBack(_ sequence: UInt64, _ message: StoredMessage) {
        if message.isInFlight {
            groups.land(sequence, in: message.group)
            groups.add(sequence, to: message.group)
        }
        offerFirst(of: message.group)
    }

    /// What was sent before, and is the same.
    func earlier(_ key: Deduplication.Key) -> SentMessage? { deduplication.earlier(key) }

    mutating func note(_ sent: SentMessage, as key: Deduplication.Key, sentMilliseconds: Int64) {
        deduplication.note(sent, as: key, sentMilliseconds: sentMilliseconds)
    }

    /// Remembers a message that was sent to this queue before a restart.
    ///
    /// What had been deleted by then is not remembered: it would be taken a second time.
    mutating func remember(_ message: StoredMessage, as sequence: UInt64) {
        guard message.deadLetterSource == nil, !message.isMoved, let id = message.identity.deduplicationID, let fifo = settings.fifo else {
            return
        }
        note(
            SentMessage(id: message.id, sequence: sequence, isOrdered: true),
            as: Deduplication.Key(group: fifo.tellsGroupsApart ? message.group : nil, id: id), sentMilliseconds: message.sentMilliseconds)
    }
}
