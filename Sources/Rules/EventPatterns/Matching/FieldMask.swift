/// A set of fields of one pattern, by their number.
struct FieldMask: Sendable, Hashable {
    /// The most fields that a pattern may have.
    static let countMax = 256

    private var words = SIMD4<UInt64>.zero

    static let none = FieldMask()

    var isEmpty: Bool { words == .zero }

    mutating func insert(_ field: Int) { words[field >> 6] |= 1 << UInt64(field & 63) }

    func contains(_ field: Int) -> Bool { words[field >> 6] >> UInt64(field & 63) & 1 == 1 }

    /// The least member, or nil.
    var first: Int? {
        for index in 0..<4 where words[index] != 0 { return index << 6 + words[index].trailingZeroBitCount }
        return nil
    }

    /// Only the members greater than `field`.
    func above(_ field: Int) -> FieldMask {
        var result = self
        for index in 0..<4 {
            let kept = field + 1 - index << 6
            if kept >= 64 { result.words[index] = 0 } else if kept > 0 { result.words[index] &= .max << UInt64(kept) }
        }
        return result
    }

    static func | (left: FieldMask, right: FieldMask) -> FieldMask { FieldMask(words: left.words | right.words) }
    static func & (left: FieldMask, right: FieldMask) -> FieldMask { FieldMask(words: left.words & right.words) }
    /// The members of `left` that are not members of `right`.
    static func - (left: FieldMask, right: FieldMask) -> FieldMask { FieldMask(words: left.words & ~right.words) }
    static func |= (left: inout FieldMask, right: FieldMask) { left = left | right }
}
