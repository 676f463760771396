package import BrokerCore
package import Logging
import MQTTCodec
package import NIOCore
import NIOPosix
import Synchronization

/// The running broker: its event loops with a shard each, its listeners, and the face that the rest of the program sees.
///
/// To be ended by ``drain(within:serverReference:)``, which stops the event loops.
package final class Broker: BrokerAccess {
    /// Messages that wait for one reader of ``tail(_:)``; further ones are skipped and counted.
    package static let tailMessagesMax = 1_000

    private let group: MultiThreadedEventLoopGroup
    let shards: [NIOLoopBoundBox<ShardDriver>]
    private let admission: Admission
    private let checks: CredentialChecks
    let retained: RetainedStore
    let limits: LimitsInForce
    private let directory: SessionDirectory
    private let logger: Logger
    private let version: String
    private let certificateTime: (@Sendable () -> Int64)?
    private let kept: KeptState?
    private let startedAt = Instant.now
    /// The time of day then, which times since are counted from: a difference to the time of day of each call would be another each time.
    private let startedMilliseconds = Int(LifecycleTopics.nowMilliseconds)
    /// Of tails and traces.
    let lastReader = Atomic<UInt64>(0)
    private let state = Mutex(State())

    private struct State {
        var isDraining = false
        var listeners: [OpenListener] = []
        var systemTopics: Task<Void, Never>?
    }

    /// Makes the event loops and their shards; nothing listens yet.
    ///
    /// - Parameters:
    ///   - limits: What each shard keeps to.
    ///   - authorizer: Who may connect, and do what.
    ///   - rules: The rules on device messages, which each shard evaluates for the messages that it accepts.
    ///   - loopCount: Event loops, and so shards: 1 to 64.
    ///   - logger: Takes what happens to clients; lines of one kind are limited per client and second.
    ///   - version: For `$SYS/broker/version`.
    ///   - kept: What outlives the process; without it everything is in memory.
    ///   - credentialThreads: Threads that check passwords.
    ///   - lifecycleEvents: Whether clients' coming and going, and what they subscribe to, is published on `$aws/events/…`.
    ///   - spans: Takes the steps of traces that messages belong to; without it they are forwarded as they came.
    ///   - certificateTime: Seconds since 1970 at which clients' certificates are judged; the time of day if not given.
    package init(
        limits: BrokerLimits, authorizer: any Authorizer, rules: (any MessageRules)?, loopCount: Int, logger: Logger, version: String,
        kept: KeptState? = nil, credentialThreads: Int = CredentialLimits().passwordThreadsMax,
        lifecycleEvents: Bool = false, spans: (any SpanRecorder)? = nil, certificateTime: (@Sendable () -> Int64)? = nil
    ) {
        let count = min(max(loopCount, 1), ShardSet.capacity)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        let admission = Admission(limits: limits)
        let checks = CredentialChecks(admission: admission, threads: credentialThreads)
        let owners = SessionDirectory(sessionsMax: limits.sessionsMax) { _ in UInt64.random(in: .min ... .max) }
        let settings = ShardSettings(
            shardCount: count, limits: limits, authorizer: authorizer, directory: owners,
            retained: kept?.retained ?? RetainedStore(limits: limits), admission: admission,
            checks: checks, rules: rules,
            mailboxes: (0..<count).map { _ in Mailbox() }, store: kept?.store, durability: kept?.durability ?? .memory,
            lifecycle: lifecycleEvents ? LifecycleTopics() : nil, spans: spans)
        let shards = group.makeIterator().enumerated().map { index, loop in
            NIOLoopBoundBox.makeBoxSendingValue(
                ShardDriver(id: ShardID(index), eventLoop: loop, settings: settings, logger: logger), eventLoop: loop)
        }
        for shard in shards { shard.eventLoop.execute { shard.value.meet(shards) } }
        if let kept {
            for (shard, part) in zip(shards, kept.state.parts(for: count, enteredIn: settings.directory)) {
                shard.eventLoop.execute { shard.value.restore(part) }
            }
        }
        var begun = kept
        begun?.state = RestoredState()
        self.kept = begun
        self.group = group
        self.shards = shards
        self.admission = admission
        self.checks = checks
        retained = settings.retained
        self.limits = LimitsInForce(limits)
        directory = settings.directory
        self.logger = logger
        self.version = version
        self.certificateTime = certificateTime
    }

    // MARK: Start and end

    /// Opens all listeners, or none; who connects waits until ``beginAccepting()``.
    ///
    /// So nobody is served by a program that will not start, because something else of it cannot.
    ///
    /// - Returns: What was bound, in the order given; each one's description is its start-up line.
    /// - Throws: ``ListenerError``, which names the listener and says what to do.
    package func start(_ listeners: [Listener]) async throws -> [ListenerBinding] {
        // Two rounds: what was kept is there, and what the shards told each other of it is, too.
        for _ in 0..<2 where kept != nil {
            for shard in shards { try await shard.eventLoop.submit {}.get() }
        }
        if kept != nil { for shard in shards { try await shard.eventLoop.submit { shard.value.beginTime() }.get() } }
        for shard in shards { shard.eventLoop.execute { shard.value.beginMeasuringLag() } }
        let opening = opening
        var open: [OpenListener] = []
        var bindings: [ListenerBinding] = []
        for listener in listeners {
            do {
                let opened = try await opening.open(listener)
                open.append(opened)
                let address = opened.channel.localAddress
                bindings.append(listener.binding(address: PeerText.of(address), port: address?.port ?? listener.port))
            } catch {
                for opened in open { try? await opened.channel.close().get() }
                throw error
            }
        }
        let topics = SystemTopics(version: version)
        let opened = open
        state.withLock { state in
            state.listeners += opened
            if state.systemTopics == nil { state.systemTopics = Task { await topics.run(on: self) } }
        }
        return bindings
    }

    /// Accepts connections on all listeners that are open.
    package func beginAccepting() async {
        for listener in state.withLock({ $0.listeners }) {
            try? await listener.channel.setOption(.autoRead, value: true).get()  // one that has closed accepts nothing
        }
    }

    private var opening: ListenerOpening {
        let drivers = Dictionary(uniqueKeysWithValues: shards.map { (ObjectIdentifier($0.eventLoop), $0) })
        return ListenerOpening(group: group, drivers: drivers, limits: limits, certificateTime: certificateTime, logger: logger)
    }

    /// Where connections must live that are to be adopted.
    package var eventLoopGroup: any EventLoopGroup { group }

    /// Serves MQTT over WebSocket on the connections of a listener that is not the broker's own, and accepts on its event loops.
    ///
    /// - Parameters:
    ///   - listener: How logs and lists call it, and whom it takes; its transport is ``Listener/Transport/ws(_:)``.
    ///   - countRefusal: Called with the status for each request that is refused.
    /// - Returns: What takes the connections.
    package func webSocketAdoption(_ listener: Listener, countRefusal: @escaping @Sendable (Int) -> Void) -> WebSocketAdoption {
        let opening = opening
        let front = opening.front(listener.webSocket ?? WebSocketListener(), of: listener, countRefusal: countRefusal)
        return WebSocketAdoption(listener: listener, front: front, drivers: opening.drivers)
    }

    /// Stops taking connections, says goodbye to clients, and ends the event loops.
    ///
    /// Clients that have not taken their last bytes
    /// when `limit` is over are cut off. Those of MQTT 5 are told to use the server named by `serverReference`, if there is one
    /// [MQTT5-4.13.1-1]. Calls after this one change nothing and answer with nothing.
    package func drain(within limit: Duration, serverReference: String? = nil) async {
        let (isFirst, listeners, topics) = state.withLock { state in
            defer {
                state.isDraining = true
                state.listeners = []
                state.systemTopics = nil
            }
            return (!state.isDraining, state.listeners, state.systemTopics)
        }
        guard isFirst else { return }
        topics?.cancel()
        await topics?.value
        for listener in listeners { try? await listener.channel.close().get() }
        let seconds = limit.components.seconds
        let deadline = NIODeadline.now() + .seconds(seconds) + .nanoseconds(limit.components.attoseconds / 1_000_000_000)
        let drained = shards.map { shard in shard.eventLoop.flatSubmit { shard.value.drain(until: deadline, reference: serverReference) } }
        for future in drained { try? await future.get() }
        // A listener that is not the broker's own may live on these loops: what one of them told another of the last closings is heard first.
        for shard in shards { try? await shard.eventLoop.submit {}.get() }
        await checks.end()
        // What clients were told last is on disk, or they were not told: in a task of its own, as work of one that is cancelled is not begun.
        if let kept { await Task { try? await NIOThreadPool.singleton.runIfActive { kept.close() } }.value }
        // Nothing is written any more that anybody could wait for.
        for shard in shards { try? await shard.eventLoop.submit { shard.value.endPublishing() }.get() }
        do {
            try await group.shutdownGracefully()
        } catch {
            logger.error("the event loops did not stop cleanly", metadata: ["reason": "\(error)"])
        }
    }

    /// What the store says, from its own thread.
    package func storeProgressed(_ shard: ShardID?, _ progress: StoreProgress) {
        for (index, box) in shards.enumerated() where shard == nil || shard?.index == index {
            box.eventLoop.execute { box.value.progressed(progress) }
        }
    }

    /// The listeners that are open, and what opens others like them.
    var openListeners: (listeners: [OpenListener], opening: ListenerOpening) { (state.withLock { $0.listeners }, opening) }

    /// When the certificates end by which open TLS listeners prove themselves, in seconds since 1970, by the listener's name.
    package var certificateEnds: [String: Int64] {
        let ends = state.withLock { $0.listeners }.compactMap { open in open.endpoint.map { (open.listener.name, $0.endpoint.notAfter) } }
        return Dictionary(ends) { min($0, $1) }
    }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Asks every shard, on its loop; the answers come in the shards' order.
    ///
    /// Nothing once the broker drains.
    func collect<Answer: Sendable>(_ question: @escaping @Sendable (ShardDriver) -> Answer) async -> [Answer] {
        if isDraining { return [] }
        let futures = shards.map { shard in shard.eventLoop.submit { question(shard.value) } }
        var answers: [Answer] = []
        for future in futures {
            // A loop that has ended meanwhile has nothing to say.
            if let answer = try? await future.get() { answers.append(answer) }
        }
        return answers
    }

    /// Takes new device rules on every shard, as after a reload.
    package func setRules(_ rules: any MessageRules) async {
        _ = await collect { $0.shard.setRules(rules) }
    }

    /// Takes other limits, as after a reload; who is connected stays.
    ///
    /// - Returns: The names of those that are others now. What ``BrokerLimits/keptUntilRestart`` names is left as it was.
    package func take(_ next: BrokerLimits) async -> [String] {
        let (limits, changed) = limits.current.reloaded(as: next)
        if changed.isEmpty { return [] }
        self.limits.replace(by: limits)
        retained.take(limits)
        admission.take(limits)
        directory.take(sessionsMax: limits.sessionsMax)
        _ = await collect { $0.shard.take(limits) }
        return changed
    }

    /// Takes back on every shard what the authorizer does not grant any more, as after a reload.
    package func rightsChanged() async {
        _ = await collect { $0.shard.rightsChanged(now: .now) }
    }

    // MARK: BrokerAccess

    package func admitsPublish() -> Bool { !isDraining && admission.publishRoom.admits() }

    /// As ``publish(_:)`` where nobody can be told that there is no room: then they are dropped, and counted.
    ///
    /// - Returns: false when the broker stops: what led to them is not over.
    package func publishOrDrop(_ messages: [Message]) async -> Bool {
        guard admitsPublish() else {
            admission.publishRoom.drop(messages.count)
            return !isDraining
        }
        return await publish(messages) != .refused
    }

    @discardableResult
    package func publish(_ messages: [Message]) async -> PublishOutcome {
        if isDraining { return .refused }
        var batches: [[Message]] = Array(repeating: [], count: shards.count)
        for message in messages { batches[Shard.home(of: message.topic, shardCount: shards.count).index].append(message) }
        let futures = zip(shards, batches).filter { !$1.isEmpty }.map { shard, batch in
            shard.eventLoop.flatSubmit { shard.value.publish(batch) }
        }
        var outcome = PublishOutcome.kept
        for future in futures { outcome = outcome.joined(with: (try? await future.get()) ?? .notKept) }
        // Where nobody waited for the disk, what was kept is handed to the store all the same: what comes after it is behind it there.
        if let kept, kept.durability != .strict || outcome == .notKept { await endTurns() }
        return outcome
    }

    /// Returns when what shards had begun is over, and what they keep of it is handed to the store: where it came in, where it was handed
    /// on to, and where rules' messages of it were.
    private func endTurns() async {
        for _ in 0..<4 {
            let futures = shards.map { $0.eventLoop.submit {} }
            for future in futures { try? await future.get() }
        }
    }

    package var now: Instant { .now }

    package func problem(ofTopic topic: String) -> String? { limits.current.problem(ofTopic: ByteBuffer(string: topic)) }

    package func retainedMessage(on topic: String) async -> RetainedSummary? {
        retained.dated(ByteBuffer(string: topic)).map { summary($0.message, since: $0.at, by: $0.publisher) }
    }

    func summary(_ message: Message, since time: Instant, by publisher: Publisher) -> RetainedSummary {
        let time = max(time, startedAt).nanoseconds
        return RetainedSummary(
            message: message, ageMilliseconds: Int(max(0, Instant.now.nanoseconds - time) / 1_000_000),
            retainedMilliseconds: startedMilliseconds + Int((time - startedAt.nanoseconds) / 1_000_000), publisher: publisher)
    }

    package func statistics() async -> BrokerStatistics {
        var sum = BrokerStatistics()
        for part in await collect({ $0.statistics() }) { sum.add(part) }
        await lookAtSessions(
            beginning: { _ in BrokerStatistics() }, each: { driver, session, part in driver.shard.count(session, in: &part) },
            take: { part in
                sum.add(part)
                return true
            })
        admission.count(into: &sum)
        // Clients are counted a part at a time, and some come meanwhile.
        sum.clientsMaximum = max(sum.clientsMaximum, sum.clientsConnected)
        sum.uptimeSeconds = Instant.now.seconds(since: startedAt)
        return sum
    }

    package func tail(_ filter: String) -> AsyncStream<TailedMessage> { tail(filter, every: 1) }

    package func tail(_ filter: String, every: Int) -> AsyncStream<TailedMessage> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: TailedMessage.self, bufferingPolicy: .bufferingOldest(Self.tailMessagesMax))
        if isDraining {
            continuation.finish()
            return stream
        }
        let id = lastReader.wrappingAdd(1, ordering: .relaxed).newValue
        let shards = shards
        for shard in shards {
            shard.eventLoop.execute { shard.value.addTap(id, filter: filter, every: every, LiveReader(continuation: continuation)) }
        }
        continuation.onTermination = { reason in
            guard case .cancelled = reason else { return }
            for shard in shards { shard.eventLoop.execute { shard.value.removeTap(id) } }
        }
        return stream
    }
}
