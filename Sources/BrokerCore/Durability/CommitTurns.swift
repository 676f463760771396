import DequeModule
import MQTTCodec
import NIOCore

/// What a shard has changed, what of it is on disk, and who waits for that (record 0018).
///
/// A turn of the shard gathers one batch, which has the turn's number. What the turn handed to other shards ends with a question for the
/// number, and each of them answers when all that it changed for it is on disk. An answer to a client waits for the batch of its turn, for
/// the shards that were handed something for it, for both, or for nothing.
///
/// A shard without a store has none of this.
final class CommitTurns {
    let store: any SessionStore
    private let id: ShardID
    /// Whether answers wait for the disk.
    let isStrict: Bool
    /// Number of the turn that is open.
    private(set) var turn: UInt64 = 1
    private(set) var committed: UInt64 = 0
    private(set) var batch: ChangeBatch
    /// Whether the disk takes nothing now.
    var isFailing = false
    /// Changes of each batch that is not on disk.
    private var underWay = Deque<(number: UInt64, changes: Int, bytes: Int)>()
    /// Changes of turns that are over and not on disk, and the bytes of the messages among them.
    private(set) var waitingChanges = 0
    private(set) var waitingBytes = 0
    /// Of the messages of the open turn.
    private var bodyBytes = 0

    /// What the packet at hand, or the message of another shard, has led to.
    private(set) var touched = CommitNeed()
    /// By shard: what all that it handed over since its last question has led to, a need for each turn of this shard.
    private var handed: [[CommitNeed]]

    /// Shards that were handed something in this turn that may have to be on disk.
    private var told = ShardSet()
    /// By shard: turns for which it has not answered yet, in order.
    private var unsettled: [Deque<UInt64>]
    /// Turns of other shards that wait for an answer.
    private var owed: [(peer: ShardID, turn: UInt64, needs: [CommitNeed])] = []

    /// Clients whose kept session has ended, with the turn of it, until that is on disk.
    private var endings: [ExactText: UInt64] = [:]
    private var endingsInOrder = Deque<(turn: UInt64, clientID: ExactText, epoch: UInt64)>()

    /// What was handed over for sessions, oldest first, with the turn of it.
    private var handOvers = Deque<(turn: UInt64, id: HandOverID)>()
    private let others: ShardSet

    /// Connections with answers that wait, or that may not be sent anything.
    var waiting: [ClientConnection] = []
    /// What the rest of the program has published and waits for.
    var routed: [WaitingPublish] = []

    init(_ store: any SessionStore, of id: ShardID, shardCount: Int, isStrict: Bool) {
        self.store = store
        self.id = id
        self.isStrict = isStrict
        batch = ChangeBatch(shard: id, number: 1)
        handed = Array(repeating: [], count: shardCount)
        unsettled = Array(repeating: [], count: shardCount)
        var others = ShardSet()
        for index in 0..<shardCount where index != id.index { others.insert(ShardID(index)) }
        self.others = others
    }

    // MARK: Recording

    /// Something else is looked at from here on.
    func begin() { touched = CommitNeed(turn: turn) }

    func record(_ change: StoreChange) {
        batch.changes.append(change)
        touched.own = true
        touched.turn = turn
    }

    func recordRetained() {
        batch.changesRetained = true
        touched.own = true
        touched.turn = turn
    }

    /// Whether something was not kept that should be, because the disk takes nothing; for what programs publish, nobody else waits for it.
    var hasUnkept = false

    func recordOfRules() {
        batch.followsRecords = true
        touched.own = true
        touched.turn = turn
    }

    /// The place of a message among those of this turn.
    func body(_ message: Message) -> Int {
        batch.bodies.append(message)
        bodyBytes += message.size
        return batch.bodies.count - 1
    }

    func noteEnd(of clientID: String, epoch: UInt64) {
        endings[ExactText(clientID)] = turn
        endingsInOrder.append((turn, ExactText(clientID), epoch))
    }

    /// The turn in which a kept session of the client has ended, if that is not on disk.
    func pendingEnd(of clientID: String) -> UInt64? { endings.isEmpty ? nil : endings[ExactText(clientID)] }

    /// What is at hand is over when that end is on disk.
    func touchEnd(of clientID: String) {
        guard let ended = pendingEnd(of: clientID) else { return }
        // The open turn may have nothing that would ever end it.
        if touched.isNone { touched.turn = ended }
        touched.own = true
    }

    /// Another shard is handed something that it may have to keep.
    func tell(_ peer: ShardID) {
        told.insert(peer)
        touched.peers.insert(peer)
        touched.turn = turn
    }

    /// Counts what has not been kept in this turn as kept: it follows from what is at hand, and comes later in the turn.
    func touchAll() {
        touched.turn = turn
        touched.own = true
        for peer in unsettled.indices where peer != id.index { touched.peers.insert(ShardID(peer)) }
    }

    /// Adds what one message of another shard has led to.
    func gather(for peer: ShardID) {
        if touched.isNone { return }
        if let last = handed[peer.index].indices.last, handed[peer.index][last].turn == touched.turn {
            return handed[peer.index][last].formUnion(touched)
        }
        // Whoever hands over what nobody waits for asks no question.
        handed[peer.index].removeAll(where: isMet)
        handed[peer.index].append(touched)
    }

    /// A message is on its way that is kept until those who are handed it in this turn have it on disk.
    func awaitTaking(of id: HandOverID) { handOvers.append((turn, id)) }

    /// What has arrived since the last call.
    func takeHandedOver() -> [HandOverID] {
        var arrived: [HandOverID] = []
        while let first = handOvers.first, isMet(CommitNeed(turn: first.turn, own: true, peers: others)) {
            arrived.append(first.id)
            handOvers.removeFirst()
        }
        return arrived
    }

    // MARK: Turns

    /// Ends the turn: what other shards are to be asked, and the batch for the store if there is one.
    func close() -> (told: ShardSet, turn: UInt64, batch: ChangeBatch?) {
        let closed = turn
        let asked = told
        var shards = told
        while let shard = shards.popFirst() { unsettled[shard.index].append(closed) }
        told = ShardSet()
        turn += 1
        guard !batch.isEmpty else {
            batch.number = turn
            return (asked, closed, nil)
        }
        var full = ChangeBatch(shard: id, number: turn)
        swap(&full, &batch)
        let changes = full.changes.count + 1
        underWay.append((closed, changes, bodyBytes))
        waitingChanges += changes
        waitingBytes += bodyBytes
        bodyBytes = 0
        return (asked, closed, full)
    }

    func mustWait(for publish: WaitingPublish) -> Bool { isStrict && !isFailing && !publish.needs.allSatisfy(isMet) }

    /// Whether all is on disk that it led to and that has to be.
    func isKept(_ publish: WaitingPublish) -> Bool { !isStrict || !publish.hasUnkept && publish.needs.allSatisfy(isMet) }

    /// The receipts of what need not wait any more.
    func takeRouted() -> [(receipt: UInt64, isKept: Bool)] {
        guard !routed.isEmpty else { return [] }
        let over = routed.filter { !mustWait(for: $0) }.map { ($0.receipt, isKept($0)) }
        if !over.isEmpty { routed.removeAll { !mustWait(for: $0) } }
        return over
    }

    /// Whether anybody waits for the end of a turn.
    var isWaitedFor: Bool { !waiting.isEmpty || !routed.isEmpty }

    /// Whether the open turn has anything to hand over.
    var hasWork: Bool { !batch.isEmpty || !told.isEmpty }

    // MARK: What is met

    func isMet(_ need: CommitNeed) -> Bool {
        if need.isNone { return true }
        if need.turn >= turn { return false }
        // A turn that kept nothing has no batch of its own.
        if need.own, let first = underWay.first, first.number <= need.turn { return false }
        var peers = need.peers
        while let peer = peers.popFirst() {
            if unsettled[peer.index].contains(need.turn) { return false }
        }
        return true
    }

    /// Answers the sessions whose end is on disk now.
    func commit(upTo number: UInt64) -> [(clientID: ExactText, epoch: UInt64)] {
        committed = max(committed, number)
        var ended: [(clientID: ExactText, epoch: UInt64)] = []
        while let first = endingsInOrder.first, first.turn <= number {
            endingsInOrder.removeFirst()
            ended.append((first.clientID, first.epoch))
            if endings[first.clientID] == first.turn { endings[first.clientID] = nil }
        }
        while let first = underWay.first, first.number <= number {
            waitingChanges -= first.changes
            waitingBytes -= first.bytes
            underWay.removeFirst()
        }
        return ended
    }

    /// A shard has all on disk that it changed for what it was handed in this turn.
    func settle(_ turn: UInt64, by peer: ShardID) {
        if let place = unsettled[peer.index].firstIndex(of: turn) { unsettled[peer.index].remove(at: place) }
    }

    /// A shard asks for the end of what it handed over.
    ///
    /// Answers whether it may be told at once.
    func owe(_ turn: UInt64, to peer: ShardID) -> Bool {
        let needs = handed[peer.index].filter { !isMet($0) }
        handed[peer.index].removeAll(keepingCapacity: true)
        if needs.isEmpty { return true }
        owed.append((peer, turn, needs))
        return false
    }

    /// Questions that can be answered now.
    func takeSettled() -> [(peer: ShardID, turn: UInt64)] {
        guard !owed.isEmpty else { return [] }
        var ready: [(peer: ShardID, turn: UInt64)] = []
        owed.removeAll { question in
            guard question.needs.allSatisfy(isMet) else { return false }
            ready.append((question.peer, question.turn))
            return true
        }
        return ready
    }
}
