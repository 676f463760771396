import BrokerCore
import Synchronization

/// What other shards have handed to one shard and it has not taken yet, in the order in which they did.
///
/// A task on the shard's event loop alone would not do: when a loop wakes up it reads its sockets before it runs its tasks, so what a client
/// published after an acknowledgement could overtake what was acknowledged.
final class Mailbox: Sendable {
    typealias Batch = (sender: ShardID, messages: [ShardMessage])

    private let batches = Mutex<[Batch]>([])
    /// Looked at before each read, mostly for nothing: that costs no lock.
    private let hasMail = Atomic<Bool>(false)

    /// Answers whether it was empty: then the shard has to be told that it is not.
    func put(_ messages: [ShardMessage], from sender: ShardID) -> Bool {
        batches.withLock { batches in
            batches.append((sender, messages))
            hasMail.store(true, ordering: .sequentiallyConsistent)
            return batches.count == 1
        }
    }

    func take() -> [Batch] {
        guard hasMail.load(ordering: .sequentiallyConsistent) else { return [] }
        return batches.withLock { batches in
            hasMail.store(false, ordering: .sequentiallyConsistent)
            let taken = batches
            batches = []
            return taken
        }
    }
}
