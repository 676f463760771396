import BrokerCore
import NIOCore

extension Broker {
    /// Looks at all sessions of all event loops, one loop after the other, a part at a time: clients are served in between, and the next part
    /// begins when somebody asks for it.
    ///
    /// Nothing once the broker drains. What is found is put in order elsewhere.
    ///
    /// - Parameters:
    ///   - begin: What a loop makes of itself before the first sessions of a part.
    ///   - look: Takes a session into what the loop has of this part; on the loop.
    ///   - take: Gets each part, off the loops; answers whether to go on.
    func lookAtSessions<Part: Sendable>(
        beginning begin: @escaping @Sendable (ShardDriver) -> Part,
        each look: @escaping @Sendable (ShardDriver, Session, inout Part) -> Void,
        take: (Part) -> Bool
    ) async {
        if isDraining { return }
        for shard in shards {
            var walk = SessionWalk()
            // A loop that has ended meanwhile has nothing to say.
            while !walk.isOver, let next = try? await Self.part(after: walk, on: shard, beginning: begin, each: look) {
                if !take(next.part) { return }
                walk = next.walk
            }
        }
    }

    private static func part<Part: Sendable>(
        after walk: SessionWalk, on shard: NIOLoopBoundBox<ShardDriver>,
        beginning begin: @escaping @Sendable (ShardDriver) -> Part,
        each look: @escaping @Sendable (ShardDriver, Session, inout Part) -> Void
    ) async throws -> (part: Part, walk: SessionWalk) {
        try await shard.eventLoop.submit {
            var (part, walk) = (begin(shard.value), walk)
            shard.value.shard.visitSessions(on: &walk) { look(shard.value, $0, &part) }
            return (part, walk)
        }.get()
    }
}
