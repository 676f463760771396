import HeapModule

/// Decides which delivery is tried when, and when it has been tried often enough.
///
/// Every target has a lane of its own: a dead or slow one delays nobody else. Every call says what time it is, in milliseconds;
/// nothing here waits, sends or logs. Whoever calls it carries out ``takeWork(now:)`` after each call, and at ``nextDeadline``.
struct DeliveryScheduler<Item: Sendable, Random: RandomNumberGenerator & Sendable> {
    private struct Entry {
        let item: Item
        let terms: DeliveryTerms
        let bytes: Int
        let expiresAt: Int64
        var retries = 0
        /// Of these, those of a function that had failed.
        var reruns = 0
        var isUnderWay = false
        /// Whether it is to be tried once more, however old it is.
        var isOwedAttempt = false
        /// What became of the last attempt, if there was one.
        var failure: DeliveryFailure?

        /// When it is given up.
        var endsAt: Int64 { isOwedAttempt ? .max : expiresAt }
    }

    private struct Alarm: Comparable {
        let time: Int64
        let lane: String

        static func < (left: Alarm, right: Alarm) -> Bool { left.time < right.time }
    }

    private let limits: DeliveryLimits
    private let backOff: BackOff
    /// Of functions that failed; without jitter, as asynchronous invocation has it.
    private let rerunWaits: BackOff
    private var random: Random
    private var entries: [DeliveryID: Entry] = [:]
    private var lanes: [String: DeliveryLane] = [:]
    /// Of destinations that were called: those whose next call may be at once are forgotten when there are many.
    private var pacers: [String: Pacer] = [:]
    private var pacersKeptMax = DeliveryTerms.pacersKeptMin
    private var functions: [String: FunctionCalls] = [:]
    /// When which lane is to be looked at again; those of lanes that are gone, or were looked at before, do no harm.
    private var alarms: Heap<Alarm> = []
    /// Lanes of which something has changed since the last ``takeWork(now:)``.
    private var changed: [String] = []
    private var lastNumber: UInt64 = 0
    private var isStopping = false
    private var isOver = false
    private(set) var bytes = 0

    init(limits: DeliveryLimits, random: Random) {
        self.limits = limits
        self.random = random
        backOff = BackOff(
            firstMilliseconds: Int64(limits.deliveryFirstWaitMillisecondsMax),
            longestMilliseconds: Int64(limits.deliveryWaitMillisecondsMax))
        let seconds = Int64(min(limits.lambdaErrorWaitSeconds, Int(Self.waitMax / 1_000)))
        rerunWaits = BackOff(firstMilliseconds: seconds * 1_000, longestMilliseconds: Self.waitMax)
    }

    /// Deliveries that wait or are under way.
    var count: Int { entries.count }

    /// Destinations whose pace is remembered.
    var pacedCount: Int { pacers.count }

    /// When ``takeWork(now:)`` has something to do by itself.
    var nextDeadline: Int64? { alarms.min?.time }

    // MARK: Coming and going

    /// Takes a delivery.
    ///
    /// - Parameters:
    ///   - item: what is to be delivered.
    ///   - terms: of its target.
    ///   - bytes: what it counts towards the limits.
    ///   - failure: why a first attempt, made by the caller, has failed.
    ///   - now: the time, from which the event's age is counted.
    ///   - isRevived: whether it was taken before a restart: then there is room for it, and it is tried once, however old it is.
    /// - Returns: the ending, where there is no room or no second attempt.
    mutating func submit(
        _ item: Item, _ terms: DeliveryTerms, bytes: Int, after failure: DeliveryFailure? = nil, now: Int64, isRevived: Bool = false
    ) -> Ending? {
        var entry = Entry(
            item: item, terms: terms, bytes: bytes, expiresAt: now + Int64(terms.policy.maximumEventAgeSeconds) * 1_000)
        entry.isOwedAttempt = isRevived
        var dueAt = now
        if let failure {
            switch next(&entry, after: failure, now: now) {
            case .success(let time): dueAt = time
            case .failure(let end): return end.ending(entry.item, retries: 0)
            }
        }
        // While everything stops, and until it is over, a first attempt is still made: what it comes from may have been acknowledged.
        guard !isOver else { return Ending(item: item, failure: .stopped(last: nil), retries: 0, exhaustion: nil) }
        if !isRevived, let limit = fullLimit(lane: terms.lane, bytes: bytes) {
            return Ending(item: item, failure: .tooManyPending(limit: limit), retries: 0, exhaustion: nil)
        }
        lastNumber += 1
        insert(DeliveryID(number: lastNumber), entry, dueAt: dueAt)
        return nil
    }

    private mutating func insert(_ id: DeliveryID, _ entry: Entry, dueAt: Int64) {
        let name = entry.terms.lane
        lanes[name, default: DeliveryLane()].waiting.insert(.init(dueAt: dueAt, id: id))
        lanes[name]?.count += 1
        lanes[name]?.bytes += entry.bytes
        bytes += entry.bytes
        entries[id] = entry
        changed.append(name)
    }

    /// Hears what became of an attempt.
    mutating func finished(_ id: DeliveryID, _ failure: DeliveryFailure?, now: Int64) -> Verdict {
        guard var entry = entries[id] else { return .unknown }
        let lane = entry.terms.lane
        lanes[lane]?.inFlight -= 1
        entry.isUnderWay = false
        if let function = entry.terms.function { callEnded(of: function) }
        changed.append(lane)
        guard let failure else {
            remove(id, entry)
            return .delivered(entry.item)
        }
        let pause: Int64? =
            switch failure.retry {
            case .later(let asked): asked
            case .whenStoreWrites: Self.storeWait
            case .never, .rerun: nil
            }
        // Whatever becomes of this one: the target asked it for all.
        if let pause {
            // No longer than anything waits: what the target asks for one delivery must not hold up all others for days.
            let until = max(now + min(pause, backOff.longestMilliseconds), lanes[lane]?.pausedUntil ?? .min)
            lanes[lane]?.pausedUntil = until
        }
        switch next(&entry, after: failure, now: now) {
        case .failure(let end):
            remove(id, entry)
            return .ended(end.ending(entry.item, retries: entry.retries))
        case .success(let dueAt):
            entries[id] = entry
            lanes[lane]?.waiting.insert(.init(dueAt: dueAt, id: id))
            return .waiting(entry.item)
        }
    }

    private struct End: Error {
        let failure: DeliveryFailure
        let exhaustion: RetryExhaustion?

        func ending(_ item: Item, retries: Int) -> Ending {
            Ending(item: item, failure: failure, retries: retries, exhaustion: exhaustion)
        }
    }

    /// When a delivery is tried again, or why it is not.
    private mutating func next(_ entry: inout Entry, after failure: DeliveryFailure, now: Int64) -> Result<Int64, End> {
        let advice = failure.retry
        guard advice != .whenStoreWrites else { return nextWithStore(&entry, after: failure, now: now) }
        entry.failure = failure
        guard advice != .never else { return .failure(End(failure: failure, exhaustion: nil)) }
        guard entry.retries < entry.terms.policy.maximumRetryAttempts,
            advice != .rerun || entry.reruns < limits.lambdaErrorRetriesMax
        else { return .failure(End(failure: failure, exhaustion: .attempts)) }
        guard !isStopping else { return .failure(End(failure: .stopped(last: failure.message), exhaustion: nil)) }
        let wait = wait(&entry, advice)
        // Nothing would be gained by waiting for the end of its time.
        guard now + wait < entry.expiresAt else { return .failure(End(failure: failure, exhaustion: .age)) }
        return .success(now + wait)
    }

    /// As if it had not been tried.
    private func nextWithStore(_ entry: inout Entry, after failure: DeliveryFailure, now: Int64) -> Result<Int64, End> {
        guard !isStopping else { return .failure(End(failure: .stopped(last: failure.message), exhaustion: nil)) }
        if entry.failure != nil, entry.retries > 0 { entry.retries -= 1 }
        entry.isOwedAttempt = true
        return .success(now + Self.storeWait)
    }

    private mutating func wait(_ entry: inout Entry, _ advice: RetryAdvice) -> Int64 {
        guard case .later(let asked) = advice else {
            defer { entry.reruns += 1 }
            return rerunWaits.bound(retries: entry.reruns)
        }
        return max(backOff.wait(retries: entry.retries, using: &random), min(asked ?? 0, Self.waitMax))
    }

    /// Milliseconds until what the disk did not take is tried again.
    private static var storeWait: Int64 { 1_000 }

    /// More than any event's time.
    private static var waitMax: Int64 { 1_000_000_000 }

    /// The name of the limit that one more delivery would go beyond.
    private func fullLimit(lane name: String, bytes: Int) -> String? {
        let lane = lanes[name]
        if lane?.count ?? 0 >= limits.pendingDeliveriesPerTargetMax { return "pendingDeliveriesPerTargetMax" }
        if (lane?.bytes ?? 0) + bytes > limits.pendingDeliveryBytesPerTargetMax { return "pendingDeliveryBytesPerTargetMax" }
        // Dead targets hold what they hold for hours: one that has nothing waiting always has room for what is tried at once.
        guard lane?.count ?? 0 >= limits.deliveriesInFlightPerTargetMax else { return nil }
        if count >= limits.pendingDeliveriesMax { return "pendingDeliveriesMax" }
        return self.bytes + bytes > limits.pendingDeliveryBytesMax ? "pendingDeliveryBytesMax" : nil
    }

    private mutating func remove(_ id: DeliveryID, _ entry: Entry) {
        let name = entry.terms.lane
        guard var lane = lanes.removeValue(forKey: name) else { return }
        remove(id, entry, from: &lane)
        if lane.count > 0 { lanes[name] = lane }
    }

    private mutating func remove(_ id: DeliveryID, _ entry: Entry, from lane: inout DeliveryLane) {
        entries[id] = nil
        bytes -= entry.bytes
        lane.count -= 1
        lane.bytes -= entry.bytes
    }

    // MARK: Turns

    /// What is to be tried now, and what has become too old.
    mutating func takeWork(now: Int64) -> Work {
        var work = Work()
        var names = changed
        changed = []
        while let alarm = alarms.min, alarm.time <= now {
            alarms.removeMin()
            if let alarmAt = lanes[alarm.lane]?.alarmAt, alarmAt <= now { lanes[alarm.lane]?.alarmAt = nil }
            names.append(alarm.lane)
        }
        var seen: Set<String> = []
        names.removeAll { !seen.insert($0).inserted }
        var next = 0
        while next < names.count {
            if serve(names[next], now: now, into: &work) { names.append(names[next]) }
            next += 1
        }
        return work
    }

    /// Answers whether the lane is to be served once more, behind the others that share its function.
    private mutating func serve(_ name: String, now: Int64, into work: inout Work) -> Bool {
        // Taken out while it changes, so that its storage is not copied.
        guard var lane = lanes.removeValue(forKey: name) else { return false }
        defer { if lane.count > 0 { lanes[name] = lane } }
        var hasBegun = false
        while lane.inFlight < limits.deliveriesInFlightPerTargetMax, let turn = lane.waiting.min, var entry = entries[turn.id] {
            if entry.endsAt <= now {
                lane.waiting.removeMin()
                remove(turn.id, entry, from: &lane)
                work.endings.append(
                    Ending(item: entry.item, failure: entry.failure ?? .tooOld, retries: entry.retries, exhaustion: .age))
                continue
            }
            let pace = entry.terms.pace
            let earliest = max(turn.dueAt, lane.pausedUntil, pace.flatMap { pacers[$0.name]?.earliest } ?? .min)
            guard earliest <= now else {
                wake(name, &lane, at: min(earliest, entry.endsAt))
                break
            }
            if let function = entry.terms.function, !beginCall(of: function) {
                if hasBegun { return true }
                functions[function]?.wait(name)
                wake(name, &lane, at: entry.endsAt)
                break
            }
            hasBegun = true
            if let pace { noteCall(at: pace, now) }
            lane.waiting.removeMin()
            lane.inFlight += 1
            entry.isUnderWay = true
            entry.isOwedAttempt = false
            let isRetry = entry.failure != nil
            if isRetry { entry.retries += 1 }
            entries[turn.id] = entry
            work.attempts.append(Attempt(id: turn.id, item: entry.item, isRetry: isRetry))
        }
        return false
    }

    /// Notes a call of a destination that is called at a pace.
    private mutating func noteCall(at pace: DeliveryTerms.Pace, _ now: Int64) {
        pacers[pace.name, default: Pacer()].called(at: now, perSecond: pace.perSecond)
        guard pacers.count > pacersKeptMax else { return }
        pacers = pacers.filter { $0.value.earliest > now }
        pacersKeptMax = max(DeliveryTerms.pacersKeptMin, 2 * pacers.count)
    }

    /// Counts a call of a function, unless there are as many as there may be.
    private mutating func beginCall(of function: String) -> Bool {
        guard functions[function]?.inFlight ?? 0 < limits.lambdaCallsInFlightMax else { return false }
        functions[function, default: FunctionCalls()].inFlight += 1
        return true
    }

    /// Lets those who wait have their turn, before the one whose call it was.
    private mutating func callEnded(of function: String) {
        guard var calls = functions.removeValue(forKey: function) else { return }
        changed += calls.takeWaiting()
        calls.inFlight -= 1
        if calls.inFlight > 0 { functions[function] = calls }
    }

    private mutating func wake(_ name: String, _ lane: inout DeliveryLane, at time: Int64) {
        guard time < lane.alarmAt ?? .max else { return }
        lane.alarmAt = time
        alarms.insert(Alarm(time: time, lane: name))
    }

    // MARK: Targets that change

    /// What waits for its turn.
    var waiting: [(id: DeliveryID, item: Item)] {
        lanes.values.flatMap { $0.waiting.unordered }.sorted { $0.id < $1.id }.compactMap { turn in
            entries[turn.id].map { (turn.id, $0.item) }
        }
    }

    /// Takes deliveries back whose targets are gone or refuse them now, and moves those that go elsewhere.
    ///
    /// Their age and their retries stay; one that goes elsewhere is tried at once, whatever the place before has asked for. What has begun by
    /// now is left alone: whoever hears that it failed looks at it again.
    mutating func revise(
        _ revisions: [DeliveryID: DeliveryRevision<Item>], now: Int64
    ) -> (gone: [Item], endings: [Ending]) {
        var (gone, endings): ([Item], [Ending]) = ([], [])
        for name in lanes.keys.sorted() {
            let turns = lanes[name]?.waiting.unordered ?? []
            guard turns.contains(where: { revisions[$0.id] != nil }) else { continue }
            lanes[name]?.waiting = Heap(turns.filter { revisions[$0.id] == nil })
            for turn in turns.sorted() {
                guard let revision = revisions[turn.id], let entry = entries[turn.id] else { continue }
                remove(turn.id, entry)
                switch revision {
                case .gone: gone.append(entry.item)
                case .refused(let failure):
                    endings.append(Ending(item: entry.item, failure: failure, retries: entry.retries, exhaustion: nil))
                case .changed(let item, let terms, let bytes):
                    var moved = Entry(item: item, terms: terms, bytes: bytes, expiresAt: entry.expiresAt)
                    (moved.retries, moved.failure, moved.isOwedAttempt) = (entry.retries, entry.failure, entry.isOwedAttempt)
                    insert(turn.id, moved, dueAt: terms.lane == name ? turn.dueAt : now)
                }
            }
        }
        return (gone, endings)
    }

    // MARK: Stopping

    /// Takes nothing new and tries nothing twice from now on; gives up what would not be tried before the deadline.
    mutating func stop(by deadline: Int64) -> [Ending] {
        isStopping = true
        return giveUp { turn in turn.dueAt > deadline }
    }

    /// Gives up everything, what is under way too.
    mutating func abandon() -> [Ending] {
        isOver = true
        let waiting = giveUp { _ in true }
        let rest = entries.sorted { $0.key < $1.key }
        for (id, entry) in rest { remove(id, entry) }
        return waiting + rest.map { Self.stopped($1) }
    }

    private mutating func giveUp(_ isHopeless: (DeliveryLane.Turn) -> Bool) -> [Ending] {
        var endings: [Ending] = []
        for name in lanes.keys.sorted() {
            let turns = lanes[name]?.waiting.unordered ?? []
            lanes[name]?.waiting = Heap(turns.filter { !isHopeless($0) })
            for turn in turns.filter(isHopeless).sorted() {
                guard let entry = entries[turn.id] else { continue }
                remove(turn.id, entry)
                endings.append(Self.stopped(entry))
            }
        }
        return endings
    }

    private static func stopped(_ entry: Entry) -> Ending {
        let failure = entry.isUnderWay ? DeliveryFailure.interrupted : .stopped(last: entry.failure?.message)
        return Ending(item: entry.item, failure: failure, retries: entry.retries, exhaustion: nil)
    }
}
