/// How rules are filed at one path, so that only those tables are asked that hold something.
struct PathProfile: Sendable {
    /// Lengths of pieces, and how many rules are filed under each.
    struct Lengths: Sendable {
        private(set) var sorted: [Int32] = []
        private var counts: [Int32: Int32] = [:]

        var isEmpty: Bool { sorted.isEmpty }

        mutating func change(_ length: Int, by difference: Int32) {
            let length = Int32(truncatingIfNeeded: length)
            let count = counts[length, default: 0] + difference
            counts[length] = count == 0 ? nil : count
            if count == 0 { sorted.removeAll { $0 == length } }
            if count == difference, difference > 0 {
                sorted.append(length)
                sorted.sort()
            }
        }
    }

    /// One bit for each ``PlaceKind`` in use.
    private(set) var kinds: UInt32 = 0
    private var counts = [Int32](repeating: 0, count: Int(PlaceKind.absent.rawValue) + 1)
    private(set) var prefixes = Lengths()
    private(set) var suffixes = Lengths()
    private(set) var caselessPrefixes = Lengths()
    private(set) var caselessSuffixes = Lengths()
    private(set) var infixes = Lengths()
    private(set) var networks4 = Lengths()
    private(set) var networks6 = Lengths()
    var intervals = IntervalTree()
    /// The position in the list of paths that are wanted to be missing.
    var absentPosition: Int32 = -1

    @inline(__always)
    func uses(_ kind: PlaceKind) -> Bool { kinds >> UInt32(kind.rawValue) & 1 == 1 }

    /// What only strings are asked for, beside exact values.
    static let textKinds: UInt32 = [
        PlaceKind.address, .prefix, .suffix, .caseless, .caselessPrefix, .caselessSuffix, .infix, .network4, .network6,
    ].reduce(0) { $0 | 1 << UInt32($1.rawValue) }

    mutating func change(_ place: Place, by difference: Int32) {
        let kind = Int(place.kind.rawValue)
        counts[kind] += difference
        if counts[kind] == 0 { kinds &= ~(1 << UInt32(kind)) } else { kinds |= 1 << UInt32(kind) }
        switch place.kind {
        case .prefix: prefixes.change(place.length, by: difference)
        case .suffix: suffixes.change(place.length, by: difference)
        case .caselessPrefix: caselessPrefixes.change(place.length, by: difference)
        case .caselessSuffix: caselessSuffixes.change(place.length, by: difference)
        case .infix: infixes.change(place.length, by: difference)
        case .network4: networks4.change(place.length, by: difference)
        case .network6: networks6.change(place.length, by: difference)
        case .exact, .address, .caseless, .interval, .present, .absent: break
        }
    }
}
