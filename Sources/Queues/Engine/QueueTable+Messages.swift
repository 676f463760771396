extension QueueTable {
    // MARK: - Sending

    /// Takes a message.
    ///
    /// - Parameters:
    ///   - message: what is sent.
    ///   - name: the queue's.
    ///   - now: the time.
    ///   - isOwed: whether it is what became of something kept, and so is taken also while the disk takes nothing.
    /// - Returns: what its sender is told; for a message that a FIFO queue has got already, what was told then.
    /// - Throws: when it is refused; then it is counted, and nothing has changed.
    @discardableResult
    package mutating func send(
        _ message: NewQueueMessage, to name: String, now: Int64, isOwed: Bool = false
    ) throws(QueueError) -> SentMessage {
        if !isOwed { try requireStore() }
        advance(name, to: now)
        let settings = try settings(of: name)
        let stored: StoredMessage
        let key: Deduplication.Key?
        do throws(QueueError) {
            try message.check(bytesMax: min(limits.queueMessageBytesMax, settings.maximumMessageSize))
            let identity: MessageIdentity
            (identity, key) = try settings.identify(message)
            if let key, let earlier = queues[name]?.earlier(key) {
                counters.deduplicated += 1
                return earlier
            }
            guard queues[name]?.count ?? 0 < limits.messagesPerQueueMax else {
                throw QueueError(
                    .overLimit, "The queue \(name) is full: it has messagesPerQueueMax (\(limits.messagesPerQueueMax)) messages.")
            }
            stored = StoredMessage(
                id: makeID(), body: message.body, attributes: message.attributes, identity: identity, traceHeader: message.traceHeader,
                sentMilliseconds: now)
            // Queues that nobody has touched for long may hold what is too old.
            let room = limits.queuesBytesMax - stored.bytes - (key?.bytes ?? 0)
            if bytes > room { advance(to: now) }
            guard bytes <= room else {
                throw QueueError(
                    .overLimit, "All queues together are full: their messages count queuesBytesMax (\(limits.queuesBytesMax)) bytes.")
            }
        } catch {
            counters.refused += 1
            throw error
        }
        // In a FIFO queue the queue alone says it: 0, the one value that a message may have there, is no word against it.
        let delay = settings.fifo == nil ? message.delaySeconds ?? settings.delaySeconds : settings.delaySeconds
        let sequence = nextMessageNumber(now: now)
        let sent = SentMessage(id: stored.id, sequence: sequence, isOrdered: settings.fifo != nil)
        let before = queues[name]?.bytes ?? 0
        queues[name]?.insert(stored, as: sequence, availableAt: delay > 0 ? now + Int64(delay) * 1_000 : nil)
        if let key { queues[name]?.note(sent, as: key, sentMilliseconds: now) }
        noteMessage(sequence, in: name)
        bytes += (queues[name]?.bytes ?? 0) - before
        counters.sent += 1
        serve(name, now: now)
        return sent
    }

    // MARK: - Receiving

    package enum ReceiveOutcome: Sendable, Equatable {
        case messages([ReceivedMessage])
        /// There will be a word in ``takeAnswers()``.
        case waiting(WaiterID)
    }

    /// Hands out messages, or notes who waits for some.
    package mutating func receive(_ request: ReceiveRequest, now: Int64) throws(QueueError) -> ReceiveOutcome {
        try request.check()
        advance(request.queue, to: now)
        let settings = try settings(of: request.queue)
        let messages = collect(request, now: now)
        if !refilled.isEmpty { serve(request.queue, now: now) }
        let wait = request.waitTimeSeconds ?? settings.receiveMessageWaitTimeSeconds
        guard messages.isEmpty, wait > 0, waiters < limits.queueWaitersMax else {
            if messages.isEmpty, queues[request.queue]?.inFlight ?? 0 >= limits.queueInFlightMax {
                throw QueueError(
                    .overLimit, "The queue \(request.queue) has queueInFlightMax (\(limits.queueInFlightMax)) messages in flight.")
            }
            return .messages(messages)
        }
        let waiter = WaiterID(number: nextNumber())
        queues[request.queue]?.waiters.append(.init(id: waiter, request: request, deadline: now + Int64(wait) * 1_000))
        waiters += 1
        awaited.insert(request.queue)
        return .waiting(waiter)
    }

    /// Gives messages to those who wait, in the order in which they came.
    mutating func serve(_ name: String, now: Int64) {
        var pending = [name]
        while let name = pending.popLast() {
            while awaited.contains(name), let waiter = queues[name]?.waiters.first {
                let messages = collect(waiter.request, now: now)
                guard !messages.isEmpty else { break }
                queues[name]?.waiters.removeFirst()
                answer(waiter.id, .success(messages))
                forgetWaiting(name)
            }
            // What went on to a dead-letter queue may be waited for there.
            pending += refilled
            refilled = []
        }
    }

    /// Takes visible messages out of their queue's sight; those that were received too often go to the dead-letter queue instead.
    private mutating func collect(_ request: ReceiveRequest, now: Int64) -> [ReceivedMessage] {
        var messages: [ReceivedMessage] = []
        var last: UInt64?
        let timeout = request.visibilityTimeout ?? queues[request.queue]?.settings.visibilityTimeout ?? 0
        while messages.count < request.messagesMax, queues[request.queue]?.inFlight ?? 0 < limits.queueInFlightMax,
            let sequence = queues[request.queue]?.next(after: last)
        {
            if let other = redrive(sequence, of: request.queue, now: now) {
                if refilled.last != other { refilled.append(other) }
                continue
            }
            let until = now + Int64(timeout) * 1_000
            let received = queues[request.queue]?.receive(sequence, receipt: makeID(), until: until, now: now)
            guard let received else { break }
            counters.received += 1
            last = sequence
            messages.append(received)
        }
        return messages
    }

    /// Moves a message that has been received as often as it may, and answers where to.
    ///
    /// It stays while the other queue does not exist or is full, or the store takes nothing: an answer too many is better than a message lost.
    private mutating func redrive(_ sequence: UInt64, of name: String, now: Int64) -> String? {
        guard !isStoreFailing, let number = queues[name]?.number, let policy = queues[name]?.settings.redrivePolicy,
            var message = queues[name]?.message(sequence),
            message.receiveCount >= policy.maxReceiveCount, let waiting = queues[policy.deadLetterQueue]?.count,
            waiting < limits.messagesPerQueueMax
        else { return nil }
        queues[name]?.remove(sequence)
        message.earlierReceives += message.receiveCount
        message.receiveCount = 0
        message.firstReceivedMilliseconds = nil
        message.receipt = ""
        message.deadLetterSource = name
        let moved = nextMessageNumber(now: now)
        queues[policy.deadLetterQueue]?.insert(message, as: moved, availableAt: nil)
        // In one step with the removal: never in neither of them.
        noteRemoval(sequence, from: number)
        noteMessage(moved, in: policy.deadLetterQueue)
        counters.deadLettered += 1
        return policy.deadLetterQueue
    }

    // MARK: - What a receiver does with a message

    /// Deletes a message; one that is gone already, or that another has received since, is left as it is.
    ///
    /// In a FIFO queue only who has it may delete it: somebody else may have the next of the group by now.
    package mutating func delete(_ receiptHandle: String, from name: String, now: Int64) throws(QueueError) {
        try requireStore()
        advance(name, to: now)
        guard let sequence = try current(receiptHandle, of: name) else { return }
        guard let number = queues[name]?.number, let message = queues[name]?.remove(sequence) else { return }
        noteRemoval(sequence, from: number)
        bytes -= message.bytes
        counters.deleted += 1
        // Where the limit of messages in flight was met, there is room now.
        serve(name, now: now)
    }

    /// Hides a message in flight for a number of seconds from now; 0 makes it visible at once.
    package mutating func changeVisibility(
        of receiptHandle: String, to seconds: Int, in name: String, now: Int64
    ) throws(QueueError) {
        try ReceiveRequest.check(visibilityTimeout: seconds)
        advance(name, to: now)
        guard let sequence = try current(receiptHandle, of: name) else {
            throw .invalid(
                receiptHandle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
        }
        guard let message = queues[name]?.message(sequence), message.isInFlight else {
            throw QueueError(.messageNotInFlight, "The message is not in flight.")
        }
        // However often it is changed, a receiver has a message for so long at most.
        let hidden = (now - (message.receivedMilliseconds ?? now)) / 1_000
        guard hidden + Int64(seconds) <= ReceiveRequest.visibilityTimeoutMax else {
            throw .invalid(
                "\(seconds)", "VisibilityTimeout",
                "Total VisibilityTimeout for the message is beyond the limit [\(ReceiveRequest.visibilityTimeoutMax) seconds].")
        }
        queues[name]?.hide(sequence, until: now + Int64(seconds) * 1_000)
        advance(name, to: now)
    }

    /// The message that a handle names; `nil` when it is gone or has been received again since.
    ///
    /// A FIFO queue refuses a handle whose time is over, as the service does, and tells it from one of a message that is gone.
    private func current(_ receiptHandle: String, of name: String) throws(QueueError) -> UInt64? {
        guard let number = queues[name]?.number else { throw .queueDoesNotExist }
        guard let handle = ReceiptHandle(receiptHandle), handle.queue == number else {
            throw QueueError(.receiptHandleIsInvalid, "The input receipt handle \"\(receiptHandle)\" is not a valid receipt handle.")
        }
        guard let queue = queues[name], let message = queue.message(handle.sequence) else { return nil }
        let isCurrent = message.receipt == handle.receipt
        if queue.isOrdered, !isCurrent || !message.isInFlight {
            throw .invalid(receiptHandle, "ReceiptHandle", "The receipt handle has expired.")
        }
        return isCurrent ? handle.sequence : nil
    }
}
