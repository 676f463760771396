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
    /// What the messages count towards the bytes of all queues.
    private(set) var bytes = 0

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

    func message(_ sequence: UInt64) -> StoredMessage? { messages[sequence] }

    /// Takes a message, to be received from a time on, or at once.
    mutating func insert(_ message: StoredMessage, as sequence: UInt64, availableAt: Int64?) {
        var message = message
        bytes += message.bytes
        sendings.insert(Moment(milliseconds: message.sentMilliseconds, sequence: sequence))
        if let availableAt {
            message.state = .delayed(until: availableAt)
            delayed += 1
            wakings.insert(Moment(milliseconds: availableAt, sequence: sequence))
        } else {
            message.state = .visible
            visible.insert(sequence)
        }
        messages[sequence] = message
    }

    @discardableResult
    mutating func remove(_ sequence: UInt64) -> StoredMessage? {
        guard let message = messages.removeValue(forKey: sequence) else { return nil }
        bytes -= message.bytes
        leave(message.state)
        forgetRemoved()
        return message
    }

    mutating func removeAll() {
        messages = [:]
        (visible, wakings, sendings) = (Heap(), Heap(), Heap())
        (inFlight, delayed, bytes) = (0, 0, 0)
    }

    private mutating func leave(_ state: StoredMessage.State) {
        switch state {
        case .visible: break
        case .delayed: delayed -= 1
        case .inFlight: inFlight -= 1
        }
    }

    /// The oldest visible message, which stays where it is.
    mutating func oldestVisible() -> UInt64? {
        while let sequence = visible.min {
            if messages[sequence]?.state == .visible { return sequence }
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
        leave(message.state)
        inFlight += 1
        message.state = .inFlight(until: until)
        messages[sequence] = message
        wakings.insert(Moment(milliseconds: until, sequence: sequence))
        return ReceivedMessage(
            id: message.id, receiptHandle: ReceiptHandle(queue: number, sequence: sequence, receipt: receipt).text, body: message.body,
            attributes: message.attributes, sentMilliseconds: message.sentMilliseconds, firstReceivedMilliseconds: first,
            receiveCount: message.receiveCount, deadLetterSource: message.deadLetterSource)
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
        var expired: [UInt64] = []
        let oldest = now - Int64(settings.messageRetentionPeriod) * 1_000
        while let moment = sendings.min, moment.milliseconds <= oldest {
            sendings.removeMin()
            if remove(moment.sequence) != nil { expired.append(moment.sequence) }
        }
        while let moment = wakings.min, moment.milliseconds <= now {
            wakings.removeMin()
            guard let state = messages[moment.sequence]?.state else { continue }
            switch state {
            case .delayed(moment.milliseconds), .inFlight(moment.milliseconds):
                leave(state)
                messages[moment.sequence]?.state = .visible
                visible.insert(moment.sequence)
            default: continue
            }
        }
        return expired
    }

    /// Keeps the heaps in proportion to the messages, however often these are hidden anew or deleted.
    private mutating func forgetRemoved() {
        let most = 2 * messages.count + 64
        if visible.count > most { visible = Heap(visible.unordered.filter { messages[$0]?.state == .visible }) }
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
}
