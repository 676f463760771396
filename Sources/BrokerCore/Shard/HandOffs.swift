/// What other shards were handed and have not worked off: publishers wait while that is too much.
///
/// A mark follows each part of what is handed over. The other shard answers it when it comes to it, so it has worked off all before it.
struct HandOffs {
    /// Bytes that a message counts beside its own.
    static let messageBytes = 64

    private let bytesMax: Int
    /// By shard: bytes on their way, and how many of them came after the last mark.
    private var underWay: [(bytes: Int, unmarked: Int)]
    /// Shards that have as much to do as they may.
    private(set) var full = ShardSet()

    init(bytesMax: Int, shardCount: Int) {
        self.bytesMax = max(bytesMax, 1)
        underWay = Array(repeating: (0, 0), count: shardCount)
    }

    /// Counts what a shard is handed.
    ///
    /// Answers the mark that is to follow, if it is time for one.
    mutating func add(_ bytes: Int, for shard: ShardID) -> Int? {
        underWay[shard.index].bytes += bytes
        underWay[shard.index].unmarked += bytes
        if underWay[shard.index].bytes > bytesMax { full.insert(shard) }
        guard underWay[shard.index].unmarked >= max(1, bytesMax / 4) else { return nil }
        defer { underWay[shard.index].unmarked = 0 }
        return underWay[shard.index].unmarked
    }

    /// A shard has come to a mark.
    ///
    /// Answers whether it takes more now, and did not before.
    mutating func worked(off bytes: Int, by shard: ShardID) -> Bool {
        underWay[shard.index].bytes -= bytes
        guard full.contains(shard), underWay[shard.index].bytes <= bytesMax / 2 else { return false }
        full.remove(shard)
        return true
    }
}

extension Shard {
    /// Hands a message over that costs the other shard work, and this one room until then.
    func handOver(_ message: ShardMessage, bytes: Int, to shard: ShardID) {
        tell(shard, message)
        if let mark = handOffs.add(bytes + HandOffs.messageBytes, for: shard) { tell(shard, .mark(bytes: mark)) }
    }

    func handOver(_ message: Message, to shard: ShardID, as handedOver: ShardMessage) {
        handOver(handedOver, bytes: message.size + takeVisits(), to: shard)
        noteHandOff(of: message, to: shard)
        if congestedPeers.contains(shard) || handOffs.full.contains(shard) { holdPublisher() }
    }

    func worked(off bytes: Int, by peer: ShardID) {
        guard handOffs.worked(off: bytes, by: peer) else { return }
        releaseRelays(to: peer)
        noteRoomInRelay()
        openTurn()  // at its end publishers are read again
    }

    /// Stops reading a client whose session is on a shard that has as much to do as it may.
    func holdRelay(_ connection: ClientConnection) {
        if connection.isHeld { return }
        connection.isHeld = true
        heldRelays.append(connection)
        setRelayReading(of: connection)
    }

    /// The shard takes more: those are read again whose session is there, each at least once before publishers fill it anew.
    private func releaseRelays(to peer: ShardID) {
        var waiting: [ClientConnection] = []
        swap(&waiting, &heldRelays)
        for connection in waiting where !connection.isClosed {
            if case .relaying(let shard, _) = connection.phase, shard != peer {
                heldRelays.append(connection)
                continue
            }
            connection.isHeld = false
            setRelayReading(of: connection)
        }
    }

    /// Reads a client, or not, as the shard of its session wants it, and as much as that one takes.
    func setRelayReading(of connection: ClientConnection) {
        let isReading = connection.isRead && !connection.isHeld
        switch connection.link {
        case .local: transport.setReading(isReading, on: connection)
        case .remote(let previous, let id): tell(previous, .relayReading(id: id, isReading))
        }
    }
}
