/// An IPv4 or IPv6 address as a number, so that blocks of addresses are ranges of numbers.
struct IPAddress: Hashable, Sendable {
    let isIPv4: Bool
    /// The address, its last bit lowest.
    let bits: UInt128

    var width: Int { isIPv4 ? 32 : 128 }

    /// The address among those of both kinds, each IPv4 address where IPv6 has it: no other address is there.
    var number: UInt128 { isIPv4 ? 0xFFFF << 32 | bits : bits }

    /// 4 or 16 bytes.
    var bytes: [UInt8] {
        stride(from: width - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> UInt128($0)) }
    }

    /// The address with the bits behind the first `count` cleared.
    func masked(to count: Int) -> IPAddress {
        let cleared = width - count
        return IPAddress(isIPv4: isIPv4, bits: cleared >= width ? 0 : (bits >> UInt128(cleared)) << UInt128(cleared))
    }

    /// Where the address stands in tables.
    var hash: UInt64 { Self.hash(of: number) }

    static func hash(of number: UInt128) -> UInt64 {
        ByteHash.mix(UInt64(truncatingIfNeeded: number >> 64), UInt64(truncatingIfNeeded: number))
    }
}
