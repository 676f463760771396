import MQTTCodec

/// The members of one shared subscription, `$share/NAME/FILTER`: each message goes to one of them (MQTT 5 section 4.8.2).
///
/// Every shard that has members, or hears of members elsewhere, has its own object. The shard that accepts a message chooses the shard by
/// the number of its members, that shard the member: the one whose turn it is among those that are connected and have nothing waiting.
package final class SharedGroup {
    struct Member {
        let session: Session
        var options: SubscriptionOptions
    }

    /// How many members a shard has.
    package struct Counts: Equatable, Sendable {
        package var online: Int
        package var all: Int

        package init(online: Int, all: Int) {
            self.online = online
            self.all = all
        }
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
    private(set) var online = 0
    private var others: [(shard: ShardID, counts: Counts)] = []
    private var shardTurn = 0
    private var memberTurn = 0

    init(name: String, filter: String) {
        self.name = name
        self.filter = filter
    }

    var isUnused: Bool { members.isEmpty && others.isEmpty }
    var hasSomebodyOnline: Bool { online > 0 || others.contains { $0.counts.online > 0 } }
    var counts: Counts { Counts(online: online, all: members.count) }

    // MARK: Members

    /// Answers the member's place.
    func add(_ session: Session, options: SubscriptionOptions) -> Int {
        members.append(Member(session: session, options: options))
        if session.connection != nil { online += 1 }
        return members.count - 1
    }

    func update(_ place: Int, options: SubscriptionOptions) { members[place].options = options }

    /// Takes a member out; answers the session that now has its place, if another one does.
    func remove(at place: Int) -> Session? {
        if members[place].session.connection != nil { online -= 1 }
        let last = members.removeLast()
        guard place < members.count else { return nil }
        members[place] = last
        return last.session
    }

    /// A member came or went.
    func memberChanged(isOnline: Bool) { online += isOnline ? 1 : -1 }

    /// What another shard says of its members.
    func setCounts(_ counts: Counts, of shard: ShardID) {
        others.removeAll { $0.shard == shard }
        if counts.all > 0 { others.append((shard, counts)) }
    }

    // MARK: Choosing

    /// Who gets the next message: somebody connected if there is anybody; `nil` when there is no member at all.
    func choose() -> Choice? {
        let wantsOnline = hasSomebodyOnline
        let here = wantsOnline ? online : members.count
        let total = others.reduce(here) { $0 + (wantsOnline ? $1.counts.online : $1.counts.all) }
        guard total > 0 else { return nil }
        shardTurn = (shardTurn &+ 1) & Int.max
        var turn = shardTurn % total
        if turn < here { return chooseHere() }
        turn -= here
        for (shard, counts) in others {
            let count = wantsOnline ? counts.online : counts.all
            if turn < count { return .shard(shard) }
            turn -= count
        }
        return chooseHere()
    }

    /// The member here whose turn it is; `nil` when there is none.
    func chooseHere() -> Choice? {
        guard !members.isEmpty else { return nil }
        var second: Int?
        for step in 1...members.count {
            let place = (memberTurn + step) % members.count
            let session = members[place].session
            guard session.connection != nil else { continue }
            if session.queue.isEmpty {
                memberTurn = place
                return .member(session, members[place].options)
            }
            second = second ?? place
        }
        memberTurn = second ?? (memberTurn + 1) % members.count
        return .member(members[memberTurn].session, members[memberTurn].options)
    }
}
