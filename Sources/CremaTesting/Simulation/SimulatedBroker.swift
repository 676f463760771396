package import BrokerCore
package import NIOCore

/// Shards without sockets, on a virtual clock.
///
/// Nothing moves by itself: the test decides which hand-off, which bytes and which deadline comes next, so that every interleaving that
/// real event loops could produce can be played, and played again.
package final class SimulatedBroker {
    package let directory: SessionDirectory
    package let retained: RetainedStore
    /// What outlives the process, if there is such a thing.
    package let store: SimulatedStore?
    package let admission: Admission
    package private(set) var now: Instant
    package private(set) var nodes: [SimulatedShard] = []
    private let mail: SimulatedMail
    /// What the shards reported, in order.
    package var events: [BrokerEvent] { nodes.flatMap(\.events) }

    package init(
        shards: Int, limits: BrokerLimits = BrokerLimits(), authorizer: any Authorizer = ListenerAuthorizer(),
        rules: (any MessageRules)? = nil, store: SimulatedStore? = nil,
        durability: Durability = .strict, now: Instant = Instant(nanoseconds: 0)
    ) {
        directory = SessionDirectory(sessionsMax: limits.sessionsMax)
        retained = RetainedStore(limits: limits, isKept: store != nil)
        self.store = store
        self.now = now
        admission = Admission(limits: limits)
        let mail = SimulatedMail(shards: shards)
        self.mail = mail
        for index in 0..<shards { nodes.append(SimulatedShard(ShardID(index), mail)) }
        for node in nodes {
            node.shard = Shard(
                id: node.id, shardCount: shards, limits: limits, transport: node, authorizer: authorizer, directory: directory,
                retained: retained, admission: admission, rules: rules, now: now,
                store: store, durability: durability)
        }
        if let store { restore(from: store, shards: shards) }
    }

    private func restore(from store: SimulatedStore, shards: Int) {
        let parts = store.start(retained: retained).parts(for: shards, enteredIn: directory)
        for (node, part) in zip(nodes, parts) {
            node.core.restore(part, now: now)
            node.turnIsOpen = false
            node.core.endTurn(now: now)
        }
        settle()
        for node in nodes { node.core.beginTime(now: now) }
    }

    /// Takes other limits, as a broker does after a reload.
    package func take(_ limits: BrokerLimits) {
        retained.take(limits)
        admission.take(limits)
        directory.take(sessionsMax: limits.sessionsMax)
        for node in nodes { node.core.take(limits) }
    }

    /// The disk takes nothing any more, or takes something again.
    package func setFailing(_ isFailing: Bool) {
        for node in nodes { node.core.storeProgressed(isFailing ? .failing : .recovered, now: now) }
    }

    /// The process is gone, with what is not on disk: another one begins with the rest.
    package func afterCrash(
        shards: Int, limits: BrokerLimits = BrokerLimits(), authorizer: any Authorizer = ListenerAuthorizer()
    ) -> SimulatedBroker {
        SimulatedBroker(shards: shards, limits: limits, authorizer: authorizer, store: store?.afterCrash(), now: now)
    }

    /// The sessions of all shards.
    package func clientSummaries() -> [ClientSummary] { nodes.flatMap { $0.core.clientSummaries() } }

    /// Puts what was handed to the store on disk, or the first batches of it, and tells the shards.
    package func commit(atMost batches: Int = .max) {
        guard let store else { return }
        for (shard, number) in store.commit(atMost: batches, retained: retained) {
            nodes[shard.index].core.storeProgressed(.committed(upTo: number), now: now)
        }
    }

    deinit {
        // A shard and its transport hold each other, and so do a connection and its session while they last. A campaign of a million worlds
        // has no room for those that are over.
        for node in nodes {
            for socket in node.sockets.values { node.core.transportClosed(socket.connection, reason: .closedByPeer, now: now) }
        }
        // Other shards have to hear of it.
        settle()
        for node in nodes {
            node.shard = nil
            node.sockets = [:]
        }
    }

    /// Opens a connection at a shard.
    package func connect(at shard: Int, info: ConnectionInfo) -> SimulatedSocket {
        let node = nodes[shard]
        let socket = SimulatedSocket(node: node, connection: node.core.accepted(info, now: now))
        node.sockets[socket.connection.id] = socket
        return socket
    }

    package func receive(_ bytes: ByteBuffer, from socket: SimulatedSocket) {
        takeMail(of: socket.node)
        if socket.isClosed { return }
        socket.node.core.received(bytes, on: socket.connection, now: now)
    }

    /// The peer is gone: what the broker has sent and the client has not read is lost with it.
    package func lose(_ socket: SimulatedSocket) {
        takeMail(of: socket.node)
        if socket.isClosed { return }
        socket.isClosed = true
        socket.node.core.transportClosed(socket.connection, reason: .closedByPeer, now: now)
        socket.node.sockets[socket.connection.id] = nil
    }

    package func setWritable(_ socket: SimulatedSocket, _ isWritable: Bool) {
        socket.acceptsBytes = isWritable
        if !socket.isClosed { socket.node.core.transportWritable(socket.connection, isWritable, now: now) }
    }

    /// Lets a shard go on with work that it left for later, and ends its turn if one is open.
    package func endTurn(of shard: Int) {
        let node = nodes[shard]
        if node.workIsUnderWay {
            node.workIsUnderWay = false
            node.core.continueWork(now: now)
        }
        guard node.turnIsOpen else { return }
        node.turnIsOpen = false
        node.core.endTurn(now: now)
    }

    /// Delivers the oldest batch that others handed to a shard.
    ///
    /// Answers false when there is none.
    package func deliverHandOff(to shard: Int) -> Bool {
        if mail.boxes[shard].isEmpty { return false }
        let (sender, messages) = mail.boxes[shard].removeFirst()
        nodes[shard].core.peerMessages(messages, from: sender, now: now)
        return true
    }

    /// What others have handed to a shard and is still under way.
    package func handOffs(to shard: Int) -> [ShardMessage] { mail.boxes[shard].flatMap(\.messages) }

    /// A shard that reads from a socket, or meets a deadline, has taken before what others handed to it: so the server keeps it.
    private func takeMail(of node: SimulatedShard) {
        while deliverHandOff(to: node.id.index) {}
    }

    /// Moves the clock, and fires what is due on the way.
    package func advance(seconds: Double) {
        now = now.advanced(bySeconds: seconds)
        for node in nodes {
            while let deadline = node.deadline, deadline <= now {
                node.deadline = nil
                takeMail(of: node)
                node.core.deadlineReached(now: now)
            }
        }
    }

    /// Whether nothing is under way inside the broker: no turn is open, no hand-off has still to arrive, and no client waits to be read.
    package var isSettled: Bool {
        mail.boxes.allSatisfy(\.isEmpty) && store?.hasWaiting != true
            && nodes.allSatisfy { node in
                !node.turnIsOpen && !node.workIsUnderWay && node.checks.isEmpty && node.sockets.values.allSatisfy(\.isRead)
            }
    }

    /// Carries out the check of one of the proofs that wait at a shard, and tells the shard.
    ///
    /// Answers false when there is none.
    package func answerCheck(of shard: Int, at place: Int = 0) -> Bool {
        let node = nodes[shard]
        guard place < node.checks.count else { return false }
        let (connection, check) = node.checks.remove(at: place)
        takeMail(of: node)
        let checked = check.run()
        if case .proved = checked { check.answered() }
        node.core.credentialChecked(checked, slot: connection.slot, connectionID: connection.id, now: now)
        return true
    }

    /// Ends turns and delivers hand-offs until nothing moves, checks proofs and writes to the disk, unless these are to wait.
    package func settle(committing: Bool = true, checking: Bool = true) {
        var moved = true
        while moved {
            moved = false
            for index in nodes.indices {
                if nodes[index].turnIsOpen || nodes[index].workIsUnderWay {
                    endTurn(of: index)
                    moved = true
                }
                while deliverHandOff(to: index) { moved = true }
                while checking, answerCheck(of: index) { moved = true }
            }
            if committing, store?.hasWaiting == true {
                commit()
                moved = true
            }
        }
    }
}

/// What shards have handed to each other and is still under way: for each receiver in the order of handing over, whoever did it.
private final class SimulatedMail {
    var boxes: [[(sender: ShardID, messages: [ShardMessage])]]

    init(shards: Int) { boxes = Array(repeating: [], count: shards) }
}

/// One shard with its transport.
package final class SimulatedShard: ShardTransport {
    package let id: ShardID
    fileprivate(set) var shard: Shard?
    package fileprivate(set) var turnIsOpen = false
    package fileprivate(set) var workIsUnderWay = false
    package fileprivate(set) var deadline: Instant?
    /// Proofs that wait to be checked, as they came.
    package fileprivate(set) var checks: [(connection: ClientConnection, check: any CredentialCheck)] = []
    private let mail: SimulatedMail
    package private(set) var events: [BrokerEvent] = []
    /// Of what was published by the program, as it was routed.
    package private(set) var receipts: [UInt64] = []
    /// Those of them that are not on disk as they should be.
    package private(set) var unkept: [UInt64] = []
    package private(set) var traced: [(trace: UInt64, step: TracedStep)] = []
    package private(set) var tapped: [(tap: UInt64, message: Message, publisher: Publisher)] = []
    fileprivate var sockets: [UInt64: SimulatedSocket] = [:]

    fileprivate init(_ id: ShardID, _ mail: SimulatedMail) {
        self.id = id
        self.mail = mail
    }

    package var core: Shard {
        guard let shard else { preconditionFailure("SimulatedBroker gives every node its shard") }
        return shard
    }

    package func turnNeedsEnd() { turnIsOpen = true }

    package func workLater() { workIsUnderWay = true }

    package func send(_ bytes: ByteBuffer, on connection: ClientConnection) -> Bool {
        guard let socket = sockets[connection.id] else { return true }
        socket.toClient.writeImmutableBuffer(bytes)
        socket.whenSent?()
        return socket.acceptsBytes
    }

    package func close(_ connection: ClientConnection, because reason: CloseReason) {
        guard let socket = sockets.removeValue(forKey: connection.id) else { return }
        socket.isClosed = true
    }

    package func setReading(_ isReading: Bool, on connection: ClientConnection) { sockets[connection.id]?.isRead = isReading }

    package func check(_ check: any CredentialCheck, of connection: ClientConnection) { checks.append((connection, check)) }

    package func abandonCheck(of connection: ClientConnection) { checks.removeAll { $0.connection === connection } }

    package func published(_ receipt: UInt64, isKept: Bool) {
        receipts.append(receipt)
        if !isKept { unkept.append(receipt) }
    }

    package func handOff(_ messages: [ShardMessage], to shard: ShardID) { mail.boxes[shard.index].append((id, messages)) }

    package func setDeadline(_ deadline: Instant) { self.deadline = min(self.deadline ?? deadline, deadline) }

    package func report(_ event: BrokerEvent) { events.append(event) }

    package func traced(_ trace: UInt64, _ step: TracedStep) { traced.append((trace, step)) }
    package func tapped(_ tap: UInt64, message: Message, publisher: Publisher, skipped: UInt64) { tapped.append((tap, message, publisher)) }
}

/// The broker's end of one connection.
package final class SimulatedSocket {
    package let node: SimulatedShard
    package let connection: ClientConnection
    /// What the broker wrote and the client has not read yet.
    ///
    /// Stays readable after the broker closed.
    package var toClient = ByteBuffer()
    package fileprivate(set) var isClosed = false
    package var acceptsBytes = true
    /// Called when bytes have left for the client, which may act on them before the shard does anything else.
    package var whenSent: (() -> Void)?
    /// Whether the broker reads what the client sends.
    package fileprivate(set) var isRead = true

    fileprivate init(node: SimulatedShard, connection: ClientConnection) {
        self.node = node
        self.connection = connection
    }
}
