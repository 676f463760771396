import EventBus

extension EventBusCounters {
    /// Whether nothing that was accepted is lost.
    var isConserved: Bool {
        deliveriesAccepted == deliveries + deliveriesFailed + ruleHopsCut + deliveriesDropped + UInt64(deliveriesPending)
    }
}
