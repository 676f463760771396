import BrokerCore
import Logging
import NIOCore

/// What a shard is made of, the same for all shards of a broker.
struct ShardSettings: Sendable {
    var shardCount: Int
    var limits: BrokerLimits
    var authorizer: any Authorizer
    var directory: SessionDirectory
    var retained: RetainedStore
    var admission: Admission
    var checks: CredentialChecks
    var rules: (any MessageRules)?
    /// One for each shard, by index.
    var mailboxes: [Mailbox]
    var store: (any SessionStore)?
    var durability = Durability.memory
    /// `nil` where clients' coming and going is not published.
    var lifecycle: LifecycleTopics?
    /// `nil` where traces are not looked at.
    var spans: (any SpanRecorder)?
}

/// Runs one ``Shard`` on its event loop: tells it what happens, and carries out what it answers.
///
/// Bound to the loop. Other threads reach it by a task on the loop, through a `NIOLoopBoundBox`.
final class ShardDriver: ShardTransport {
    let id: ShardID
    let log: EventLog
    var admission: Admission { settings.admission }
    var wantsAttributes: Bool { settings.authorizer.wantsAttributes }
    let eventLoop: any EventLoop
    private let settings: ShardSettings
    private var peers: [NIOLoopBoundBox<ShardDriver>] = []
    /// By ``ClientConnection/slot``.
    private var handlers: [MQTTConnectionHandler?] = []
    private var scheduled: (deadline: Instant, task: Scheduled<Void>)?
    private var taps: [UInt64: LiveReader<TailedMessage>] = [:]
    private var traces: [UInt64: LiveReader<TracedStep>] = [:]
    /// Who waits for what it published to be routed.
    private var receipts: [UInt64: EventLoopPromise<PublishOutcome>] = [:]
    private var lastReceipt: UInt64 = 0
    private var isDraining = false
    private var isTakingMail = false
    private var isCatchingUp = false
    /// How long the last part took of what is done in parts.
    private var lastWork = TimeAmount.zero
    private var lifecycleMessages: [Message] = []
    private var lag = LoopLag()
    private var isMeasuringLag = false
    let channels: OpenChannels
    let handshakes: HandshakePace

    // Lazy, because the shard wants its transport, which is this.
    private(set) lazy var shard = Shard(
        id: id, shardCount: settings.shardCount, limits: settings.limits, transport: self, authorizer: settings.authorizer,
        directory: settings.directory, retained: settings.retained, admission: settings.admission, rules: settings.rules, now: .now,
        store: settings.store, durability: settings.durability)

    init(id: ShardID, eventLoop: any EventLoop, settings: ShardSettings, logger: Logger) {
        self.id = id
        self.eventLoop = eventLoop
        self.settings = settings
        log = EventLog(logger: logger, eventLoop: eventLoop)
        channels = OpenChannels(eventLoop: eventLoop)
        handshakes = HandshakePace(eventLoop: eventLoop)
    }

    /// Makes the other shards known, by index.
    ///
    /// Before the first connection.
    func meet(_ peers: [NIOLoopBoundBox<ShardDriver>]) {
        self.peers = peers
        shard.reportsLifecycle = settings.lifecycle != nil
        shard.spans = settings.spans
    }

    // MARK: The store

    /// Takes over what the store kept, after it met the others and before the first connection.
    func restore(_ state: RestoredState) {
        shard.restore(state, now: .now)
        shard.endTurn(now: .now)  // the others hear of it before anything else
    }

    /// When all shards have restored what they had, and heard of the others'.
    func beginTime() { shard.beginTime(now: .now) }

    func progressed(_ progress: StoreProgress) { shard.storeProgressed(progress, now: .now) }

    // MARK: Measuring

    /// Begins to measure how late the loop's tasks are; a second call changes nothing.
    func beginMeasuringLag() {
        if isMeasuringLag { return }
        isMeasuringLag = true
        measureLag(at: .now() + LoopLag.pause)
    }

    private func measureLag(at time: NIODeadline) {
        eventLoop.assumeIsolated().scheduleTask(deadline: time) {
            let now = NIODeadline.now()
            self.lag.ran(late: now - time)
            if !self.isDraining { self.measureLag(at: now + LoopLag.pause) }
        }
    }

    /// The shard's part of the figures, without what is found by looking at sessions.
    func statistics() -> BrokerStatistics {
        var statistics = shard.countedStatistics()
        statistics.eventLoopLagSeconds = [lag.worstSeconds]
        return statistics
    }

    // MARK: From the channels

    func accepted(_ info: ConnectionInfo, openedAt: Instant, handler: MQTTConnectionHandler) -> ClientConnection {
        let connection = shard.accepted(info, now: openedAt)
        while handlers.count <= connection.slot { handlers.append(nil) }
        handlers[connection.slot] = handler
        return connection
    }

    func received(_ bytes: ByteBuffer, on connection: ClientConnection) {
        takeMail()
        shard.received(bytes, on: connection, now: .now)
    }

    /// What others have handed over comes before whatever a client sends or a deadline brings.
    private func takeMail() {
        if isTakingMail { return }
        isTakingMail = true
        defer { isTakingMail = false }
        for batch in settings.mailboxes[id.index].take() { shard.peerMessages(batch.messages, from: batch.sender, now: .now) }
    }

    func lost(_ connection: ClientConnection, _ reason: CloseReason) {
        takeMail()
        shard.transportClosed(connection, reason: reason, now: .now)
        // Only now: the shard might have had last words for it.
        if let handler = handlers[connection.slot], handler.connection == nil { handlers[connection.slot] = nil }
    }

    private func handler(of connection: ClientConnection) -> MQTTConnectionHandler? {
        guard connection.slot < handlers.count, let handler = handlers[connection.slot] else { return nil }
        // Slots are used again: the channel of an earlier connection must not be taken for this one's.
        return handler.connection === connection ? handler : nil
    }

    // MARK: ShardTransport

    func turnNeedsEnd() {
        eventLoop.assumeIsolated().execute { self.shard.endTurn(now: .now) }
    }

    /// As a task that is due after a pause, counted from the end of this turn.
    ///
    /// A loop reads no socket before all tasks are done that are due by then. The pause grows with the work, or what it caused would take so long that the next part was due at once.
    func workLater() {
        let loop = eventLoop.assumeIsolated()
        loop.execute { loop.scheduleTask(in: max(Self.workPauseMin, self.lastWork * 2)) { self.continueWork() } }
    }

    private func continueWork() {
        takeMail()
        let start = NIODeadline.now()
        shard.continueWork(now: .now)
        lastWork = NIODeadline.now() - start
    }

    private static let workPauseMin = TimeAmount.microseconds(100)

    func send(_ bytes: ByteBuffer, on connection: ClientConnection) -> Bool {
        handler(of: connection)?.send(bytes) ?? true
    }

    func close(_ connection: ClientConnection, because reason: CloseReason) {
        guard let handler = handler(of: connection) else { return }
        handlers[connection.slot] = nil
        handler.close(because: reason)
    }

    func setReading(_ isReading: Bool, on connection: ClientConnection) { handler(of: connection)?.setReading(isReading) }

    func handOff(_ messages: [ShardMessage], to shard: ShardID) {
        guard settings.mailboxes[shard.index].put(messages, from: id) else { return }
        let peer = peers[shard.index]
        peer.eventLoop.execute { peer.value.takeMail() }
    }

    func setDeadline(_ deadline: Instant) {
        if let scheduled {
            if scheduled.deadline <= deadline { return }
            scheduled.task.cancel()
        }
        let task = eventLoop.assumeIsolated().scheduleTask(deadline: deadline.deadline) { self.deadlineReached() }
        scheduled = (deadline, task)
    }

    private static let catchUpPause = TimeAmount.milliseconds(20)
    /// A time that was met this much later than it was set for says nothing of clients: what they sent waits in their sockets.
    private static let latenessMax = TimeAmount.milliseconds(250)

    private func deadlineReached() {
        let lateness = scheduled.map { NIODeadline.now() - $0.deadline.deadline } ?? .zero
        if lateness > Self.latenessMax, !isCatchingUp, let deadline = scheduled?.deadline {
            // The loop was held up. Its sockets come first, once; then the time is met.
            isCatchingUp = true
            let task = eventLoop.assumeIsolated().scheduleTask(in: Self.catchUpPause) { self.deadlineReached() }
            scheduled = (deadline, task)
            return
        }
        isCatchingUp = false
        scheduled = nil
        takeMail()
        shard.deadlineReached(now: .now)
    }

    /// Publishes as the broker itself; when it answers, what clients publish from then on comes after it.
    func publish(_ messages: [Message]) -> EventLoopFuture<PublishOutcome> {
        takeMail()
        lastReceipt += 1
        let promise = eventLoop.makePromise(of: PublishOutcome.self)
        receipts[lastReceipt] = promise
        shard.publish(messages, receipt: lastReceipt, now: .now)
        if isDraining { shard.continuePublishing(isStopping: true) }
        return promise.futureResult
    }

    func check(_ check: any CredentialCheck, of connection: ClientConnection) {
        let (driver, slot, id) = (peers[id.index], connection.slot, connection.id)
        settings.checks.begin(check, of: id, from: connection.info.network) { answer in
            driver.eventLoop.execute { driver.value.checked(answer, slot: slot, connectionID: id) }
        }
    }

    func abandonCheck(of connection: ClientConnection) { settings.checks.abandon(connection.id) }

    private func checked(_ answer: CheckedCredential, slot: Int, connectionID: UInt64) {
        takeMail()
        shard.credentialChecked(answer, slot: slot, connectionID: connectionID, now: .now)
    }

    /// Whoever still waits for what it published waits no longer.
    func endPublishing() {
        for receipt in receipts.keys { published(receipt, isKept: false) }
    }

    func published(_ receipt: UInt64, isKept: Bool) { receipts.removeValue(forKey: receipt)?.succeed(isKept ? .kept : .notKept) }

    func report(_ event: BrokerEvent) {
        guard case .lifecycle(let lifecycle) = event else { return log.report(event) }
        guard let topics = settings.lifecycle else { return }
        // Not in the middle of what the shard is about; those of one turn go together.
        if lifecycleMessages.isEmpty { eventLoop.assumeIsolated().execute { self.publishLifecycle() } }
        lifecycleMessages.append(topics.message(lifecycle, atMilliseconds: LifecycleTopics.nowMilliseconds))
    }

    private func publishLifecycle() {
        takeMail()
        var messages: [Message] = []
        swap(&messages, &lifecycleMessages)
        for message in messages { shard.publish(message, now: .now) }
    }

    func tapped(_ tap: UInt64, message: Message, publisher: Publisher, skipped: UInt64) {
        taps[tap]?.offer(countingAlso: skipped) { TailedMessage(message: message, publisher: publisher, skipped: $0) }
    }

    func traced(_ trace: UInt64, _ step: TracedStep) {
        traces[trace]?.offer(countingAlso: step.skipped) { skipped in
            var step = step
            step.skipped = skipped
            return step
        }
    }

    // MARK: Tails and traces

    func addTrace(_ id: UInt64, of clientID: String, endsAt: Instant, linesPerSecond: Int, _ reader: LiveReader<TracedStep>) {
        traces[id] = reader
        shard.addTrace(id: id, of: clientID, endsAt: endsAt, linesPerSecond: linesPerSecond, now: .now)
    }

    func removeTrace(_ id: UInt64) {
        if traces.removeValue(forKey: id) != nil { shard.removeTrace(id: id) }
    }

    func addTap(_ id: UInt64, filter: String, every: Int, _ reader: LiveReader<TailedMessage>) {
        taps[id] = reader
        shard.addTap(id: id, filter: filter, every: every)
    }

    func removeTap(_ id: UInt64) {
        if taps.removeValue(forKey: id) != nil { shard.removeTap(id: id) }
    }

    // MARK: Operators

    func kick(_ clientID: String, endingSession: Bool) -> KickOutcome? {
        takeMail()
        return shard.kick(clientID, endingSession: endingSession, now: .now)
    }

    // MARK: Certificates

    /// What the clients of these channels proved themselves by, as far as they are still here.
    func proofs(of channels: ArraySlice<any Channel>) -> [(channel: any Channel, proof: ClientProof)] {
        channels.compactMap { channel in self.channels.proof(of: channel).map { (channel, $0) } }
    }

    /// Closes a connection whose certificate counts no more; answers false when it had gone.
    func proofLost(on channel: any Channel, listener: String, _ failure: HandshakeFailure) -> Bool {
        guard channels.holds(channel) else { return false }
        takeMail()
        if let handler = try? channel.pipeline.syncOperations.handler(type: MQTTConnectionHandler.self) {
            guard let connection = handler.connection else { return false }  // closing already
            shard.proofLost(connection, refusal: failure.text, now: .now)
        } else {
            log.proofLost(peer: PeerText.of(channel.remoteAddress), listener: listener, failure)
            channel.close(promise: nil)
        }
        return true
    }

    // MARK: The end

    /// Says goodbye to every client and cuts off who is still in a handshake.
    ///
    /// The future succeeds when every channel is closed.
    func drain(until deadline: NIODeadline, reference: String?) -> EventLoopFuture<Void> {
        isDraining = true
        shard.continuePublishing(isStopping: true)
        shard.closeAll(reference: reference, now: .now)
        shard.endTurn(now: .now)
        for tap in taps.values { tap.continuation.finish() }
        for trace in traces.values { trace.continuation.finish() }
        return channels.close(cuttingOff: { channel in !self.isServed(channel) }, deadline: deadline)
    }

    private func isServed(_ channel: any Channel) -> Bool {
        (try? channel.pipeline.syncOperations.handler(type: MQTTConnectionHandler.self)) != nil
    }

    /// Time passes also where nothing happens: for figures that tell ages.
    func bringUpToDate() { shard.deadlineReached(now: .now) }
}
