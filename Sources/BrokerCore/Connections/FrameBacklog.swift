import DequeModule
import NIOCore

/// QoS 0 messages that wait for a slow client, encoded, oldest first: what its policy throws away to make room for newer ones.
struct FrameBacklog {
    private var frames = Deque<ByteBuffer>()
    private(set) var bytes = 0

    var isEmpty: Bool { frames.isEmpty }

    mutating func append(_ frame: ByteBuffer) {
        frames.append(frame)
        bytes += frame.readableBytes
    }

    mutating func popFirst() -> ByteBuffer? {
        guard let first = frames.popFirst() else { return nil }
        bytes -= first.readableBytes
        return first
    }
}
