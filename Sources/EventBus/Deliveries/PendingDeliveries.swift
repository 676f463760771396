package import BrokerCore
import Queues
import Records
import Synchronization

/// The deliveries that wait for their turn or are under way, as many threads use them.
///
/// A call holds a lock for one decision of the ``DeliveryScheduler`` and waits for nothing. An alarm, for which somebody with a clock is
/// asked, calls ``advance(alarm:)`` when something is due. What comes of a delivery later goes to `publish`.
package final class PendingDeliveries: Sendable {
    /// Asked to call ``advance(alarm:)`` at a time, in milliseconds of ``EventSource/steadyMilliseconds``.
    package typealias Alarm = @Sendable (Int64) -> Void

    /// Publishes messages, and calls back when the store has been handed what is kept of them.
    package typealias Publish = @Sendable (_ messages: [Message], _ done: @escaping @Sendable (_ isOver: Bool) -> Void) -> Void

    private typealias Scheduler = DeliveryScheduler<PendingDelivery, SystemRandomNumberGenerator>

    private struct State: Sendable {
        var scheduler: Scheduler
        var alarm: Alarm?
        /// The earliest time for which the alarm was asked.
        var alarmSet: Int64?
        var publish: Publish?
        /// Messages that are being published, by the times that somebody was asked to.
        var publishing = 0
        var door: (any HTTPDoor)?
        /// The last delivery's that the store was handed.
        var lastNumber: UInt64 = 0
        /// What came of deliveries that were kept, before anybody was there to carry it out.
        var restored = RuleOutput()
        /// What is for these rules and cannot be tried is left in the store.
        var incompleteRules: Set<String> = []
        /// Deliveries that the store keeps for the next start.
        var left = 0
    }

    let engine: EventEngine
    let queues: SharedQueues
    let store: (any RecordStore)?
    private let state: Mutex<State>

    init(engine: EventEngine, queues: SharedQueues, limits: DeliveryLimits, store: (any RecordStore)?) {
        self.store = store
        self.engine = engine
        self.queues = queues
        state = Mutex(State(scheduler: Scheduler(limits: limits, random: SystemRandomNumberGenerator())))
    }

    /// Says who is to call at the times that matter, who publishes what rules make of failures, and who calls over HTTP.
    package func begin(alarm: @escaping Alarm, door: (any HTTPDoor)?, publish: @escaping Publish) {
        let restored = state.withLock { state in
            state.alarm = alarm
            state.door = door
            state.publish = publish
            defer { state.restored = RuleOutput() }
            return state.restored
        }
        finish(restored)
    }

    /// Deliveries that wait or are under way.
    package var count: Int { state.withLock { $0.scheduler.count } }

    /// Tries what is due.
    ///
    /// - Parameter alarm: the time for which an alarm was asked, when it calls. Its clock may be a little ahead: then another is asked.
    package func advance(alarm: Int64? = nil) {
        state.withLock { state in
            if state.alarmSet == alarm { state.alarmSet = nil }
        }
        finish(RuleOutput())
    }

    /// Carries out what rules made.
    ///
    /// - Parameters:
    ///   - output: what they made.
    ///   - isDue: whether something that waits may be due, too. Where all that rules make is messages, nothing here is touched.
    /// - Returns: messages for the broker.
    func carryOut(_ output: RuleOutput, isDue: Bool = false) -> [Message] {
        var messages: [Message] = []
        var (output, isDue) = (output, isDue)
        // What fails may go to a dead-letter queue or to an error action, and nowhere from there: this ends.
        while true {
            if output.finished.isEmpty { messages += output.messages }
            var further = RuleOutput()
            for send in output.sends {
                let waits = carryOut(send, into: &further)
                isDue = isDue || waits
            }
            for call in output.calls {
                submit(PendingDelivery(work: .call(call)), after: nil, into: &further)
                isDue = true
            }
            conclude(output, &further)
            if isDue { takeTurns(into: &further) }
            isDue = false
            guard !further.isEmpty else { return messages }
            output = further
        }
    }

    /// Carries out what came of a delivery after its rule's call was over.
    private func finish(_ output: RuleOutput) {
        publish(carryOut(output, isDue: true), ending: [])
    }

    /// Ends kept deliveries after all that came of them is handed over, which is not so while something more comes of them.
    private func conclude(_ output: RuleOutput, _ further: inout RuleOutput) {
        if output.finished.isEmpty { return }
        // Where the store is full, not all of that was: they come once more after the next start.
        if further.isEmpty { return publish(output.messages, ending: store?.isFull == true ? [] : output.finished) }
        further.messages = output.messages + further.messages
        further.finished = output.finished + further.finished
    }

    /// Publishes what came of deliveries; they are over once the store has all of that.
    private func publish(_ messages: [Message], ending numbers: [UInt64]) {
        if messages.isEmpty { return forget(numbers) }
        let publish = state.withLock { state in
            if state.publish != nil { state.publishing += 1 }
            return state.publish
        }
        publish?(messages) { [self] isOver in
            // What a broker that stops did not take is tried once more after the next start.
            if isOver { forget(numbers) }
            state.withLock { state in
                state.publishing -= 1
                if !isOver { state.left += numbers.count }
            }
        }
    }

    /// By a clock that nobody sets: one that is set must neither hold up what waits nor let it all go at once.
    private var now: Int64 { engine.world.steadyMilliseconds() }

    // MARK: Keeping

    func takeNumber() -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    func skipNumbers(upTo number: UInt64) { state.withLock { $0.lastNumber = max($0.lastNumber, number) } }

    /// Notes rules that were kept and are not in force, or not whole: what is kept for them stays where it is.
    func keep(deliveriesOf rules: Set<String>) { state.withLock { $0.incompleteRules = rules } }

    func leaves(deliveriesOf rule: String) -> Bool {
        state.withLock { state in
            guard state.incompleteRules.contains(rule) else { return false }
            state.left += 1
            return true
        }
    }

    func carryOutAtBegin(_ output: RuleOutput) { state.withLock { $0.restored.append(output) } }

    /// Deliveries that were not finished at the stop, and wait in the store for the next start.
    package var leftForNextStart: Int { state.withLock { $0.left } }

    // MARK: Stopping

    /// Finishes what can be finished, as long as the limit allows; the rest stays in the store, or becomes dead letters without one.
    ///
    /// What would be tried only later is given up at once, and nothing is tried twice any more.
    ///
    /// - Returns: how many deliveries there were, how many of them became dead letters, and how many of these were under way, so that their
    ///   targets may have taken them all the same.
    package func drain(within limit: Duration) async -> (pending: Int, failed: UInt64, underWay: UInt64) {
        let (count, before) = (count, engine.counters)
        let deadline = ContinuousClock.now + limit
        let endings = state.withLock { [now] in $0.scheduler.stop(by: now + limit.components.seconds * 1_000) }
        finish(endings)
        advance()
        await wait(until: deadline, each: .milliseconds(20)) { self.count == 0 }
        finish(state.withLock { $0.scheduler.abandon() })
        await wait(until: deadline, each: .milliseconds(5)) { self.state.withLock { $0.publishing == 0 } }
        let after = engine.counters
        return (
            count, after.deliveriesFailed - before.deliveriesFailed, after.deliveriesInterrupted - before.deliveriesInterrupted
        )
    }

    /// Looks again and again until it is done, the time is over, or nobody waits any more.
    private func wait(until deadline: ContinuousClock.Instant, each pause: Duration, for isDone: () -> Bool) async {
        while !isDone(), ContinuousClock.now < deadline {
            // Whoever is cancelled sleeps no more, and would only spin.
            do { try await Task.sleep(for: pause) } catch { return }
        }
    }

    private func finish(_ endings: [Scheduler.Ending]) {
        var output = RuleOutput()
        for ending in endings { end(ending, into: &output) }
        finish(output)
    }

    // MARK: Targets that change

    /// Looks again at everything that waits, after rules have changed: what is for targets that are gone is dropped and counted.
    func rulesChanged() {
        let waiting = state.withLock { $0.scheduler.waiting }
        guard !waiting.isEmpty else { return }
        var output = RuleOutput()
        lookAgain(at: waiting, into: &output)
        finish(output)
    }

    private func lookAgain(at waiting: [(id: DeliveryID, item: PendingDelivery)], into output: inout RuleOutput) {
        let rules = engine.rules
        var revisions: [DeliveryID: DeliveryRevision<PendingDelivery>] = [:]
        for (id, delivery) in waiting { revisions[id] = engine.revision(of: delivery, rules) }
        guard !revisions.isEmpty else { return }
        let (gone, endings) = state.withLock { [revisions, now] in $0.scheduler.revise(revisions, now: now) }
        for delivery in gone { drop(delivery) }
        for ending in endings { end(ending, into: &output) }
    }

    private func drop(_ delivery: PendingDelivery) {
        engine.dropDelivery(delivery.origin)
        if let number = delivery.number { forget([number]) }
        if let counters = delivery.origin.counters { engine.countPending(counters, by: -1) }
    }

    // MARK: Trying

    /// Sends a message; answers whether it waits for another attempt.
    private func carryOut(_ send: QueueSend, into output: inout RuleOutput) -> Bool {
        guard let failure = attempt(send) else {
            engine.delivered(send.origin)
            return false
        }
        guard failure.retry != .never, send.origin.terms != nil else {
            output.append(engine.failed(send.origin, failure))
            return false
        }
        submit(PendingDelivery(work: .send(send)), after: failure, into: &output)
        return true
    }

    private func attempt(_ send: QueueSend) -> DeliveryFailure? {
        let failure = hand(send)
        send.attemptEnded(failure)
        return failure
    }

    private func hand(_ send: QueueSend) -> DeliveryFailure? {
        let now = engine.world.nowMilliseconds()
        do throws(QueueError) {
            _ = try queues.perform { (table) throws(QueueError) in
                try table.send(send.message, to: send.queue, now: now, isOwed: send.origin.isDeadLetter)
            }
            return nil
        } catch {
            return .queue(name: send.queue, error)
        }
    }

    private func submit(_ delivery: PendingDelivery, after failure: DeliveryFailure?, into output: inout RuleOutput) {
        submit(keep(delivery), after: failure, now: now, isRevived: false, into: &output)
    }

    /// Takes up a delivery of before, which came so many milliseconds ago.
    func resubmit(_ delivery: PendingDelivery, age: Int64, into output: inout RuleOutput) {
        submit(delivery, after: nil, now: now - age, isRevived: true, into: &output)
    }

    private func submit(
        _ delivery: PendingDelivery, after failure: DeliveryFailure?, now: Int64, isRevived: Bool, into output: inout RuleOutput
    ) {
        guard let terms = delivery.terms, let counters = delivery.origin.counters else { return }
        engine.countPending(counters, by: 1)
        let ending = state.withLock { state in
            state.scheduler.submit(delivery, terms, bytes: delivery.bytes, after: failure, now: now, isRevived: isRevived)
        }
        if let ending { end(ending, into: &output) }
    }

    /// Begins what is due, and asks for the next alarm.
    private func takeTurns(into output: inout RuleOutput) {
        while true {
            let now = now
            let (work, alarm) = state.withLock { state in
                let work = state.scheduler.takeWork(now: now)
                return (work, Self.nextAlarm(&state))
            }
            if let (clock, time) = alarm { clock(time) }
            for ending in work.endings { end(ending, into: &output) }
            var heard = false
            for attempt in work.attempts {
                if attempt.isRetry, let counters = attempt.item.origin.counters { engine.countRetry(counters) }
                switch (attempt.isRetry ? attempt.item.tried : attempt.item).work {
                case .send(let send):
                    hear(attempt.id, self.attempt(send), into: &output)
                    heard = true
                case .call(let call): begin(call, attempt.id)
                }
            }
            guard heard else { return }
        }
    }

    private func begin(_ call: RuleCall, _ id: DeliveryID) {
        let door: any HTTPDoor = state.withLock { $0.door } ?? ClosedDoor()
        door.send(call.invocation) { [weak self] outcome in self?.heard(outcome, of: call, id) }
    }

    private func heard(_ outcome: HTTPOutcome, of call: RuleCall, _ id: DeliveryID) {
        let failed = FailedCall(outcome, kind: call.invocation.kind, now: engine.world.nowMilliseconds())
        let failure = failed.map { DeliveryFailure.call(name: call.name, $0) }
        call.attemptEnded(failure)
        var output = RuleOutput()
        hear(id, failure, into: &output)
        finish(output)
    }

    private static func nextAlarm(_ state: inout State) -> (Alarm, Int64)? {
        guard let next = state.scheduler.nextDeadline, next < state.alarmSet ?? .max, let clock = state.alarm else { return nil }
        state.alarmSet = next
        return (clock, next)
    }

    /// Notes what became of an attempt.
    private func hear(_ id: DeliveryID, _ failure: DeliveryFailure?, into output: inout RuleOutput) {
        let now = now
        let verdict = state.withLock { $0.scheduler.finished(id, failure, now: now) }
        switch verdict {
        case .delivered(let delivery):
            engine.delivered(delivery.origin)
            if let counters = delivery.origin.counters { engine.countPending(counters, by: -1) }
            if let number = delivery.number { forget([number]) }
        case .ended(let ending): end(ending, into: &output)
        // Its target may have changed while it was under way.
        case .waiting(let delivery): lookAgain(at: [(id, delivery)], into: &output)
        case .unknown: break
        }
    }

    private func end(_ ending: Scheduler.Ending, into output: inout RuleOutput) {
        let origin = ending.item.origin
        // What only the stop has ended goes on after the next start.
        if ending.item.number != nil, ending.failure.isStop { return state.withLock { $0.left += 1 } }
        var isHandedOver = store?.isFull != true
        if case .interrupted = ending.failure { engine.totals.deliveriesInterrupted.increment() }
        output.append(
            engine.failed(origin, ending.failure, RetryRecord(retries: ending.retries, exhaustion: ending.exhaustion)))
        isHandedOver = isHandedOver && store?.isFull != true
        // Where the store could not be given what became of it, it comes once more after the next start.
        if let number = ending.item.number, isHandedOver { output.finished.append(number) }
        if let counters = origin.counters { engine.countPending(counters, by: -1) }
    }
}

/// Stands where nobody calls.
private struct ClosedDoor: HTTPDoor {
    func send(_ invocation: HTTPInvocation, completion: @escaping @Sendable (HTTPOutcome) -> Void) {
        // Later, as the port promises.
        Task { completion(.failed(.unreachable("nobody here makes HTTP calls"))) }
    }
}
