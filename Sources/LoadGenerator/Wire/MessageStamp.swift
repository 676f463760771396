/// What every message of a run says about itself, in the first 24 bytes of its payload.
///
/// Layout, big-endian: run (4 bytes), publisher (4), sequence (8), intended send time in nanoseconds of the monotonic clock (8). The bytes
/// after it are a fixed pattern, so that a payload that was cut or mixed up is seen too.
package struct MessageStamp: Equatable, Sendable {
    /// The smallest payload, in bytes: the stamp alone.
    package static let byteCount = 24

    /// Tells the messages of this run from anything else on the broker.
    package var run: UInt32
    package var publisher: UInt32
    /// Counts from 0 per publisher, without a hole, over warm-up and measured part.
    package var sequence: UInt64
    /// When the message should have left, in nanoseconds of the monotonic clock.
    ///
    /// In an open loop this is the schedule, not the send.
    package var intendedAt: UInt64

    package init(run: UInt32, publisher: UInt32, sequence: UInt64, intendedAt: UInt64) {
        self.run = run
        self.publisher = publisher
        self.sequence = sequence
        self.intendedAt = intendedAt
    }

    /// Reads the stamp at `offset`; `nil` when fewer than 24 bytes follow.
    @inline(__always)
    init?(reading bytes: RawSpan, at offset: Int) {
        guard offset >= 0, bytes.byteCount - offset >= Self.byteCount else { return nil }
        // In bounds: checked above.
        run = UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        publisher = UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
        sequence = UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
        intendedAt = UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
    }

    /// The byte at `index` of a payload, for indices past the stamp.
    @inline(__always)
    static func filler(at index: Int) -> UInt8 { UInt8(truncatingIfNeeded: index &* 31 &+ 7) }
}
