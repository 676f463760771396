extension Span<UInt8> {
    /// Whether `count` bytes from `start` on are those of `other` from `otherStart` on; false where either has fewer.
    ///
    /// Eight at a time: every message that follows another one of its topic is met by this comparison.
    package func hasSameBytes(from start: Int, as other: Span<UInt8>, from otherStart: Int, count length: Int) -> Bool {
        guard start >= 0, otherStart >= 0, length >= 0, length <= count - start, length <= other.count - otherStart else { return false }
        let (mine, theirs) = unsafe (bytes, other.bytes)
        var offset = 0
        while offset + 8 <= length {
            // In bounds: both have `length` bytes there.
            let one = unsafe mine.unsafeLoadUnaligned(fromByteOffset: start + offset, as: UInt64.self)
            let two = unsafe theirs.unsafeLoadUnaligned(fromByteOffset: otherStart + offset, as: UInt64.self)
            if one != two { return false }
            offset += 8
        }
        while offset < length {
            if self[start + offset] != other[otherStart + offset] { return false }
            offset += 1
        }
        return true
    }
}
