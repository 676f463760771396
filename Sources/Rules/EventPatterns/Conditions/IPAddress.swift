/// An IPv4 or IPv6 address as a number, so that blocks of addresses are ranges of numbers.
struct IPAddress: Hashable, Comparable, Sendable {
    let isIPv4: Bool
    /// The address, its last bit lowest.
    let bits: UInt128

    var width: Int { isIPv4 ? 32 : 128 }

    /// How many bits an address is written in at once.
    var groupBits: Int { isIPv4 ? 8 : 16 }

    /// 4 or 16 bytes.
    var bytes: [UInt8] {
        stride(from: width - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> UInt128($0)) }
    }

    static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.isIPv4 == right.isIPv4 ? left.bits < right.bits : left.isIPv4
    }

    /// The address with the bits behind the first `count` cleared.
    func masked(to count: Int) -> IPAddress {
        let cleared = width - count
        return IPAddress(isIPv4: isIPv4, bits: cleared >= width ? 0 : (bits >> UInt128(cleared)) << UInt128(cleared))
    }

    /// How many of the first bits two addresses have in common; none where they are of two kinds.
    func commonBits(_ other: IPAddress) -> Int {
        isIPv4 == other.isIPv4 ? (bits ^ other.bits).leadingZeroBitCount - (UInt128.bitWidth - width) : -1
    }

    /// Where the address stands in tables.
    var hash: UInt64 {
        let folded = ByteHash.mix(UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits))
        return isIPv4 ? folded : ~folded
    }
}
