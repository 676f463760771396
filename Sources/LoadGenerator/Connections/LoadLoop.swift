package import NIOCore

/// One event loop's share of a run: its publishers, its subscribers, and what they have in common.
///
/// Lives on its event loop. Input of a turn is only marked; at the turn's end deliveries become room for new messages, and each publisher
/// with room writes once.
package final class LoadLoop {
    let eventLoop: any EventLoop
    let counters: LoopCounters
    /// Latencies of the current phase.
    package internal(set) var latencies = LatencyRecorder()
    /// How long the messages of the current phase waited for their acknowledgement, in mode `durable`.
    package private(set) var acknowledgementLatencies = LatencyRecorder()

    private let index: Int
    private let topology: Topology
    /// Every event loop of the run, this one too.
    private var peers: [NIOLoopBound<LoadLoop>] = []
    /// This loop's publishers: number `index`, `index + threads`, and so on.
    private var publishers: [PublisherConnection] = []
    private var subscribers: [SubscriberConnection] = []
    private var markedPublishers: [PublisherConnection] = []
    private var markedSubscribers: [SubscriberConnection] = []
    private var isTurnEndScheduled = false
    /// By publisher: how many messages all subscribers here have, as far as it was passed on.
    private var passedOn: [UInt64]

    private var schedule: OpenLoopSchedule?
    private var scheduledMessages: UInt64 = 0
    private var nextScheduled: UInt64 = 0

    package init(eventLoop: any EventLoop, index: Int, topology: Topology, counters: LoopCounters) {
        self.eventLoop = eventLoop
        self.index = index
        self.topology = topology
        self.counters = counters
        passedOn = Array(repeating: 0, count: topology.publishers)
    }

    package func connect(to peers: [NIOLoopBound<LoadLoop>]) { self.peers = peers }

    /// Takes a publisher whose session is being opened; in the order of their numbers.
    func add(_ publisher: PublisherConnection) { publishers.append(publisher) }
    func add(_ subscriber: SubscriberConnection) { subscribers.append(subscriber) }
    func subscriber(_ number: Int) -> SubscriberConnection { subscribers[number / topology.threads] }
    func replace(_ subscriber: SubscriberConnection) { subscribers[subscriber.number / topology.threads] = subscriber }

    // MARK: Phases

    /// Begins to publish.
    ///
    /// - Parameters:
    ///   - messagesPerPublisher: Where a publisher stops by itself; `nil` goes on until ``stop()``.
    ///   - schedule: The open loop's plan, which needs `messagesPerPublisher`.
    package func begin(messagesPerPublisher: UInt64?, schedule: OpenLoopSchedule?) {
        latencies.reset(recordsAll: schedule != nil)
        acknowledgementLatencies.reset(recordsAll: schedule != nil)
        self.schedule = schedule
        for publisher in publishers { publisher.stream.flow.beginPhase() }
        if schedule != nil {
            scheduledMessages = (messagesPerPublisher ?? 0) * UInt64(publishers.count)
            nextScheduled = 0
            runSchedule()
        } else {
            for publisher in publishers {
                publisher.stream.flow.allow(messagesPerPublisher ?? UInt64(UInt32.max) << 16)
                mark(publisher)
            }
        }
    }

    package func stop() {
        schedule = nil
        for publisher in publishers { publisher.stream.flow.stop() }
    }

    /// The latencies since the phase began or this was called last.
    package func takeLatencies() -> LatencyRecorder {
        defer { latencies.reset(recordsAll: true) }
        return latencies
    }

    /// Takes the subscribers away, for whom the broker keeps what comes; publishers do not wait for deliveries any more.
    package func leave() {
        for subscriber in subscribers { subscriber.disconnect() }
        for publisher in publishers { publisher.stream.flow.waitsForDelivery = false }
    }

    /// Asks the broker for a sign on every subscriber's connection, behind all that it has already queued there.
    package func ping() {
        for subscriber in subscribers { subscriber.ping() }
    }

    package func disconnect() {
        for publisher in publishers { publisher.disconnect() }
        for subscriber in subscribers { subscriber.disconnect() }
    }

    /// How many messages each of this loop's publishers has sent.
    package func sentByPublisher() -> [(publisher: Int, sent: UInt64)] {
        publishers.map { ($0.stream.publisher, $0.stream.flow.sent) }
    }

    package func verify(sent: [UInt64]) -> VerificationReport {
        var report = VerificationReport()
        for subscriber in subscribers { report.merge(subscriber.stream.verifier.finish { sent[$0] }) }
        for publisher in publishers { report.merge(publisher.stream.report) }
        return report
    }

    // MARK: The schedule of an open loop

    private func runSchedule() {
        guard let schedule, !publishers.isEmpty else { return }
        let now = monotonicNanoseconds()
        let count = UInt64(publishers.count)
        while nextScheduled < scheduledMessages {
            let publisher = publishers[Int(nextScheduled % count)]
            let time = schedule.intendedAt(publisher: publisher.stream.publisher, message: nextScheduled / count)
            guard time <= now else {
                eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(time)) { self.runSchedule() }
                break
            }
            publisher.stream.flow.allow(1)
            markForTurnEnd(publisher)
            nextScheduled += 1
        }
        endTurn()
    }

    // MARK: A turn of the event loop

    func mark(_ publisher: PublisherConnection) {
        markForTurnEnd(publisher)
        scheduleTurnEnd()
    }

    func mark(_ subscriber: SubscriberConnection) {
        guard !subscriber.isMarked else { return }
        subscriber.isMarked = true
        markedSubscribers.append(subscriber)
        scheduleTurnEnd()
    }

    private func markForTurnEnd(_ publisher: PublisherConnection) {
        guard !publisher.isMarked else { return }
        publisher.isMarked = true
        markedPublishers.append(publisher)
    }

    /// A task that is submitted while events are handled runs after all events of this turn.
    private func scheduleTurnEnd() {
        guard !isTurnEndScheduled else { return }
        isTurnEndScheduled = true
        eventLoop.assumeIsolated().execute {
            self.isTurnEndScheduled = false
            self.endTurn()
        }
    }

    private func endTurn() {
        let now = monotonicNanoseconds()
        var delivered: UInt64 = 0
        var pings = 0
        for subscriber in markedSubscribers {
            subscriber.isMarked = false
            delivered += subscriber.stream.verifier.delivered - subscriber.countedDeliveries
            subscriber.countedDeliveries = subscriber.stream.verifier.delivered
            pings += subscriber.stream.pingsAnswered - subscriber.countedPings
            subscriber.countedPings = subscriber.stream.pingsAnswered
        }
        if delivered > 0 { topology.isPaired ? passOnToPairs() : passOnToAll() }
        markedSubscribers.removeAll(keepingCapacity: true)

        var published = 0
        var acknowledged: UInt64 = 0
        for publisher in markedPublishers {
            publisher.isMarked = false
            acknowledged += publisher.countAcknowledgements(now: now, latencies: &acknowledgementLatencies)
            published += publisher.send(now: now, schedule: schedule)
        }
        markedPublishers.removeAll(keepingCapacity: true)

        if published > 0 { counters.addPublished(UInt64(published)) }
        if delivered > 0 || acknowledged > 0 || pings > 0 {
            counters.addReceived(delivered: delivered, acknowledged: acknowledged, pings: UInt64(pings), now: now)
        }
    }

    /// A pair lives on one loop: the publisher learns at once what its subscriber has.
    private func passOnToPairs() {
        for subscriber in markedSubscribers {
            let publisher = publishers[subscriber.number / topology.threads]
            publisher.stream.flow.didDeliver(subscriber.stream.verifier.reached(slot: 0), audience: 0)
            markForTurnEnd(publisher)
        }
    }

    /// A message has arrived when the slowest subscriber has it; publishers elsewhere learn it in one hand-over per loop.
    private func passOnToAll() {
        var elsewhere = [[(publisher: Int, count: UInt64)]](repeating: [], count: topology.threads)
        for publisher in 0..<topology.publishers {
            var least = UInt64.max
            for subscriber in subscribers { least = min(least, subscriber.stream.verifier.reached(slot: publisher)) }
            guard !subscribers.isEmpty, least > passedOn[publisher] else { continue }
            passedOn[publisher] = least
            elsewhere[topology.loop(of: publisher)].append((publisher, least))
        }
        let audience = topology.audience(ofLoop: index)
        for (target, deliveries) in elsewhere.enumerated() where !deliveries.isEmpty {
            if target == index {
                noteDeliveries(deliveries, audience: audience)
            } else {
                let peer = peers[target]
                peer.eventLoop.execute {
                    peer.value.noteDeliveries(deliveries, audience: audience)
                    peer.value.scheduleTurnEnd()
                }
            }
        }
    }

    private func noteDeliveries(_ deliveries: [(publisher: Int, count: UInt64)], audience: Int) {
        for delivery in deliveries {
            let publisher = publishers[delivery.publisher / topology.threads]
            publisher.stream.flow.didDeliver(delivery.count, audience: audience)
            markForTurnEnd(publisher)
        }
    }
}
