/// The sessions of a shard: by their clients, and each in a place of its own, so that all of them can be looked at a part at a time.
struct SessionTable {
    private var byClient: [ExactText: Session] = [:]
    /// By ``Session/tablePlace``; empty where a session has gone and no other has come.
    private var places: [Session?] = []
    private var emptyPlaces: [Int] = []

    var count: Int { byClient.count }

    /// In no order; for what has to look at all of them in one turn.
    var all: [Session] { Array(byClient.values) }

    mutating func reserveCapacity(_ count: Int) {
        byClient.reserveCapacity(count)
        places.reserveCapacity(count)
    }

    subscript(client: ExactText) -> Session? {
        get { byClient[client] }
        set {
            let old = if let newValue { byClient.updateValue(newValue, forKey: client) } else { byClient.removeValue(forKey: client) }
            if old === newValue { return }
            if let old { leave(old) }
            if let newValue { enter(newValue) }
        }
    }

    /// Whether this very session is its client's, without a search for the client.
    func holds(_ session: Session) -> Bool {
        places.indices.contains(session.tablePlace) && places[session.tablePlace] === session
    }

    private mutating func enter(_ session: Session) {
        if let place = emptyPlaces.popLast() {
            session.tablePlace = place
            places[place] = session
        } else {
            session.tablePlace = places.count
            places.append(session)
        }
    }

    private mutating func leave(_ session: Session) {
        guard !byClient.isEmpty else {
            places = []
            emptyPlaces = []
            return
        }
        places[session.tablePlace] = nil
        emptyPlaces.append(session.tablePlace)
        // A look at all goes over empty places, too: they are not to be many more than sessions, for long.
        if places.count > Self.placesAlways, byClient.count < places.count / 4 { gather() }
    }

    private static let placesAlways = 4_096

    /// Puts sessions one behind the other; whoever looks at them meanwhile may miss some.
    private mutating func gather() {
        let sessions = places.compactMap(\.self)
        for (place, session) in sessions.enumerated() { session.tablePlace = place }
        places = sessions
        emptyPlaces = []
    }

    /// Looks at the sessions in the next places; none is met twice while it stays.
    ///
    /// Those that come meanwhile may be missed, and when most of all have gone, others as well.
    func visit(_ walk: inout SessionWalk, _ look: (Session) -> Void) {
        let end = min(places.count, walk.next + SessionWalk.sessionsAtOnce)
        if walk.next < end {
            for place in walk.next..<end {
                if let session = places[place] { look(session) }
            }
        }
        walk.next = end
        walk.isOver = end >= places.count
    }
}

/// How far a look at all sessions of a shard has come.
package struct SessionWalk: Sendable {
    /// Places of sessions that are looked at before others have their turn.
    package static let sessionsAtOnce = 1_000

    fileprivate var next = 0
    /// Whether all were looked at.
    package fileprivate(set) var isOver = false

    package init() {}
}
