/// What the kind of a queue asks of its name and of its messages.
extension QueueSettings {
    /// Refuses the name of the other kind.
    package func check(kindOf name: QueueName) throws(QueueError) {
        guard name.isOrdered != (fifo != nil) else { return }
        throw QueueError(
            .invalidParameterValue,
            fifo == nil
                ? "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length. "
                    + "A name ends with .fifo where the attribute FifoQueue is true."
                : "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix "
                    + "and be 1 to 80 in length.")
    }

    /// Who a message is in this queue, and what would be the same; nil for what nothing else is the same as.
    func identify(_ message: NewQueueMessage) throws(QueueError) -> (MessageIdentity, Deduplication.Key?) {
        var identity = message.identity
        guard let fifo else {
            guard let id = identity.deduplicationID else { return (identity, nil) }
            throw .invalid(
                id, "MessageDeduplicationId", "The request includes a parameter that is not valid for this queue type.")
        }
        guard let group = identity.groupID else { throw .missing("MessageGroupId") }
        if let delay = message.delaySeconds, delay != 0 {
            throw .invalid("\(delay)", "DelaySeconds", "The request include parameter that is not valid for this queue type.")
        }
        if identity.deduplicationID == nil {
            guard fifo.usesContent else {
                throw QueueError(
                    .invalidParameterValue,
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
            }
            identity.deduplicationID = message.contentID ?? SHA256.hexadecimal(of: message.body.utf8)
        }
        return (identity, Deduplication.Key(group: fifo.tellsGroupsApart ? group : nil, id: identity.deduplicationID ?? ""))
    }
}

extension QueueTable {
    /// Refuses a batch of which a message has no place in a FIFO queue: as a whole, as the service does.
    package func checkPlaces(of messages: [NewQueueMessage], in name: String) throws(QueueError) {
        let settings = try settings(of: name)
        guard settings.fifo != nil else { return }
        for var message in messages {
            // That is the message's own matter.
            message.delaySeconds = nil
            do throws(QueueError) { _ = try settings.identify(message) } catch {
                throw QueueError(.invalidParameterValue, error.message)
            }
        }
    }
}
