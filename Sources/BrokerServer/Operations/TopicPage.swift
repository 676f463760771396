import NIOCore

/// One page of a list of topics in the order of their bytes, from parts of it that come in no order.
///
/// Keeps about two pages, however many topics there are, and looks at a topic once.
struct TopicPage {
    private let first: ByteBuffer
    private let limit: Int
    /// Of the page, one after it, and what came since they were put in order.
    private(set) var topics: [ByteBuffer] = []
    /// What is behind it is on a later page.
    private var last: ByteBuffer?

    /// - Parameters:
    ///   - first: the topic that the page begins with, or before the one it begins with.
    ///   - limit: topics on the page, 1 or more.
    init(from first: ByteBuffer, limit: Int) {
        self.first = first
        self.limit = limit
    }

    mutating func add(_ part: [ByteBuffer], where isWanted: (String) -> Bool) {
        for topic in part where !Self.precedes(topic, first) {
            if let last, Self.precedes(last, topic) { continue }
            guard isWanted(String(buffer: topic)) else { continue }
            topics.append(topic)
            if topics.count > 2 * (limit + 1) { order() }
        }
    }

    private mutating func order() {
        topics.sort(by: Self.precedes)
        guard topics.count > limit else { return }
        topics.removeLast(topics.count - limit - 1)
        last = topics.last
    }

    /// The page, and the first topic of the next one; `nil` when nothing follows.
    consuming func finished() -> (topics: ArraySlice<ByteBuffer>, next: ByteBuffer?) {
        order()
        return (topics.prefix(limit), topics.count > limit ? topics[limit] : nil)
    }

    private static func precedes(_ one: ByteBuffer, _ other: ByteBuffer) -> Bool {
        one.readableBytesView.lexicographicallyPrecedes(other.readableBytesView)
    }
}
