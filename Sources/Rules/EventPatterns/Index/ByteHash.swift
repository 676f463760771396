/// Hashes of bytes, read eight at a time.
///
/// They find rules and paths in tables. Who is found is compared in full, so a collision costs a comparison and changes no answer;
/// events add nothing to the tables, so they cannot crowd them.
enum ByteHash {
    private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let other: UInt64 = 0xD6E8_FEB8_6659_FD93

    @inline(__always)
    static func mix(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let product = (first ^ other).multipliedFullWidth(by: second ^ multiplier)
        return product.high ^ product.low
    }

    /// The hash of `bytes[start..<end]`, which must lie within the bytes.
    @inline(__always)
    static func hash(_ bytes: Span<UInt8>, from start: Int, to end: Int, seed: UInt64) -> UInt64 {
        var hash = seed
        var position = start
        while end - position >= 8 {
            hash = mix(hash, word(bytes, at: position))
            position += 8
        }
        var rest: UInt64 = 0
        if end - start >= 8 {
            // The last eight bytes once more: no loop over what is left.
            rest = end > position ? word(bytes, at: end - 8) : 0
        } else {
            while position < end {
                rest = rest << 8 | UInt64(bytes[position])
                position += 1
            }
        }
        return mix(hash ^ UInt64(truncatingIfNeeded: end - start), rest)
    }

    static func hash(_ bytes: [UInt8], seed: UInt64) -> UInt64 {
        hash(bytes.span, from: 0, to: bytes.count, seed: seed)
    }

    /// Eight bytes as a number, the first one lowest; they must lie within the bytes.
    @inline(__always)
    static func word(_ bytes: Span<UInt8>, at position: Int) -> UInt64 {
        // Every bit pattern is a number. All callers have counted eight bytes from here: checked loads made reading an event a tenth slower.
        assert(position >= 0 && position <= bytes.count - 8)
        let loaded = unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
        return UInt64(littleEndian: loaded)
    }

    /// One, two, four or eight bytes as a number; they must lie within the bytes.
    @inline(__always)
    static func piece(_ bytes: Span<UInt8>, at position: Int, length: Int) -> UInt64 {
        if length == 8 { return word(bytes, at: position) }
        var piece: UInt64 = 0
        for offset in 0..<length { piece |= UInt64(bytes[position + offset]) << UInt64(8 * offset) }
        return piece
    }

    /// One byte more of a hash that is looked up at several lengths.
    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 &+ (hash >> 47)
    }
}
