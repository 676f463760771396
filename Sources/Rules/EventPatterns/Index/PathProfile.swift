/// How rules are filed at one path, so that only those tables are asked that hold something.
struct PathProfile: Sendable {
    /// One bit for each ``PlaceKind`` in use.
    private(set) var kinds: UInt32 = 0
    private var counts = [Int32](repeating: 0, count: Int(PlaceKind.absent.rawValue) + 1)
    /// Of strings and blocks of numbers.
    private(set) var lengths = PieceLengths()
    /// The position in the list of paths that are wanted to be missing.
    var absentPosition: Int32 = -1

    /// What only strings are asked for, beside exact values.
    static let textKinds: UInt32 = [
        PlaceKind.prefix, .suffix, .caseless, .caselessPrefix, .caselessSuffix, .infix,
    ].reduce(0) { $0 | bit($1) }

    @inline(__always)
    static func bit(_ kind: PlaceKind) -> UInt32 { 1 << UInt32(kind.rawValue) }

    mutating func change(_ place: Place, by difference: Int32) {
        let kind = Int(place.kind.rawValue)
        counts[kind] += difference
        if counts[kind] == 0 { kinds &= ~Self.bit(place.kind) } else { kinds |= Self.bit(place.kind) }
        guard PlaceKind.withPieces.contains(place.kind) else { return }
        lengths = lengths.changed(place.kind, place.length, by: difference)
    }
}

/// The lengths of pieces under which rules are filed at a path, and how many under each.
final class PieceLengths: Sendable {
    private let lists: [[(length: Int32, count: Int32)]]

    init() { lists = PlaceKind.withPieces.map { _ in [] } }

    private init(_ lists: [[(length: Int32, count: Int32)]]) { self.lists = lists }

    /// The lengths of one kind in ascending order.
    @inline(__always)
    func of(_ kind: PlaceKind) -> [(length: Int32, count: Int32)] { lists[Int(kind.rawValue - PlaceKind.prefix.rawValue)] }

    /// A copy unless only a count is to be changed would not do: whoever matches keeps the old one.
    func changed(_ kind: PlaceKind, _ length: Int, by difference: Int32) -> PieceLengths {
        var lists = lists
        let list = Int(kind.rawValue - PlaceKind.prefix.rawValue)
        let length = Int32(truncatingIfNeeded: length)
        let position = lists[list].firstIndex { $0.length >= length } ?? lists[list].count
        if position < lists[list].count, lists[list][position].length == length {
            lists[list][position].count += difference
            if lists[list][position].count == 0 { lists[list].remove(at: position) }
        } else {
            lists[list].insert((length, difference), at: position)
        }
        return PieceLengths(lists)
    }
}
