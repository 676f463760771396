package import BrokerCore
package import Records
import Rules

/// Deliveries that outlive the process: each is kept from when it begins to wait until it is delivered or given up (record 0020).
extension PendingDeliveries {
    /// Keeps a delivery that begins to wait; it knows its number from then on.
    ///
    /// While the disk takes nothing it is handed over all the same, so that what follows from it has something to follow: only beyond what may
    /// wait for the disk it waits in memory alone, which nobody was promised more of.
    func keep(_ delivery: PendingDelivery) -> PendingDelivery {
        guard let store, !store.isFull else { return delivery }
        let number = takeNumber()
        guard let record = delivery.kept(as: number, acceptedMilliseconds: engine.world.nowMilliseconds()) else { return delivery }
        var kept = delivery
        kept.number = number
        store.append([.put(record)])
        return kept
    }

    /// Deliveries that are over, after what came of them has been handed to the store.
    func forget(_ numbers: [UInt64]) {
        if !numbers.isEmpty { store?.append(numbers.map { .remove(RecordKey(.delivery, $0)) }) }
    }

    /// Takes up the deliveries and the dead letters that the store had kept, once, after rules and queues and before anything else.
    ///
    /// Deliveries are tried once ``begin(alarm:door:publish:)`` says who calls.
    ///
    /// What is for rules that were kept and are not in force stays in the store.
    ///
    /// - Returns: how many deliveries wait again, and how many had targets that are not there any more: these are dropped and counted.
    /// - Throws: for what another version wrote.
    package func restore(_ records: [KeptRecord], now: Instant) throws(UnreadableRecord) -> (waiting: Int, gone: Int) {
        try engine.restoreDeadLetters(records)
        var output = RuleOutput()
        var (waiting, gone) = (0, 0)
        for record in records where record.key.kind == .delivery {
            guard let number = record.key.number(at: 0) else { continue }
            skipNumbers(upTo: number)
            var reader = try RecordReader(record, upTo: PendingDelivery.recordVersion)
            let accepted = try reader.number()
            let kept = try KeptDelivery(&reader, engine.environment)
            let revived = engine.revive(kept, now: now)
            if let rule = revived.hopelessRule, leaves(deliveriesOf: rule) { continue }
            engine.totals.deliveriesAccepted.increment()
            switch revived {
            case .gone(let rule, let target):
                engine.dropDelivery(rule: rule, target: target)
                output.finished.append(number)
                gone += 1
            case .refused(let origin, let failure):
                output.append(engine.failed(origin, failure))
                output.finished.append(number)
            case .pending(var delivery):
                delivery.number = number
                let age = max(0, engine.world.nowMilliseconds() - accepted)
                resubmit(delivery, age: age, into: &output)
                waiting += 1
            }
        }
        carryOutAtBegin(output)
        return (waiting, gone)
    }
}
