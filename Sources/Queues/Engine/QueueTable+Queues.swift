import Records

extension QueueTable {
    /// The names of the queues, in order.
    package func names(withPrefix prefix: String = "") -> [String] { queues.keys.filter { $0.hasPrefix(prefix) }.sorted() }

    package func hasQueue(_ name: String) -> Bool { queues[name] != nil }

    /// Creates a queue, or answers that it is there already with the same attributes.
    package mutating func create(
        _ name: QueueName, attributes: [String: String], tags: [String: String], now: Int64
    ) throws(QueueError) {
        // The service knows it only where it is true.
        if attributes["FifoQueue"].flatMap(FIFOSettings.boolean) == false {
            throw QueueError(.invalidAttributeName, "Unknown Attribute FifoQueue.")
        }
        var settings = QueueSettings()
        try settings.set(attributes)
        try settings.check(kindOf: name)
        try check(settings, of: name.text)
        try checkSize(ofPolicy: settings.policy)
        try QueueTags.check(tags, of: name.text)
        if let queue = queues[name.text] {
            var wanted = queue.settings
            try wanted.set(attributes)
            // With or without it, the queue is the same.
            wanted.isSaidToBeEncrypted = queue.settings.isSaidToBeEncrypted
            guard wanted == queue.settings else {
                let (old, new) = (queue.settings.attributes, wanted.attributes)
                let different = Set(old.keys).union(new.keys).sorted().first { old[$0] != new[$0] } ?? ""
                throw QueueError(
                    .queueNameExists, "A queue already exists with the same name and a different value for attribute \(different)")
            }
            return
        }
        try requireStore()
        try add(name.text, settings, tags, now)
    }

    private mutating func add(
        _ name: String, _ settings: QueueSettings, _ tags: [String: String], _ now: Int64
    ) throws(QueueError) {
        guard queues.count < limits.queuesMax else {
            throw QueueError(.overLimit, "There are queuesMax (\(limits.queuesMax)) queues already.")
        }
        queues[name] = Queue(number: nextNumber(), settings: settings, tags: tags, now: now)
        noteQueue(name)
    }

    /// Makes the queues that the templates declare; one that is there keeps its messages and gets the template's attributes.
    ///
    /// A queue that no template declares any more stays: its messages are somebody's.
    ///
    /// - Throws: when there would be too many; then nothing has changed.
    package mutating func declare(_ declarations: [QueueDeclaration], now: Int64) throws(QueueError) {
        let new = declarations.count { queues[$0.name] == nil }
        guard new == 0 || queues.count + new <= limits.queuesMax else {
            throw QueueError(
                .overLimit,
                "The templates declare \(new) queues more, but there may be queuesMax (\(limits.queuesMax))."
            )
        }
        declared = Set(declarations.map(\.name))
        for declaration in declarations {
            if queues[declaration.name] == nil {
                try add(declaration.name, declaration.settings, declaration.tags, now)
            } else if queues[declaration.name]?.settings != declaration.settings || queues[declaration.name]?.tags != declaration.tags {
                queues[declaration.name]?.settings = declaration.settings
                queues[declaration.name]?.tags = declaration.tags
                queues[declaration.name]?.modifiedMilliseconds = now
                noteQueue(declaration.name)
            }
        }
    }

    /// Removes a queue with its messages; who waits there learns that it is gone.
    package mutating func deleteQueue(_ name: String) throws(QueueError) {
        try refuseDeclared(name)
        try requireStore()
        guard var queue = queues.removeValue(forKey: name) else { throw .queueDoesNotExist }
        noteEmptied(queue.number)
        if isKept { note(.remove(queueKey(queue))) }
        let waiting = queue.waiters.removeAll()
        awaited.remove(name)
        moves[name] = nil
        bytes -= queue.bytes
        counters.purged += UInt64(queue.count)
        for waiter in waiting { answer(waiter, .failure(.queueDoesNotExist)) }
    }

    /// Removes all messages of a queue, those in flight with them.
    package mutating func purge(_ name: String, now: Int64) throws(QueueError) {
        try requireStore()
        advance(name, to: now)
        _ = try settings(of: name)
        if let number = queues[name]?.number { noteEmptied(number) }
        let before = queues[name]?.bytes ?? 0
        counters.purged += UInt64(queues[name]?.count ?? 0)
        queues[name]?.removeAll()
        bytes -= before - (queues[name]?.bytes ?? 0)
    }

    // MARK: - Attributes and tags

    /// All attributes of a queue but its ARN, which it does not know.
    package mutating func attributes(of name: String, now: Int64) throws(QueueError) -> [String: String] {
        advance(name, to: now)
        guard let queue = queues[name] else { throw .queueDoesNotExist }
        var attributes = queue.settings.attributes
        attributes["ApproximateNumberOfMessages"] = String(queue.visibleCount)
        attributes["ApproximateNumberOfMessagesNotVisible"] = String(queue.inFlight)
        attributes["ApproximateNumberOfMessagesDelayed"] = String(queue.delayed)
        attributes["CreatedTimestamp"] = String(queue.createdMilliseconds / 1_000)
        attributes["LastModifiedTimestamp"] = String(queue.modifiedMilliseconds / 1_000)
        return attributes
    }

    package mutating func setAttributes(_ attributes: [String: String], of name: String, now: Int64) throws(QueueError) {
        var settings = try settings(of: name)
        try refuseDeclared(name)
        let isOrdered = settings.fifo != nil
        try settings.set(attributes)
        guard isOrdered == (settings.fifo != nil) else {
            guard isOrdered else { throw QueueError(.invalidAttributeName, "Unknown Attribute FifoQueue.") }
            throw QueueError(
                .invalidAttributeValue, "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
        }
        try check(settings, of: name)
        if settings.policy != queues[name]?.settings.policy { try checkSize(ofPolicy: settings.policy) }
        try requireStore()
        queues[name]?.settings = settings
        queues[name]?.modifiedMilliseconds = now
        noteQueue(name)
        advance(name, to: now)
    }

    /// What a template says of a queue, only a template changes, as with rules: else a reload would undo what a call did.
    private func refuseDeclared(_ name: String) throws(QueueError) {
        guard declared.contains(name) else { return }
        throw QueueError(.unsupportedOperation, "The queue \(name) is declared by a template; change it there.")
    }

    private func check(_ settings: QueueSettings, of name: String) throws(QueueError) {
        guard let policy = settings.redrivePolicy else { return }
        guard policy.deadLetterQueue != name else {
            throw .invalid(policy.text, "RedrivePolicy", "A queue cannot be its own dead-letter queue.")
        }
        guard let deadLetters = queues[policy.deadLetterQueue]?.settings else {
            throw .invalid(policy.text, "RedrivePolicy", "Dead letter target does not exist.")
        }
        guard (deadLetters.fifo == nil) == (settings.fifo == nil) else {
            throw .invalid(policy.text, "RedrivePolicy", "Dead-letter queue must be same type of queue as the source.")
        }
        // As the service does, when a queue asks for it: what was there before the dead-letter queue said so stays.
        guard queues[name]?.settings.redrivePolicy != policy, let allowed = queues[policy.deadLetterQueue]?.settings.redriveAllowPolicy
        else {
            return
        }
        guard allowed.allows(name) else {
            throw .invalid(policy.text, "RedrivePolicy", "The RedriveAllowPolicy of the dead letter target does not allow this queue.")
        }
    }

    package func tags(of name: String) throws(QueueError) -> [String: String] {
        _ = try settings(of: name)
        return queues[name]?.tags ?? [:]
    }

    package mutating func tag(_ name: String, with tags: [String: String]) throws(QueueError) {
        let all = try self.tags(of: name).merging(tags) { $1 }
        try QueueTags.check(all, of: name)
        try requireStore()
        queues[name]?.tags = all
        noteQueue(name)
    }

    package mutating func untag(_ name: String, keys: [String]) throws(QueueError) {
        _ = try settings(of: name)
        try requireStore()
        for key in keys { queues[name]?.tags[key] = nil }
        noteQueue(name)
    }

    /// The queues whose dead letters go to this one, in order.
    package func deadLetterSources(of name: String) throws(QueueError) -> [String] {
        _ = try settings(of: name)
        return queues.filter { $0.value.settings.redrivePolicy?.deadLetterQueue == name }.keys.sorted()
    }
}
