import BrokerCore
import NIOCore

/// A look at all sessions of one event loop, a part at a time: clients are served in between, and the next part begins when somebody asks
/// for it.
///
/// Bound to the loop. What is found is put in order elsewhere.
final class SessionRound {
    /// Sessions that are looked at before others have their turn.
    static let sessionsAtOnce = 1_000

    private var rest: ArraySlice<Session>

    init(_ sessions: [Session]) { rest = sessions[...] }

    var isOver: Bool { rest.isEmpty }

    /// Looks at the next sessions, or what is left of them.
    func next(_ look: (Session) -> Void) {
        for session in rest.prefix(Self.sessionsAtOnce) { look(session) }
        rest = rest.dropFirst(Self.sessionsAtOnce)
    }
}

extension Broker {
    /// Looks at all sessions of all event loops, one loop after the other, a part at a time.
    ///
    /// Nothing once the broker drains.
    ///
    /// - Parameters:
    ///   - begin: What a loop makes of itself before its first sessions.
    ///   - look: Takes a session into what the loop has of this part; on the loop.
    ///   - take: Gets each part, off the loops; answers whether to go on.
    func lookAtSessions<Part: Sendable>(
        beginning begin: @escaping @Sendable (ShardDriver) -> Part,
        each look: @escaping @Sendable (ShardDriver, Session, inout Part) -> Void,
        take: (Part) -> Bool
    ) async {
        if isDraining { return }
        for shard in shards {
            // A loop that has ended meanwhile has nothing to say.
            let first = try? await shard.eventLoop.submit {
                var part = begin(shard.value)
                let round = SessionRound(shard.value.shard.sessionList)
                round.next { look(shard.value, $0, &part) }
                return (part: part, round: round.isOver ? nil : NIOLoopBoundBox(round, eventLoop: shard.eventLoop))
            }.get()
            guard let first else { continue }
            if !take(first.part) { return }
            guard let round = first.round else { continue }
            while let next = try? await Self.nextPart(of: round, on: shard, beginning: begin, each: look) {
                if !take(next.part) { return }
                if next.isLast { break }
            }
        }
    }

    private static func nextPart<Part: Sendable>(
        of round: NIOLoopBoundBox<SessionRound>, on shard: NIOLoopBoundBox<ShardDriver>,
        beginning begin: @escaping @Sendable (ShardDriver) -> Part,
        each look: @escaping @Sendable (ShardDriver, Session, inout Part) -> Void
    ) async throws -> (part: Part, isLast: Bool) {
        try await shard.eventLoop.submit {
            var part = begin(shard.value)
            round.value.next { look(shard.value, $0, &part) }
            return (part, round.value.isOver)
        }.get()
    }
}
