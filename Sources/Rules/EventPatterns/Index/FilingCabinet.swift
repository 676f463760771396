/// Where the conjunctions of many rules are filed, and how an event's values find them.
struct FilingCabinet: Sendable {
    private struct Posting: Sendable {
        let conjunction: Int32
        var next: Int32
        var previous: Int32
    }

    /// One filing, kept by the conjunction so that it can be taken out again.
    struct Receipt: Sendable {
        fileprivate let place: Place
        fileprivate let posting: Int32
    }

    private var table = PlaceTable()
    private var postings = PagedStore<Posting>()
    private var profiles = PagedArray<PathProfile>()
    /// Of each path what its profile says of the kinds in use, the lengths of pieces, the intervals and the blocks of addresses.
    private var kinds = PagedArray<UInt32>()
    private var lengths = PagedArray<PieceLengths>()
    private var intervals = PagedArray<IntervalTree<UInt64>>()
    private var networks = PagedArray<IntervalTree<UInt128>>()
    private(set) var absentPaths = PagedArray<Int32>()

    /// For tests: whether nothing is filed.
    var isEmpty: Bool { postings.count == 0 && table.placeCount == 0 && absentPaths.count == 0 }

    /// The kinds of places in use at a path, a bit for each.
    @inline(__always)
    func kinds(at path: Int32) -> UInt32 { Int(path) < kinds.count ? kinds[path] : 0 }

    @inline(__always)
    func lengths(at path: Int32) -> PieceLengths { lengths[path] }

    @inline(__always)
    func intervals(at path: Int32) -> IntervalTree<UInt64> { intervals[path] }

    @inline(__always)
    func networks(at path: Int32) -> IntervalTree<UInt128> { networks[path] }

    /// How many conjunctions are filed at a place.
    private func crowd(at place: Place) -> Int {
        Int(head(of: place).count)
    }

    // MARK: Filing

    /// The least crowded place for each condition of a field, and what they cost together.
    func bestPlaces(for field: Conjunction.Field) -> (places: [Place], cost: Int) {
        var places: [Place] = []
        var cost = 0
        for condition in field.conditions.all {
            var best: (places: [Place], cost: Int)?
            for choice in Place.choices(for: condition, at: field.path) {
                let cost = choice.reduce(0) { $0 + $1.kind.cost(length: $1.length) + 16 * crowd(at: $1) }
                if cost < best?.cost ?? .max { best = (choice, cost) }
            }
            guard let best else { continue }
            places += best.places
            cost += best.cost
        }
        return (places, cost)
    }

    mutating func file(_ conjunction: Int32, at place: Place) -> Receipt {
        makeRoom(for: place.path)
        let (head, count) = head(of: place)
        let posting = postings.insert(Posting(conjunction: conjunction, next: head, previous: -1))
        if head >= 0 { postings[head].previous = posting }
        setHead(of: place, to: posting, count: count + 1)
        change(place, by: 1)
        if place.kind == .absent, count == 0 {
            profiles[place.path].absentPosition = Int32(truncatingIfNeeded: absentPaths.count)
            absentPaths.append(place.path)
        }
        return Receipt(place: place, posting: posting)
    }

    mutating func withdraw(_ receipt: Receipt) {
        let place = receipt.place
        let posting = postings[receipt.posting]
        let (head, count) = head(of: place)
        if posting.previous >= 0 { postings[posting.previous].next = posting.next }
        if posting.next >= 0 { postings[posting.next].previous = posting.previous }
        setHead(of: place, to: posting.previous >= 0 ? head : posting.next, count: count - 1)
        postings.remove(receipt.posting, leaving: Posting(conjunction: -1, next: -1, previous: -1))
        if place.kind == .absent, count == 1 { forgetAbsent(place.path) }
        change(place, by: -1)
    }

    private mutating func makeRoom(for path: Int32) {
        while profiles.count <= Int(path) {
            let profile = PathProfile()
            profiles.append(profile)
            kinds.append(0)
            lengths.append(profile.lengths)
            intervals.append(IntervalTree())
            networks.append(IntervalTree())
        }
    }

    private mutating func change(_ place: Place, by difference: Int32) {
        profiles[place.path].change(place, by: difference)
        let profile = profiles[place.path]
        if kinds[place.path] != profile.kinds { kinds[place.path] = profile.kinds }
        lengths[place.path] = profile.lengths
    }

    private func head(of place: Place) -> (head: Int32, count: Int32) {
        switch place.kind {
        case .interval: Int(place.path) < intervals.count ? intervals[place.path].find(place.bounds) : (-1, 0)
        case .network: Int(place.path) < networks.count ? networks[place.path].find(place.addresses) : (-1, 0)
        default: table.find(place.key).map { ($0.head, $0.count) } ?? (-1, 0)
        }
    }

    private mutating func setHead(of place: Place, to head: Int32, count: Int32) {
        switch place.kind {
        case .interval: intervals[place.path].set(place.bounds, head: head, count: count)
        case .network: networks[place.path].set(place.addresses, head: head, count: count)
        default: table.set(place.key, head: head, count: count)
        }
    }

    private mutating func forgetAbsent(_ path: Int32) {
        let position = profiles[path].absentPosition
        let last = absentPaths[absentPaths.count - 1]
        absentPaths[position] = last
        profiles[last].absentPosition = position
        absentPaths.removeLast()
    }

    // MARK: Finding

    /// The first posting at a key, or -1.
    @inline(__always)
    func find(_ key: UInt64) -> Int32 { table.find(key)?.head ?? -1 }

    /// Appends the conjunctions from `posting` on.
    @inline(__always)
    func collect(from posting: Int32, into conjunctions: inout [Int32]) {
        var next = posting
        while next >= 0 {
            let posting = postings[next]
            conjunctions.append(posting.conjunction)
            next = posting.next
        }
    }
}
