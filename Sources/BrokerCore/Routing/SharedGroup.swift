import MQTTCodec

/// The members of one shared subscription, `$share/NAME/FILTER`: each message goes to one of them (MQTT 5 section 4.8.2).
///
/// Every shard that has members, or hears of members elsewhere, has its own object. The shard that accepts a message chooses the shard by
/// the number of its members that do not count as slow, that shard the member: the one whose turn it is among those that are connected,
/// take what they are sent, and have nothing waiting.
package final class SharedGroup {
    struct Member {
        let session: Session
        var options: SubscriptionOptions
    }

    /// How many members a shard has.
    package struct Counts: Equatable, Sendable {
        /// Online, and not counting as slow.
        package var ready: Int
        package var online: Int
        package var all: Int
    }

    /// Where a message goes next.
    enum Choice {
        case member(Session, SubscriptionOptions)
        case shard(ShardID)
    }

    /// The whole text, `$share/NAME/FILTER`.
    let name: String
    let filter: String
    /// Where it stands among the groups of its filter's entry in the index, so that it is removed without a search.
    var position = 0
    private(set) var members: [Member] = []
    private var online = 0
    /// Those of them that count as slow.
    private var slow = 0
    private var others: [(shard: ShardID, counts: Counts)] = []
    private var shardTurn = 0
    /// The place of the member whose turn it is: that of the first to subscribe, in the beginning.
    private var memberTurn = 0

    init(name: String, filter: String) {
        self.name = name
        self.filter = filter
    }

    var isUnused: Bool { members.isEmpty && others.isEmpty }
    var hasSomebodyOnline: Bool { online > 0 || others.contains { $0.counts.online > 0 } }
    var counts: Counts { Counts(ready: online - slow, online: online, all: members.count) }

    // MARK: Members

    /// Answers the member's place.
    func add(_ session: Session, options: SubscriptionOptions) -> Int {
        members.append(Member(session: session, options: options))
        if let connection = session.connection { count(connection, 1) }
        return members.count - 1
    }

    func update(_ place: Int, options: SubscriptionOptions) { members[place].options = options }

    /// Takes a member out; answers the session that now has its place, if another one does.
    func remove(at place: Int) -> Member? {
        if let connection = members[place].session.connection { count(connection, -1) }
        let last = members.removeLast()
        guard place < members.count else { return nil }
        members[place] = last
        return last
    }

    private func count(_ connection: ClientConnection, _ change: Int) {
        online += change
        if connection.pace == .slow { slow += change }
    }

    /// A member came or went; none is slow when it does.
    func memberChanged(isOnline: Bool) { online += isOnline ? 1 : -1 }

    /// A member that is online became slow, or has caught up.
    func paceChanged(isSlow: Bool) { slow += isSlow ? 1 : -1 }

    /// What another shard says of its members.
    func setCounts(_ counts: Counts, of shard: ShardID) {
        others.removeAll { $0.shard == shard }
        if counts.all > 0 { others.append((shard, counts)) }
    }

    // MARK: Choosing

    /// Who gets the next message: somebody who takes what comes if there is anybody, or else somebody connected; `nil` when there is no
    /// member at all.
    ///
    /// Adds to `looks` how many members were looked at for it.
    func choose(counting looks: inout Int) -> Choice? {
        let (counted, here, elsewhere) = choices()
        let total = here + elsewhere
        guard total > 0 else { return nil }
        shardTurn = (shardTurn &+ 1) & Int.max
        var turn = shardTurn % total
        if turn < here {
            if counted != .ready || elsewhere == 0 || hasReadyMember(counting: &looks) { return chooseHere(counting: &looks) }
            turn %= elsewhere
        } else {
            turn -= here
        }
        for (shard, counts) in others {
            let count = counted.number(counts)
            if turn < count { return .shard(shard) }
            turn -= count
        }
        return chooseHere(counting: &looks)
    }

    /// Which members count, and how many of them there are here and on other shards.
    private func choices() -> (Counted, here: Int, elsewhere: Int) {
        var elsewhere = Counts(ready: 0, online: 0, all: 0)
        for (_, counts) in others {
            elsewhere.ready += counts.ready
            elsewhere.online += counts.online
            elsewhere.all += counts.all
        }
        if online - slow + elsewhere.ready > 0 { return (.ready, online - slow, elsewhere.ready) }
        if online + elsewhere.online > 0 { return (.online, online, elsewhere.online) }
        return (.all, members.count, elsewhere.all)
    }

    private enum Counted {
        case ready
        case online
        case all

        func number(_ counts: Counts) -> Int {
            switch self {
            case .ready: counts.ready
            case .online: counts.online
            case .all: counts.all
            }
        }
    }

    private func hasReadyMember(counting looks: inout Int) -> Bool {
        let place = members.firstIndex { Self.isReady($0.session) }
        looks += place ?? members.count
        return place != nil
    }

    /// Whether a message to the session would leave at once, as far as that is known.
    private static func isReady(_ session: Session) -> Bool {
        guard let connection = session.connection else { return false }
        return connection.isWritable && session.queue.isEmpty
    }

    /// The member here whose turn it is; `nil` when there is none.
    func chooseHere(counting looks: inout Int) -> Choice? {
        guard !members.isEmpty else { return nil }
        var second: Int?
        for step in 0..<members.count {
            looks += 1
            let place = (memberTurn + step) % members.count
            let session = members[place].session
            guard session.connection != nil else { continue }
            if Self.isReady(session) {
                memberTurn = place + 1
                return .member(session, members[place].options)
            }
            second = second ?? place
        }
        let place = second ?? memberTurn % members.count
        memberTurn = place + 1
        return .member(members[place].session, members[place].options)
    }
}
