import Rules

/// Where the next page of a listing begins, in a form that says nothing to its caller.
///
/// It belongs to one listing: to an operation and to what a call said, but for the size of a page. A sum over these and the name tells
/// every other text from a token, also after a restart. It hides nothing and proves nothing: whoever may list may name where to begin.
struct ListingToken {
    private static let sumBytes = 8
    /// What the sum begins with.
    private let listing: UInt64

    /// - Parameter listing: the operation, then what chooses among its rows.
    init(listing: some Sequence<String>) {
        self.listing = listing.reduce(Self.sumOfNothing) { Self.sum($0, $1.utf8) }
    }

    /// The token of the page that begins with the row of this name.
    func text(at name: String) -> String {
        let sum = Self.sum(listing, name.utf8)
        let bytes = (0..<Self.sumBytes).map { UInt8(truncatingIfNeeded: sum >> (8 * UInt64($0))) } + Array(name.utf8)
        return String(decoding: Base64.encode(bytes).filter { $0 != UInt8(ascii: "=") }.map(Self.safeInAQuery), as: UTF8.self)
    }

    /// The name of the row that a page begins with; nil for a token of another listing, and for what is none.
    func name(in text: String) -> String? {
        let standard = text.utf8.map(Self.standard)
        let padding = [UInt8](repeating: UInt8(ascii: "="), count: (4 - standard.count % 4) % 4)
        guard let bytes = Base64.decode((standard + padding)[...]), bytes.count > Self.sumBytes,
            let name = String(validating: bytes[Self.sumBytes...], as: UTF8.self), self.text(at: name) == text
        else { return nil }
        return name
    }

    // MARK: - FNV-1a, each text ended by a byte that is in none

    private static let sumOfNothing: UInt64 = 0xcbf2_9ce4_8422_2325

    private static func sum(_ sum: UInt64, _ text: some Sequence<UInt8>) -> UInt64 {
        func mix(_ sum: UInt64, _ byte: UInt8) -> UInt64 { (sum ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return mix(text.reduce(sum, mix), 0xff)
    }

    // MARK: - The alphabet of Base64 that needs no escapes in a query

    private static func safeInAQuery(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: byte
        }
    }

    private static func standard(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "-"): UInt8(ascii: "+")
        case UInt8(ascii: "_"): UInt8(ascii: "/")
        default: byte
        }
    }
}

extension RequestMembers {
    /// The token of the listing that a call asks for.
    var listingToken: ListingToken { ListingToken(listing: [what] + texts(but: ["Limit", "MaxResults", "NextToken"])) }
}
