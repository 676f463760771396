import Rules

/// What becomes of a delivery that waits, after rules have changed.
enum DeliveryRevision<Item: Sendable>: Sendable {
    /// Its target is not there any more.
    case gone
    /// Its target would not take it any more.
    case refused(DeliveryFailure)
    /// Its target is called otherwise now.
    case changed(Item, DeliveryTerms, bytes: Int)
}

extension EventEngine {
    /// Looks again at a delivery, as its target is now.
    ///
    /// A target is the same as long as its rule, its identifier and its ARN are: what an API destination calls by then, and as whom, is what
    /// is called. One with another ARN in its place is another target.
    ///
    /// - Returns: nil where it is still what is to be delivered.
    func revision(of delivery: PendingDelivery, _ rules: RuleTable) -> DeliveryRevision<PendingDelivery>? {
        switch delivery.origin {
        case .target(let known): revision(of: known, delivery.number, rules)
        case .action(_, let run, _), .errorAction(_, let run): rules.hasTopicRule(named: run.entry.rule.name) ? nil : .gone
        case .deadLetter: nil
        }
    }

    private func revision(of known: TargetDelivery, _ number: UInt64?, _ rules: RuleTable) -> DeliveryRevision<PendingDelivery>? {
        guard let entry = rules.eventRule(known.entry.rule.name, onBus: known.entry.rule.busName),
            let target = entry.rule.targets.first(where: { $0.id == known.target.id }), target.arn == known.target.arn
        else { return .gone }
        guard target.definition != known.target.definition || !target.destination.callsTheSame(as: known.target.destination) else {
            return nil
        }
        // Its counters stay those that it was counted with when it came.
        let delivery = TargetDelivery(
            entry: known.entry, target: target, event: known.event, nowMilliseconds: known.nowMilliseconds)
        guard let root = known.event.parsed?.root else { return nil }
        do throws(DeliveryFailure) {
            guard let work = try work(for: delivery, root, reserved(entry.rule, at: known.nowMilliseconds)) else { return .gone }
            let changed = PendingDelivery(work: work, number: number).traced(step(below: known.event.trace))
            guard let terms = changed.terms else { return nil }
            return .changed(changed, terms, bytes: changed.bytes)
        } catch {
            return .refused(error)
        }
    }
}

extension Target.Destination {
    /// Whether both make the same of an event, as far as that is not in a target's own definition.
    fileprivate func callsTheSame(as other: Target.Destination) -> Bool {
        guard case .call(let mine, _) = self, case .call(let theirs, _) = other else { return true }
        return mine.calls(theSameAs: theirs)
    }
}

extension APIDestination {
    /// Whether a call has the same place and the same in it.
    ///
    /// Asked for everything that waits, and nearly always true: what is the same is in the same storage, and compared at once.
    fileprivate func calls(theSameAs other: APIDestination) -> Bool {
        guard endpoint == other.endpoint, path == other.path, query == other.query, method == other.method else { return false }
        switch (connection, other.connection) {
        case (.failure(let mine), .failure(let theirs)): return mine == theirs
        case (.success(let mine), .success(let theirs)): return mine.adds(theSameAs: theirs)
        default: return false
        }
    }
}

extension APIConnection {
    fileprivate func adds(theSameAs other: APIConnection) -> Bool {
        headers.elementsEqual(other.headers, by: ==) && query.elementsEqual(other.query, by: ==)
            && bodyFields.elementsEqual(other.bodyFields, by: ==)
    }
}
