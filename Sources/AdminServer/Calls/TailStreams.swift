import Synchronization

/// How many live streams of a kind are open on one listener.
final class TailStreams: Sendable {
    /// One stream's place; given back when nothing refers to it any more.
    final class Place: Sendable {
        private let streams: TailStreams

        fileprivate init(in streams: TailStreams) {
            self.streams = streams
        }

        deinit {
            streams.open.withLock { $0 -= 1 }
        }
    }

    private let open = Mutex(0)
    private let limit: Int
    /// The limit's name, for who has no place.
    private let name: String

    init(limit: Int, name: String) {
        self.limit = limit
        self.name = name
    }

    func begin() throws(InspectionError) -> Place {
        let admitted = open.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        guard admitted else { throw .tooManyStreams(limit: limit, name: name) }
        return Place(in: self)
    }
}
