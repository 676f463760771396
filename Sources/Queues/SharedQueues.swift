package import Records
import Synchronization

/// The queues as many threads use them.
///
/// A call holds a lock for one look-up or change and waits for nothing. Whoever wants to wait for messages leaves a closure; an alarm, for
/// which somebody with a clock is asked, calls ``advance(to:)`` when its time is up.
package final class SharedQueues: Sendable {
    package typealias Answer = @Sendable (Result<[ReceivedMessage], QueueError>) -> Void
    /// Asked to call ``advance(to:)`` with a time, in milliseconds since 1970, when it has come.
    package typealias Alarm = @Sendable (Int64) -> Void

    private struct State: Sendable {
        var table: QueueTable
        var answers: [WaiterID: Answer] = [:]
        var alarm: Alarm?
        /// The earliest time for which the alarm was asked.
        var alarmSet: Int64?
    }

    private let state: Mutex<State>
    package let limits: QueueLimits
    private let store: (any RecordStore)?

    /// - Parameters:
    ///   - limits: named limits.
    ///   - makeID: identifiers that nobody else has and nobody can guess.
    ///   - store: keeps queues and messages; without it they are in memory.
    package init(limits: QueueLimits = QueueLimits(), makeID: @escaping @Sendable () -> String, store: (any RecordStore)? = nil) {
        self.limits = limits
        self.store = store
        state = Mutex(State(table: QueueTable(limits: limits, makeID: makeID)))
    }

    /// Takes up what the store had kept, once, before anything else.
    ///
    /// - Throws: for what another version wrote.
    package func restore(_ records: [KeptRecord]) throws(UnreadableRecord) {
        let result = settle { state in
            do throws(UnreadableRecord) {
                return Result<Void, UnreadableRecord>.success(try state.table.restore(records))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Returns when all that was changed so far outlives a crash, as far as the durability says so.
    package func kept() async throws(QueueError) {
        do throws(NotKept) { try await store?.settle() } catch { throw .notKept }
    }

    /// Says who is to call at the times that matter to those who wait.
    package func setAlarm(_ alarm: @escaping Alarm) {
        state.withLock { $0.alarm = alarm }
        settle { _ in }
    }

    /// Looks at the queues, or changes them.
    package func perform<Value: Sendable>(
        _ call: (inout QueueTable) throws(QueueError) -> Value
    ) throws(QueueError) -> Value {
        let result = settle { state in
            do throws(QueueError) { return Result<Value, QueueError>.success(try call(&state.table)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Everything as it is at a time.
    package func statistics(at now: Int64) -> QueueStatistics {
        settle { $0.table.statistics(at: now) }
    }

    /// Receives messages, now or later.
    ///
    /// - Parameters:
    ///   - request: what to receive.
    ///   - now: milliseconds since 1970.
    ///   - answer: called once, from any thread, if the outcome is `waiting`.
    /// - Returns: messages, or who waits.
    /// - Throws: for a request that is refused.
    package func receive(
        _ request: ReceiveRequest, now: Int64, answer: @escaping Answer
    ) throws(QueueError) -> QueueTable.ReceiveOutcome {
        let result = settle { state in
            do throws(QueueError) {
                let outcome = try state.table.receive(request, now: now)
                if case .waiting(let waiter) = outcome { state.answers[waiter] = answer }
                return Result<QueueTable.ReceiveOutcome, QueueError>.success(outcome)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Forgets somebody who waits; its closure is not called any more, unless that has begun.
    package func cancel(_ waiter: WaiterID, at queue: String) {
        settle { state in
            state.table.cancel(waiter, at: queue)
            state.answers[waiter] = nil
        }
    }

    /// Answers those whose time it is.
    package func advance(to now: Int64) {
        settle { state in
            if let alarmSet = state.alarmSet, alarmSet <= now { state.alarmSet = nil }
            state.table.advance(to: now)
        }
    }

    /// Does something under the lock; then, without it, tells those who waited, and asks for the next alarm.
    @discardableResult
    private func settle<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        let (value, words, alarm) = state.withLock { state in
            if let store { state.table.isStoreFailing = store.isFailing }
            let value = body(&state)
            // Under the lock: the store gets changes in the order in which they were made.
            let changes = state.table.takeChanges()
            if !changes.isEmpty { store?.append(changes) }
            let words = state.table.takeAnswers().map { (state.answers.removeValue(forKey: $0.waiter), $0.result) }
            var alarm: (Alarm, Int64)?
            if let next = state.table.nextDeadline, next < state.alarmSet ?? .max, let clock = state.alarm {
                state.alarmSet = next
                alarm = (clock, next)
            }
            return (value, words, alarm)
        }
        for (answer, result) in words { answer?(result) }
        if let (clock, time) = alarm { clock(time) }
        return value
    }
}
