/// The limits of deliveries that wait: their names in the configuration, their defaults, and what happens at them.
package struct DeliveryLimits: Sendable, Equatable {
    /// The longest wait before the first retry, in milliseconds; it doubles with each further one.
    package var deliveryFirstWaitMillisecondsMax = 1_000
    /// The longest wait before any retry, and the longest time for which a target's `Retry-After` holds up its other deliveries.
    package var deliveryWaitMillisecondsMax = 900_000
    /// Attempts under way for one target; further deliveries wait for their turn.
    package var deliveriesInFlightPerTargetMax = 4
    /// Deliveries that one target has waiting or under way; a further one is a dead letter at once.
    package var pendingDeliveriesPerTargetMax = 1_000
    /// Bytes of these; at the limit as for ``pendingDeliveriesPerTargetMax``.
    package var pendingDeliveryBytesPerTargetMax = 4_194_304
    /// Deliveries of all targets that wait or are under way; a further one is a dead letter at once.
    package var pendingDeliveriesMax = 10_000
    /// Bytes of these; at the limit as for ``pendingDeliveriesMax``.
    package var pendingDeliveryBytesMax = 33_554_432
    /// How long a call of a function may take, in seconds; at the limit the function has failed.
    ///
    /// No function of Lambda runs longer than the default, and emulators answer only when theirs has ended.
    package var lambdaSecondsMax = 900
    /// Calls of one function under way, whatever targets they are for; further ones wait for their turn.
    ///
    /// A runtime emulator runs one at a time and refuses others meanwhile.
    package var lambdaCallsInFlightMax = 1
    /// How often a function that ran and failed is run again, within its target's retry policy.
    package var lambdaErrorRetriesMax = 2
    /// The wait before it is, in seconds; twice as long with each further time.
    package var lambdaErrorWaitSeconds = 60

    package init() {}

    /// The names under `limits:` in the configuration file, with the value each one sets.
    package static let names: [(name: String, path: any WritableKeyPath<DeliveryLimits, Int> & Sendable)] = [
        ("deliveryFirstWaitMillisecondsMax", \.deliveryFirstWaitMillisecondsMax),
        ("deliveryWaitMillisecondsMax", \.deliveryWaitMillisecondsMax),
        ("deliveriesInFlightPerTargetMax", \.deliveriesInFlightPerTargetMax),
        ("pendingDeliveriesPerTargetMax", \.pendingDeliveriesPerTargetMax),
        ("pendingDeliveryBytesPerTargetMax", \.pendingDeliveryBytesPerTargetMax),
        ("pendingDeliveriesMax", \.pendingDeliveriesMax), ("pendingDeliveryBytesMax", \.pendingDeliveryBytesMax),
        ("lambdaSecondsMax", \.lambdaSecondsMax), ("lambdaCallsInFlightMax", \.lambdaCallsInFlightMax),
        ("lambdaErrorRetriesMax", \.lambdaErrorRetriesMax), ("lambdaErrorWaitSeconds", \.lambdaErrorWaitSeconds),
    ]
}
