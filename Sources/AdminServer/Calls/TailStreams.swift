import Synchronization

/// How many live streams are open on one listener.
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

    init(limit: Int) {
        self.limit = limit
    }

    func begin() throws(InspectionError) -> Place {
        let admitted = open.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        guard admitted else { throw .tooManyStreams(limit: limit) }
        return Place(in: self)
    }
}
