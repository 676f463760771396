extension QueueTable {
    // MARK: - Asking

    /// Begins to move what is in a dead-letter queue.
    ///
    /// - Returns: the handle that ``cancelMove(_:)`` takes.
    /// - Throws: for a queue that is nobody's dead-letter queue, one that is being moved already, and a destination that is not there.
    package mutating func startMove(_ request: MessageMoveTask.Request, now: Int64) throws(QueueError) -> String {
        guard hasQueue(request.source) else { throw .resourceDoesNotExist(request.source) }
        if let rate = request.messagesPerSecondMax, !MessageMoveTask.Request.perSecond.contains(rate) {
            throw .invalid("\(rate)", "MaxNumberOfMessagesPerSecond", "Must be from 1 to 500, if provided.")
        }
        guard try !deadLetterSources(of: request.source).isEmpty else {
            throw .invalid(request.source, "SourceArn", "Source queue must be configured as a Dead Letter Queue.")
        }
        if let destination = request.destination {
            guard hasQueue(destination) else { throw .resourceDoesNotExist(destination) }
            guard queues[destination]?.isOrdered == queues[request.source]?.isOrdered else {
                throw .invalid(destination, "DestinationArn", "Destination queue must be same type of queue as the source.")
            }
            guard destination != request.source else {
                throw .invalid(destination, "DestinationArn", "Source queue and destination queue must be different.")
            }
        }
        guard moves[request.source]?.last?.status != .running else {
            throw QueueError(
                .unsupportedOperation,
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
        }
        try requireStore()
        advance(request.source, to: now)
        let task = MessageMoveTask(request, handle: makeID(), toMove: queues[request.source]?.count ?? 0, now: now)
        moves[request.source, default: []].append(task)
        if let count = moves[request.source]?.count, count > MessageMoveTask.rememberedMax { moves[request.source]?.removeFirst() }
        return task.handle
    }

    /// The tasks of a queue, the latest first.
    package func moveTasks(of source: String) throws(QueueError) -> [MessageMoveTask] {
        guard hasQueue(source) else { throw .resourceDoesNotExist(source) }
        return (moves[source] ?? []).reversed()
    }

    /// Ends a task that runs; what it has moved stays where it is.
    ///
    /// - Returns: how many messages it has moved.
    package mutating func cancelMove(_ handle: String) throws(QueueError) -> Int {
        for (source, tasks) in moves {
            guard let index = tasks.firstIndex(where: { $0.handle == handle }) else { continue }
            guard tasks[index].status == .running else {
                throw QueueError(.unsupportedOperation, "Only active tasks can be cancelled.")
            }
            moves[source]?[index].status = .cancelled
            return tasks[index].moved
        }
        throw QueueError(.resourceNotFound, "Task does not exist.")
    }

    // MARK: - Moving

    /// When the next turn of a task is.
    var nextMove: Int64? { moves.values.compactMap { $0.last }.filter { $0.status == .running }.map(\.nextTurn).min() }

    /// Gives each task whose time it is a turn.
    mutating func moveMessages(now: Int64) {
        for source in moves.keys {
            guard hasQueue(source) else {
                moves[source] = nil
                continue
            }
            guard var task = moves[source]?.last, task.status == .running, task.nextTurn <= now else { continue }
            advance(source, to: now)
            // The store says when it is well again; nothing is lost by waiting.
            if !isStoreFailing { takeTurn(of: &task, now: now) }
            task.nextTurn = now + MessageMoveTask.turnMilliseconds
            if let last = moves[source]?.indices.last { moves[source]?[last] = task }
        }
    }

    private mutating func takeTurn(of task: inout MessageMoveTask, now: Int64) {
        var reached: Set<String> = []
        for _ in 0..<max(0, task.allowance(at: now)) {
            guard let sequence = queues[task.request.source]?.oldestVisible() else {
                task.status = .completed
                break
            }
            do throws(QueueError) {
                reached.insert(try move(sequence, task.request, now: now))
                task.moved += 1
            } catch {
                task.status = .failed
                task.failure = error.message
                break
            }
        }
        for name in reached { serve(name, now: now) }
    }

    /// Moves one message, which begins anew there: with a name and a time of its own, as in the service.
    ///
    /// - Returns: the queue that has it now.
    private mutating func move(
        _ sequence: UInt64, _ request: MessageMoveTask.Request, now: Int64
    ) throws(QueueError) -> String {
        guard let message = queues[request.source]?.message(sequence), let number = queues[request.source]?.number else {
            throw .queueDoesNotExist
        }
        guard let target = request.destination ?? message.deadLetterSource else {
            throw QueueError(.resourceNotFound, "CouldNotDetermineMessageSource")
        }
        guard request.targets?.contains(target) ?? true else {
            throw QueueError(.unsupportedOperation, "The caller may not send to the queue \(target), where a message comes from.")
        }
        guard let waiting = queues[target]?.count else { throw QueueError(.queueDoesNotExist, "AWS.SimpleQueueService.NonExistentQueue") }
        guard waiting < limits.queueMessagesMax else {
            throw QueueError(.overLimit, "The queue \(target) is full: it has queueMessagesMax (\(limits.queueMessagesMax)) messages.")
        }
        queues[request.source]?.remove(sequence)
        let moved = nextMessageNumber(now: now)
        var new = StoredMessage(
            id: makeID(), body: message.body, attributes: message.attributes, identity: message.identity,
            traceHeader: message.traceHeader, sentMilliseconds: now)
        new.isMoved = true
        queues[target]?.insert(new, as: moved, availableAt: nil)
        // In one step with the removal: never in neither of them.
        noteRemoval(sequence, from: number)
        noteMessage(moved, in: target)
        counters.moved += 1
        return target
    }
}
