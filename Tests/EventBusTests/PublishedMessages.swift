import BrokerCore
import Synchronization

/// What was published later than the call that led to it.
final class PublishedMessages: Sendable {
    private let stored = Mutex<[Published]>([])

    func append(_ messages: [Message]) { stored.withLock { $0 += messages.map(Published.init) } }

    var topics: [String] { stored.withLock { $0.map(\.topic) } }
    var payloads: [String] { stored.withLock { $0.map(\.payload) } }
}
