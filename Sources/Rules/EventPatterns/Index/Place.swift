/// By what of a value the rules at a place are found.
enum PlaceKind: UInt8, Sendable {
    /// An exact scalar, addresses in one spelling apart from other strings.
    case exact, address
    /// A string in folded case.
    case caseless
    /// The first, the last bytes of a string; the same in folded case.
    case prefix, suffix, caselessPrefix, caselessSuffix
    /// Some bytes within a string, for wildcards that begin and end with a star.
    case infix
    /// The first bits of a number: where a range lies that is narrow for its distance from zero.
    case block
    /// A range of numbers, a block of addresses.
    case interval, network
    /// Any value at all, and none.
    case present, absent

    /// The kinds that are looked up at several lengths, in the order of their raw values.
    static let withPieces: [PlaceKind] = [.prefix, .suffix, .caselessPrefix, .caselessSuffix, .infix, .block]

    /// How the kind counts when a rule looks for the least crowded place: how many events are likely to come by, in sixteenths of a rule.
    func cost(length: Int) -> Int {
        switch self {
        case .exact, .address: 1
        case .caseless: 2
        case .network, .block: 8
        // A short piece is met often; none at all is met by every string.
        case .prefix, .suffix, .caselessPrefix, .caselessSuffix, .infix: length == 0 ? 3_000 : 4 + 64 / length
        case .interval: 64
        case .present, .absent: 4_000
        }
    }
}

/// Where a rule is filed.
struct Place: Sendable {
    let kind: PlaceKind
    let path: Int32
    /// How many bytes, or bits of a block of numbers or addresses, the place was made from.
    var length: Int = 0
    /// The key in the table, where the place is in it.
    var key: UInt64 = 0
    /// Of an interval its ends; of a network the lower and the upper half of its first address.
    var bounds = IntervalBounds<UInt64>(low: 0, high: 0)

    /// The lengths of pieces of strings by which rules are filed inside them.
    static let infixLengths = [8, 4, 2, 1]
    /// Ranges of fewer bits than this lie in one or two blocks; a double's whole mantissa.
    private static let blockBitsMax = 52

    static func key(_ kind: PlaceKind, _ path: Int32, length: Int, _ hash: UInt64) -> UInt64 {
        ByteHash.mix(hash, UInt64(kind.rawValue) << 56 | UInt64(truncatingIfNeeded: length) << 32 | UInt64(UInt32(bitPattern: path)))
    }

    /// A place that is found by bytes.
    init(_ kind: PlaceKind, at path: Int32, bytes: some BidirectionalCollection<UInt8>) {
        self.kind = kind
        self.path = path
        length = bytes.count
        var hash: UInt64 = 0
        // Suffixes are read from the end.
        switch kind {
        case .suffix, .caselessSuffix: for byte in bytes.reversed() { hash = ByteHash.step(hash, byte) }
        default: for byte in bytes { hash = ByteHash.step(hash, byte) }
        }
        key = Place.key(kind, path, length: length, hash)
    }

    init(_ kind: PlaceKind, at path: Int32, length: Int = 0, hash: UInt64 = 0) {
        self.kind = kind
        self.path = path
        self.length = length
        key = Place.key(kind, path, length: length, hash)
    }

    init(_ bounds: IntervalBounds<UInt64>, at path: Int32) {
        kind = .interval
        self.path = path
        self.bounds = bounds
    }

    init(_ range: AddressRange, at path: Int32) {
        kind = .network
        self.path = path
        let first = range.numbers.lowerBound
        bounds = IntervalBounds(low: UInt64(truncatingIfNeeded: first), high: UInt64(truncatingIfNeeded: first >> 64))
        length = UInt128.bitWidth - range.network.width + range.maskBits
    }

    /// Networks only.
    var addresses: IntervalBounds<UInt128> {
        let first = UInt128(bounds.high) << 64 | UInt128(bounds.low)
        return IntervalBounds(low: first, high: first | (length == 0 ? .max : 1 << UInt128(UInt128.bitWidth - length) - 1))
    }
}

extension Place {
    /// The places where a condition may be filed, so that every value that meets it comes by at each of them.
    ///
    /// One of them has to be chosen, with all its places.
    static func choices(for condition: PatternCondition, at path: Int32) -> [[Place]] {
        switch condition {
        case .numeric(let range): blocks(for: range.bounds, at: path) + [[Place(range.bounds, at: path)]]
        case .wildcard(let wildcard): choices(for: wildcard, at: path).map { [$0] }
        case .network(let range): [[Place(range, at: path)]]
        default: [[only(for: condition, at: path)]]
        }
    }

    /// The one or two blocks in which a narrow range lies.
    private static func blocks(for bounds: IntervalBounds<UInt64>, at path: Int32) -> [[Place]] {
        guard bounds.low <= bounds.high else { return [] }
        let bits = UInt64.bitWidth - (bounds.high - bounds.low).leadingZeroBitCount
        guard bits <= blockBitsMax else { return [] }
        let ends = Set([bounds.low >> UInt64(bits), bounds.high >> UInt64(bits)])
        return [ends.map { Place(.block, at: path, length: bits, hash: $0) }]
    }

    private static func only(for condition: PatternCondition, at path: Int32) -> Place {
        switch condition {
        case .exact(.address(let address)): Place(.address, at: path, hash: address.hash)
        case .exact(let value): Place(.exact, at: path, hash: value.hash)
        case .prefix(let bytes): Place(.prefix, at: path, bytes: bytes)
        case .suffix(let bytes): Place(.suffix, at: path, bytes: bytes)
        case .ignoringCase(let text): Place(.caseless, at: path, hash: ByteHash.hash(text.folded, seed: 0))
        case .prefixIgnoringCase(let text): Place(.caselessPrefix, at: path, bytes: text.folded)
        case .suffixIgnoringCase(let text): Place(.caselessSuffix, at: path, bytes: text.folded)
        case .network(let range): Place(range, at: path)
        // These have several choices or places; any value comes by here.
        case .numeric, .wildcard: Place(.present, at: path)
        case .present, .anythingBut: Place(.present, at: path)
        case .absent: Place(.absent, at: path)
        }
    }

    private static func choices(for wildcard: Wildcard, at path: Int32) -> [Place] {
        guard let first = wildcard.literals.first, let last = wildcard.literals.last else { return [] }
        if wildcard.literals.count == 1 { return [only(for: .exact(.string(first)), at: path)] }
        var places: [Place] = []
        if !first.isEmpty { places.append(Place(.prefix, at: path, bytes: first)) }
        if !last.isEmpty { places.append(Place(.suffix, at: path, bytes: last)) }
        let middle = wildcard.literals.dropFirst().dropLast().max { $0.count < $1.count } ?? []
        if let length = infixLengths.first(where: { $0 <= middle.count }) {
            // Not every piece of a long literal: some of them spread as well.
            for start in stride(from: 0, through: middle.count - length, by: max(1, middle.count / 16)) {
                let piece = ByteHash.piece(middle.span, at: start, length: length)
                places.append(Place(.infix, at: path, length: length, hash: piece))
            }
        }
        return places.isEmpty ? [Place(.prefix, at: path, bytes: [])] : places
    }
}
