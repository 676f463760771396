import Glibc

extension Span<UInt8> {
    /// Whether `count` bytes from `start` on are those of `other` from `otherStart` on; false where either has fewer.
    ///
    /// By `memcmp`: every message that follows another one of its topic is met by this comparison.
    package func hasSameBytes(from start: Int, as other: Span<UInt8>, from otherStart: Int, count length: Int) -> Bool {
        guard length > 0 else { return length == 0 }
        guard start >= 0, otherStart >= 0, length <= count - start, length <= other.count - otherStart else { return false }
        return unsafe withUnsafeBufferPointer { mine in
            unsafe other.withUnsafeBufferPointer { theirs in
                // Neither is empty, and both ranges lie within.
                guard let mine = mine.baseAddress, let theirs = theirs.baseAddress else { return false }
                return unsafe memcmp(mine + start, theirs + otherStart, length) == 0
            }
        }
    }
}
