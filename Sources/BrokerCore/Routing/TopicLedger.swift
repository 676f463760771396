import NIOCore

/// What one topic carried since start, on the shard that accepted it.
///
/// A message costs a few stores. What costs more, keeping its payload and looking at the clock, is done for the first few of a second only:
/// a topic that carries less shows its last payload, one that carries more a sample of the second.
final class TopicRecord {
    /// Messages of one second whose payload is looked at.
    static let samplesPerSecond: UInt8 = 8
    private static let secondNanoseconds: Int64 = 1_000_000_000
    /// How far apart the marks are by which the rate is told.
    private static let markNanoseconds = 5 * secondNanoseconds

    /// How many messages there had been at a time.
    private struct Mark {
        var at: Int64
        var messages: UInt64
    }

    let topic: ByteBuffer
    private(set) var messages: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var lastSeen = Instant(nanoseconds: 0)
    /// The beginning of a payload in storage of its own: a slice would keep the publisher's whole read alive.
    private var sample = ByteBuffer()
    private var sampledBytes = 0
    private var sampledMessages: UInt64 = 0
    private var samplesLeft: UInt8 = 0
    private var secondEndsAt = Int64.min
    /// The last two marks; both the same before there are two.
    private var marks: (last: Mark, before: Mark)?
    private let sampleBytesMax: Int

    init(_ topic: ByteBuffer, sampleBytesMax: Int) {
        self.topic = topic
        self.sampleBytesMax = sampleBytesMax
    }

    /// Counts one message.
    func count(_ payload: ByteBuffer, at now: Instant) {
        messages &+= 1
        bytes &+= UInt64(payload.readableBytes)
        lastSeen = now
        if samplesLeft == 0, now.nanoseconds < secondEndsAt { return }
        look(at: payload, now)
    }

    /// Counts some that came together, when none of them is looked at.
    func count(messages count: Int, bytes length: Int, at now: Instant) {
        messages &+= UInt64(count)
        bytes &+= UInt64(length)
        lastSeen = now
    }

    /// Whether the next message is to be counted by itself, because its payload is looked at.
    func wantsPayload(at now: Instant) -> Bool { samplesLeft > 0 || now.nanoseconds >= secondEndsAt }

    private func look(at payload: ByteBuffer, _ now: Instant) {
        if now.nanoseconds >= secondEndsAt {
            samplesLeft = Self.samplesPerSecond
            secondEndsAt = now.nanoseconds.addingReportingOverflow(Self.secondNanoseconds).partialValue
            let mark = Mark(at: now.nanoseconds, messages: messages - 1)
            if let known = marks {
                if now.nanoseconds - known.last.at >= Self.markNanoseconds { marks = (mark, known.last) }
            } else {
                marks = (mark, mark)
            }
        }
        samplesLeft -= 1
        sampledMessages = messages
        sampledBytes = payload.readableBytes
        sample.clear()
        if sampledBytes <= sampleBytesMax {
            sample.writeImmutableBuffer(payload)
        } else if let part = payload.getSlice(at: payload.readerIndex, length: sampleBytesMax) {
            sample.writeImmutableBuffer(part)
        }
    }

    /// Messages in a second, over about the last ten; 0 after ten seconds of silence.
    func rate(at now: Instant) -> Double {
        guard let marks, now.nanoseconds - lastSeen.nanoseconds <= 2 * Self.markNanoseconds else { return 0 }
        let start = now.nanoseconds - marks.last.at >= Self.markNanoseconds ? marks.last : marks.before
        let seconds = Double(max(now.nanoseconds - start.at, Self.secondNanoseconds)) / Double(Self.secondNanoseconds)
        return Double(messages - start.messages) / seconds
    }

    func snapshot(at now: Instant) -> TopicSnapshot {
        TopicSnapshot(
            topic: topic, messages: messages, bytes: bytes, lastSeen: lastSeen, messagesPerSecond: rate(at: now),
            sample: PayloadSample(bytes: sample, payloadBytes: sampledBytes, messagesSince: messages - sampledMessages))
    }
}

/// The topics that carried messages, for operators.
///
/// Bounded by `topicsTrackedMax`: topics that come later are not listed. What is kept of payloads is bounded by that times
/// `topicSampleBytesMax`.
struct TopicLedger {
    private var records: [ByteBuffer: TopicRecord] = [:]
    /// The same in the order in which they came; none goes.
    private var inOrder: [TopicRecord] = []
    var topicsTrackedMax: Int
    var sampleBytesMax: Int
    /// Routes made for topics that had no room here.
    private(set) var untracked: UInt64 = 0

    init(topicsTrackedMax: Int, sampleBytesMax: Int) {
        self.topicsTrackedMax = topicsTrackedMax
        self.sampleBytesMax = sampleBytesMax
    }

    mutating func record(for topic: ByteBuffer) -> TopicRecord? {
        if topic.readableBytesView.first == UInt8(ascii: "$") { return nil }
        if let known = records[topic] { return known }
        guard records.count < topicsTrackedMax else {
            untracked += 1
            return nil
        }
        let record = TopicRecord(topic, sampleBytesMax: sampleBytesMax)
        records[topic] = record
        inOrder.append(record)
        return record
    }

    /// The next topics.
    func next(on walk: inout TopicWalk) -> ArraySlice<TopicRecord> {
        let part = inOrder.dropFirst(walk.next).prefix(TopicWalk.topicsAtOnce)
        walk.next = part.endIndex
        walk.isOver = part.endIndex == inOrder.endIndex
        return part
    }
}

/// How far a look at all topics of a shard has come.
package struct TopicWalk: Sendable {
    /// Topics that are looked at before others have their turn.
    package static let topicsAtOnce = 1_000

    fileprivate var next = 0
    /// Whether all were looked at.
    package fileprivate(set) var isOver = false

    package init() {}
}
