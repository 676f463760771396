import DequeModule
import HeapModule
import MQTTCodec
package import NIOCore

/// The broker on one event loop: connections, sessions, subscriptions, and what passes between them.
///
/// Sans-IO: it is told what happened (`received`, `transportClosed`, `deadlineReached`, `peerMessages`) with the time of it, and acts
/// through its ``ShardTransport``. It touches no socket, clock, disk or log. Not Sendable: one event loop, or one test, owns it.
package final class Shard {
    package let id: ShardID
    let peers: [ShardID]
    // Internal, as all that ``take(_:)`` replaces, so that the optimizer sees every access.
    var limits: BrokerLimits
    var standardLimits: ConnectionLimits
    var awsLimits: ConnectionLimits
    unowned let transport: any ShardTransport
    let authorizer: any Authorizer
    let directory: SessionDirectory
    let retained: RetainedStore
    let admission: Admission
    var rules: (any MessageRules)?
    /// What is on its way to the store; `nil` when everything is kept in memory only.
    let turns: CommitTurns?

    var now: Instant
    var index = TopicIndex()
    var routes: RouteTable
    var topics: TopicLedger
    var counters = ShardCounters()
    var tally = DeliveryTally()
    var listenerCounters: [String: ListenerCounters] = [:]
    var sessions = SessionTable()
    var connections: [ClientConnection?] = []
    var freeSlots: [Int] = []
    /// Connections that hold a session here while their socket is on another shard, by the id that the other shard gave them.
    var adopted: [UInt64: ClientConnection] = [:]
    /// Connections whose socket is here while their session is on another shard.
    var relays: [UInt64: ClientConnection] = [:]
    private var lastConnectionNumber: UInt64 = 0
    static let deadlinesSweptMin = 1_024

    /// Connections with something to send at the end of the turn.
    var dirty: [ClientConnection] = []
    /// By ``FrameForm/index``: what several connections get at QoS 0 in this turn.
    var sharedFrames = (0..<FrameForm.count).map { _ in SharedFrames() }
    private var outboxes: [[ShardMessage]]
    /// Other shards have still to be told something that clients must not be answered before.
    private var owesPeers = false
    /// By shard: of which sessions it says that they have got a message.
    let cells: [ShardSet]
    /// What leaves only behind the batch of this turn.
    var afterTurn: [(shard: ShardID, message: ShardMessage)] = []
    /// Found at start, and gone on with when time begins.
    var restoredHandOvers: [RestoredHandOver] = []
    var restoredEndings: [RestoredSession] = []
    private var turnIsOpen = false
    /// Messages by rules and by the broker, published one after another and never inside each other.
    var ownMessages = Deque<Message>()
    private var isPublishingOwn = false
    /// What the rest of the program publishes, and there is no room for now.
    var waitingPublishes = Deque<WaitingPublish>()
    var isRoutingForProgram = false
    /// Whether they wait until there is room.
    var programsAreHeld = false
    /// Whether those go before the clients that wait, this time.
    private var publishesGoFirst = false
    /// Others were told that what they have for this shard goes on to one that has too much to do.
    var isRelayFull = false

    var deadlines = Heap<Deadline>()
    /// At this many deadlines, those of what is gone are thrown out.
    var deadlinesUntilSweep = Shard.deadlinesSweptMin
    /// When retained messages are to be looked through for expired ones.
    var retainedSweepAt: Instant?
    var announcements = InterestAnnouncements()
    var taps: [Tap] = []
    /// Another number with each change of `taps`; 0 before the first.
    var tapsVersion: UInt64 = 0
    var traces: [ClientTrace] = []
    /// Whether `BrokerEvent.lifecycle` is wanted.
    package var reportsLifecycle = false
    /// Takes the steps of traces; `nil` where messages are forwarded with the trace that they came with.
    package var spans: (any SpanRecorder)?
    /// The step that the message at hand is in somebody's trace, until it is told of: above which one, and when it began.
    var following: (parent: TraceParent, began: Int64)?

    /// Connections whose sockets are gone, with much that came before.
    var leaving = Deque<(connection: ClientConnection, reason: CloseReason)>()
    /// Sessions that have ended, with subscriptions that are still in the index.
    var abandoned = Deque<Session>()
    /// How many filters may still leave the index with their sessions before others are waited for.
    var filterShare = Shard.filtersPerTurn
    /// What changes of the index have cost, in its nodes.
    var changes: UInt64 = 0
    /// More was due at once than one turn had time for.
    var isBehindTime = false
    /// Sessions that are owed more retained messages than the last turn had time for.
    var owedLater = Deque<Session>()
    /// How many retained messages may still be sent before others are waited for.
    var retainedShare = Shard.retainedPerTurn
    var lastRetainedLookup: RetainedLookup?
    /// When clients have waited long enough for a disk that takes nothing.
    var storePatienceAt: Instant?
    /// How many messages this shard has retained, and others as far as what they handed over tells.
    var retainedSeen: RetainedMarks
    /// What of that the others were told.
    var retainedTold: RetainedMarks
    var workIsUnderWay = false

    // What waits for slow clients, and who waits for them.
    var queuedBytes = 0
    var stuckBytes = 0
    /// Bytes kept of those who have not said who they are.
    var strangersBytes = 0
    var connectBytesShare: Int
    var queueBytesShare: Int
    var outboundBytesShare: Int
    var subscriptionsShare: Int
    var filterLevelsShare: Int
    var inboxBytesShare: Int
    /// Of packets of clients that are connected, whose end has not come.
    var inboxBytes = 0
    var willBytesShare: Int
    /// Of the wills of this shard's sessions.
    var willBytes = 0
    var awaitingPubrelShare: Int
    /// QoS 2 messages of all sessions that wait for PUBREL, beyond the first of each.
    var awaitingPubrel = 0
    var waitedFor = 0
    var congestedPeers = ShardSet()
    var held: [ClientConnection] = []
    /// Those whose session is on a shard with too much to do.
    var heldRelays: [ClientConnection] = []
    var handOffs: HandOffs
    /// Nodes of the index that were visited, as far as they are charged to somebody.
    private var visitsCharged: UInt64 = 0
    /// Connections whose packets cost so much that others go before the rest of them.
    var paused = Deque<ClientConnection>()
    /// The connection whose packets are being processed: what it publishes may have to wait.
    var publisher: ClientConnection?
    /// Connections that are closed at the end of the turn.
    var doomed: [(connection: ClientConnection, reason: CloseReason)] = []

    /// Makes one of the broker's `shardCount` shards; they know each other by index.
    package init(
        id: ShardID, shardCount: Int, limits: BrokerLimits, transport: any ShardTransport, authorizer: any Authorizer,
        directory: SessionDirectory, retained: RetainedStore, admission: Admission, rules: (any MessageRules)?, now: Instant,
        store: (any SessionStore)? = nil, durability: Durability = .strict
    ) {
        self.id = id
        self.limits = limits
        standardLimits = ConnectionLimits(limits)
        awsLimits = ConnectionLimits(limits.adapted(to: .aws))
        self.transport = transport
        connectBytesShare = limits.connectBytesInAllMax / shardCount
        queueBytesShare = limits.queueBytesInAllMax / shardCount
        outboundBytesShare = limits.outboundBytesInAllMax / shardCount
        handOffs = HandOffs(bytesMax: limits.handOffBytesMax, shardCount: shardCount)
        inboxBytesShare = limits.inboxBytesInAllMax / shardCount
        filterLevelsShare = limits.filterLevelsInAllMax / shardCount
        subscriptionsShare = limits.subscriptionsInAllMax / shardCount
        willBytesShare = limits.willBytesInAllMax / shardCount
        awaitingPubrelShare = limits.awaitingPubrelInAllMax / shardCount
        self.authorizer = authorizer
        self.directory = directory
        self.retained = retained
        self.admission = admission
        self.rules = rules
        turns = store.map { CommitTurns($0, of: id, shardCount: shardCount, isStrict: durability == .strict) }
        self.now = now
        cells = (0..<shardCount).map { ShardSet(cellsOf: ShardID($0), among: shardCount) }
        peers = (0..<shardCount).map { ShardID($0) }.filter { $0 != id }
        outboxes = Array(repeating: [], count: shardCount)
        (retainedSeen, retainedTold) = (RetainedMarks(shardCount: shardCount), RetainedMarks(shardCount: shardCount))
        routes = RouteTable(weightMax: limits.routeRecipientsMax)
        topics = TopicLedger(topicsTrackedMax: limits.topicsTrackedMax, sampleBytesMax: limits.topicSampleBytesMax)
        if let rules { index.setRules(rules.topicFilters) }
    }

    /// Takes new device rules, as after a reload.
    package func setRules(_ rules: any MessageRules) {
        self.rules = rules
        index.setRules(rules.topicFilters)
    }

    // MARK: Turns

    /// Something is to leave at the end of this turn.
    func openTurn() {
        if turnIsOpen { return }
        turnIsOpen = true
        transport.turnNeedsEnd()
    }

    func markDirty(_ connection: ClientConnection) {
        if connection.isDirty || !connection.isWritable { return }
        connection.isDirty = true
        dirty.append(connection)
        openTurn()
    }

    func tell(_ shard: ShardID, _ message: ShardMessage) {
        tellInThisTurn(shard, message)
        openTurn()
    }

    /// As ``tell(_:_:)``, of a turn that is ending.
    func tellInThisTurn(_ shard: ShardID, _ message: ShardMessage) {
        outboxes[shard.index].append(message)
        owesPeers = true
    }

    /// Hands over what gathered for other shards, before a client can learn from an answer, or from the end of its connection, that its
    /// messages were accepted: what it publishes then, on whatever shard, comes after them everywhere [MQTT-4.6.0-6] [MQTT5-4.6.0-6].
    package func handOff() {
        guard owesPeers else { return }
        owesPeers = false
        handOffAll()
    }

    private func handOffAll() {
        for peer in peers where !outboxes[peer.index].isEmpty {
            if let message = untoldRetained(to: peer) { outboxes[peer.index].append(message) }
            var batch: [ShardMessage] = []
            swap(&batch, &outboxes[peer.index])
            transport.handOff(batch, to: peer)
        }
    }

    /// Sends what gathered since the last call: one write per connection, one batch per shard.
    package func endTurn(now: Instant) {
        self.now = now
        turnIsOpen = false
        filterShare = Self.filtersPerTurn
        endDoomed()
        // One before the other in turns, so that neither takes all the room that there is each time.
        publishesGoFirst.toggle()
        if publishesGoFirst { continuePublishing() }
        releasePublishers()
        if !publishesGoFirst { continuePublishing() }
        publishOwnMessages()
        closeTurn()  // what it asks other shards goes to them with the rest of the turn
        var connections: [ClientConnection] = []
        swap(&connections, &dirty)
        for connection in connections {
            connection.isDirty = false
            flush(connection)
            connection.outbound.unshare()
        }
        beginSharedFrames()
        handOffAll()
        owesPeers = false
        tally.endTurn(now: now)
        connections.removeAll(keepingCapacity: true)
        if dirty.isEmpty { swap(&connections, &dirty) }  // keeps the array's storage
    }

    /// The will of one that ends may doom others.
    private func endDoomed() {
        while !doomed.isEmpty {
            var ending: [(connection: ClientConnection, reason: CloseReason)] = []
            swap(&ending, &doomed)
            for (connection, reason) in ending { end(connection, reason: reason, closingTransport: true) }
        }
    }

    /// Nothing of this turn is at the end of what is shared any more; the storage is kept where no connection still has its bytes there.
    private func beginSharedFrames() {
        for index in sharedFrames.indices where !sharedFrames[index].isEmpty {
            if isKnownUniquelyReferenced(&sharedFrames[index]) {
                sharedFrames[index].removeAll()
            } else {
                sharedFrames[index] = SharedFrames()
            }
        }
    }

    /// Hands the connection's bytes to its socket, or to the shard that has the socket.
    func flush(_ connection: ClientConnection) {
        guard connection.isWritable, connection.outbound.count > 0, connection.held.gate == nil else { return }
        handOff()
        let bytes = connection.outbound.take()
        connection.unreadAnswerBytes = 0
        if connection.isTraced { traceSent(bytes, on: connection) }
        switch connection.link {
        case .local:
            counters.bytesSent &+= UInt64(bytes.readableBytes)
            connection.listener.figures.bytesSent &+= UInt64(bytes.readableBytes)
            connection.isWritable = transport.send(bytes, on: connection)
        case .remote(let shard, let id):
            outboxes[shard.index].append(.relaySend(id: id, bytes: bytes))  // an answer itself: nothing has to go before others
            openTurn()
        }
    }

    // MARK: Transport events

    /// A socket was accepted, and its TLS handshake, if it has one, is complete.
    package func accepted(_ info: ConnectionInfo, now: Instant) -> ClientConnection {
        self.now = now
        counters.connectionsAccepted += 1
        let connection = makeConnection(info)
        connection.listener.figures.accepted &+= 1
        connection.listener.figures.connected += 1
        scheduleConnect(of: connection)
        return connection
    }

    func makeConnection(_ info: ConnectionInfo) -> ClientConnection {
        lastConnectionNumber += 1
        let slot = freeSlots.popLast() ?? connections.count
        let number = lastConnectionNumber * UInt64(ShardSet.capacity) + UInt64(id.index)
        let dialectLimits = info.terms.dialect == .aws ? awsLimits : standardLimits
        let connection = ClientConnection(
            id: number, slot: slot, info: info, listener: counters(ofListener: info.listener), limits: dialectLimits, openedAt: now)
        if slot == connections.count { connections.append(connection) } else { connections[slot] = connection }
        return connection
    }

    package func received(_ bytes: ByteBuffer, on connection: ClientConnection, now: Instant) {
        self.now = now
        counters.bytesReceived &+= UInt64(bytes.readableBytes)
        connection.listener.figures.bytesReceived &+= UInt64(bytes.readableBytes)
        if case .relaying(let shard, _) = connection.phase {
            handOver(.relayReceived(id: connection.id, bytes: bytes), bytes: bytes.readableBytes, to: shard)
            if handOffs.full.contains(shard) { holdRelay(connection) }
            return
        }
        process(bytes, on: connection)
        publishOwnMessages()
    }

    /// The socket is gone, whoever closed it.
    package func transportClosed(_ connection: ClientConnection, reason: CloseReason, now: Instant) {
        self.now = now
        if case .relaying(let shard, _) = connection.phase {
            passOnClose(of: connection, reason, to: shard)
            return
        }
        finishIntake(of: connection, reason)
        publishOwnMessages()
    }

    /// The socket takes more bytes, or no more for now.
    package func transportWritable(_ connection: ClientConnection, _ isWritable: Bool, now: Instant) {
        self.now = now
        guard connection.isWritable != isWritable else { return }
        connection.isWritable = isWritable
        if case .relaying(let shard, _) = connection.phase { tell(shard, .relayWritable(id: connection.id, isWritable)) }
        if isWritable { resumeSending(on: connection) }
    }

    func resumeSending(on connection: ClientConnection) {
        forgetStuck(connection)
        countLateDeliveries(on: connection)
        drainBacklog(of: connection)
        if let session = connection.session { pump(session) }
        if connection.outbound.count > 0 { markDirty(connection) }
        checkPace(of: connection)
    }

    /// Nodes of the index that were visited since the last call.
    func takeVisits() -> Int {
        defer { visitsCharged = index.visits }
        return Int(clamping: index.visits - visitsCharged)
    }

    // MARK: The broker's own messages

    /// Publishes as the broker itself, at the topic's home shard, so that messages on one topic keep their order wherever they come from.
    package func publish(_ message: Message, now: Instant) {
        self.now = now
        enqueueOwn(message)
        publishOwnMessages()
    }

    func enqueueOwn(_ message: Message) {
        var message = message
        message.noteAccepted(at: now)
        let home = Self.home(of: message.topic, shardCount: peers.count + 1)
        if home == id { return ownMessages.append(message) }
        handOver(message, to: home, as: .publish(message))
    }

    func publishOwnMessages() {
        if isPublishingOwn { return }
        isPublishingOwn = true
        defer { isPublishingOwn = false }
        while let message = ownMessages.popFirst() { accept(message, from: Publisher(clientID: nil, principal: nil)) }
    }

    /// The shard that publishes the broker's own messages on a topic (FNV-1a over its bytes: the same in every process).
    package static func home(of topic: ByteBuffer, shardCount: Int) -> ShardID {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in topic.readableBytesView { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return ShardID(Int(hash % UInt64(shardCount)))
    }
}
