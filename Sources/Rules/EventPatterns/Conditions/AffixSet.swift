/// Many prefixes, or many suffixes, looked up at once instead of one by one.
struct AffixSet: Sendable {
    /// Up to here they are compared one by one.
    static let listedMax = 8

    private let isSuffix: Bool
    /// In ascending order.
    private let lengths: [Int]
    private let byHash: [UInt64: [[UInt8]]]

    /// Nil where comparing one by one does as well.
    init?(_ affixes: [[UInt8]], isSuffix: Bool) {
        guard affixes.count > Self.listedMax else { return nil }
        self.isSuffix = isSuffix
        lengths = Set(affixes.map(\.count)).sorted()
        byHash = Dictionary(grouping: affixes) { affix in
            (isSuffix ? affix.reversed() : affix).reduce(0) { ByteHash.step($0, $1) }
        }
    }

    /// Whether the text begins, or ends, with one of them.
    func contains(_ text: ArraySlice<UInt8>) -> Bool {
        var hash: UInt64 = 0
        var done = 0
        for length in lengths {
            guard length <= text.count else { return false }
            while done < length {
                hash = ByteHash.step(hash, isSuffix ? text[text.endIndex - 1 - done] : text[text.startIndex + done])
                done += 1
            }
            guard let found = byHash[hash] else { continue }
            let piece = isSuffix ? text.suffix(length) : text.prefix(length)
            if found.contains(where: { piece.elementsEqual($0) }) { return true }
        }
        return false
    }
}
