/// Every limit of the queues: its name in the configuration, its default, and what happens at it.
package struct QueueLimits: Sendable, Equatable {
    /// Queues; the creation of a further one is refused.
    package var queuesMax = 1_000
    /// Messages in one queue; a further one is refused and counted.
    ///
    /// What is for a full dead-letter queue stays where it is.
    package var messagesPerQueueMax = 100_000
    /// Bytes of all messages of all queues, with ``overheadBytes`` for each; a message for which there is no room is refused and counted.
    package var queuesBytesMax = 67_108_864
    /// Bytes of one message with its attributes, and of all messages of one batch; a larger one is refused.
    ///
    /// The attribute `MaximumMessageSize` of a queue can only be smaller.
    package var queueMessageBytesMax = 1_048_576
    /// Entries of one batch request; a request with more is refused.
    package var queueBatchEntriesMax = 10
    /// Messages of one queue that are received and neither deleted nor visible again; beyond it nothing is received.
    package var queueInFlightMax = 120_000
    /// Requests that wait for messages, over all queues; a further one is answered at once, as if it did not want to wait.
    package var queueWaitersMax = 1_000

    /// Bytes of a queue's policy; a longer one is refused, as in the service.
    package var queuePolicyBytesMax = 8_192
    /// Statements of a queue's policy; one with more is refused, as in the service.
    package var queuePolicyStatementsMax = 20
    /// Principals of all statements of a queue's policy; one with more is refused, as in the service.
    package var queuePolicyPrincipalsMax = 50

    /// What a message counts towards ``queuesBytesMax`` besides its own bytes, so that empty ones are not free.
    package static let overheadBytes = 512

    package init() {}

    /// The names under `limits:` in the configuration file, with the value each one sets.
    package static let names: [(name: String, path: any WritableKeyPath<QueueLimits, Int> & Sendable)] = [
        ("queuesMax", \.queuesMax), ("messagesPerQueueMax", \.messagesPerQueueMax), ("queuesBytesMax", \.queuesBytesMax),
        ("queueMessageBytesMax", \.queueMessageBytesMax), ("queueBatchEntriesMax", \.queueBatchEntriesMax),
        ("queueInFlightMax", \.queueInFlightMax), ("queueWaitersMax", \.queueWaitersMax),
        ("queuePolicyBytesMax", \.queuePolicyBytesMax), ("queuePolicyStatementsMax", \.queuePolicyStatementsMax),
        ("queuePolicyPrincipalsMax", \.queuePolicyPrincipalsMax),
    ]
}
