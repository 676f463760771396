/// A set of fields, by numbers from 0 on.
protocol FieldSet: Sendable {
    init()
    var isEmpty: Bool { get }
    mutating func insert(_ field: Int)
    func contains(_ field: Int) -> Bool
    var count: Int { get }
    /// The least member, or nil.
    var first: Int? { get }
    /// Only the members greater than `field`.
    func above(_ field: Int) -> Self
    static func | (left: Self, right: Self) -> Self
    static func & (left: Self, right: Self) -> Self
    /// The members of `left` that are not members of `right`.
    static func - (left: Self, right: Self) -> Self
}

extension FieldSet {
    static var none: Self { Self() }
    static func |= (left: inout Self, right: Self) { left = left | right }
}

/// A set of few fields.
struct SmallFieldMask: FieldSet {
    static let countMax = UInt64.bitWidth

    private var word: UInt64 = 0

    init() {}

    private init(_ word: UInt64) { self.word = word }

    var isEmpty: Bool { word == 0 }
    var count: Int { word.nonzeroBitCount }
    var first: Int? { word == 0 ? nil : word.trailingZeroBitCount }

    mutating func insert(_ field: Int) { word |= 1 << UInt64(field) }
    func contains(_ field: Int) -> Bool { word >> UInt64(field) & 1 == 1 }
    func above(_ field: Int) -> SmallFieldMask { SmallFieldMask(field == 63 ? 0 : word & .max << UInt64(field + 1)) }

    static func | (left: SmallFieldMask, right: SmallFieldMask) -> SmallFieldMask { SmallFieldMask(left.word | right.word) }
    static func & (left: SmallFieldMask, right: SmallFieldMask) -> SmallFieldMask { SmallFieldMask(left.word & right.word) }
    static func - (left: SmallFieldMask, right: SmallFieldMask) -> SmallFieldMask { SmallFieldMask(left.word & ~right.word) }
}

/// A set of fields of one pattern, by their number.
struct FieldMask: FieldSet, Hashable {
    /// The most fields that a pattern may have.
    static let countMax = 256

    private var words = SIMD4<UInt64>.zero

    init() {}

    private init(words: SIMD4<UInt64>) { self.words = words }

    var isEmpty: Bool { words == .zero }

    mutating func insert(_ field: Int) { words[field >> 6] |= 1 << UInt64(field & 63) }

    var count: Int { words.indices.reduce(0) { $0 + words[$1].nonzeroBitCount } }

    func contains(_ field: Int) -> Bool { words[field >> 6] >> UInt64(field & 63) & 1 == 1 }

    var first: Int? {
        for index in 0..<4 where words[index] != 0 { return index << 6 + words[index].trailingZeroBitCount }
        return nil
    }

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
    static func - (left: FieldMask, right: FieldMask) -> FieldMask { FieldMask(words: left.words & ~right.words) }
}
