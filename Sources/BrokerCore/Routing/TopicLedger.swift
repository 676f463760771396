import NIOCore

/// What one topic carried since start, on the shard that accepted it.
final class TopicRecord {
    var messages: UInt64 = 0
    var bytes: UInt64 = 0
    var lastSeen = Instant(nanoseconds: 0)
}

/// The topics that carried messages, for operators.
///
/// Bounded by `topicsTrackedMax`: topics that come later are not listed.
struct TopicLedger {
    private(set) var records: [ByteBuffer: TopicRecord] = [:]
    private let topicsTrackedMax: Int
    /// Routes made for topics that had no room here.
    private(set) var untracked: UInt64 = 0

    init(topicsTrackedMax: Int) { self.topicsTrackedMax = topicsTrackedMax }

    mutating func record(for topic: ByteBuffer) -> TopicRecord? {
        if topic.readableBytesView.first == UInt8(ascii: "$") { return nil }
        if let known = records[topic] { return known }
        guard records.count < topicsTrackedMax else {
            untracked += 1
            return nil
        }
        let record = TopicRecord()
        records[topic] = record
        return record
    }
}
