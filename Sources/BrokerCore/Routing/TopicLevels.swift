import MQTTCodec
import NIOCore

/// The levels of a topic name or filter, as slices.
///
/// `/x` has two levels, the first one empty.
struct TopicLevels: Sequence, IteratorProtocol {
    private var rest: ByteBuffer
    private var isFinished = false

    init(_ topic: ByteBuffer) { rest = topic }

    mutating func next() -> ByteBuffer? {
        if isFinished { return nil }
        let length = rest.lengthOfFirstLevel
        if length == rest.readableBytes {
            isFinished = true
            return rest
        }
        let level = rest.readSlice(length: length)
        rest.moveReaderIndex(forwardBy: 1)
        return level
    }
}

extension ByteBuffer {
    fileprivate var lengthOfFirstLevel: Int {
        let span = readableBytesUInt8Span
        var length = 0
        while length < span.count && span[length] != UInt8(ascii: "/") { length += 1 }
        return length
    }

    var topicLevels: TopicLevels { TopicLevels(self) }

    func isSingleByte(_ byte: UInt8) -> Bool {
        readableBytes == 1 && readableBytesUInt8Span[0] == byte
    }

    /// Whether `length` bytes at `index` equal this buffer's readable bytes.
    func hasSameBytes(as other: ByteBuffer, at index: Int, length: Int) -> Bool {
        readableBytes == length
            && readableBytesUInt8Span.hasSameBytes(
                from: 0, as: other.readableBytesUInt8Span, from: index - other.readerIndex, count: length)
    }
}
