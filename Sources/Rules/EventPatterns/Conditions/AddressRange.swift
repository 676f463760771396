/// The addresses of a CIDR block.
package struct AddressRange: Sendable, Equatable {
    /// The bits behind the mask are cleared.
    let network: IPAddress
    let maskBits: Int
    /// As the pattern has it.
    let spelling: String

    /// Reads `10.0.0.0/8`; bits behind the mask may be set.
    ///
    /// - Throws: what is wrong, in the service's words.
    init(parsing text: ArraySlice<UInt8>) throws(EventPatternError) {
        spelling = String(decoding: text, as: UTF8.self)
        var parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        // The service leaves out empty pieces at the end before it counts them.
        while let last = parts.last, last.isEmpty { parts.removeLast() }
        guard parts.count == 2 else { throw .invalid("Malformed CIDR, one '/' required") }
        guard let bits = Int32(String(decoding: parts[1], as: UTF8.self)) else {
            throw .invalid("Malformed CIDR, mask bits must be an integer")
        }
        guard bits >= 0 else { throw .invalid("Malformed CIDR, mask bits must not be negative") }
        guard let address = AddressKey.address(parts[0]) else {
            throw .invalid("Nonstandard IP address: \(String(decoding: parts[0], as: UTF8.self))")
        }
        guard bits < address.width else {
            throw .invalid(address.isIPv4 ? "IPv4 mask bits must be < 32" : "IPv6 mask bits must be < 128")
        }
        maskBits = Int(bits)
        network = address.masked(to: maskBits)
    }

    func contains(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, AddressKey.mayBegin(first), let address = AddressKey.address(text) else { return false }
        return contains(address)
    }

    /// The addresses by their ``IPAddress/number``.
    ///
    /// Those of IPv4 lie in some blocks of IPv6, to which they do not belong.
    var numbers: ClosedRange<UInt128> {
        let behind = network.width - maskBits
        return network.number...(network.number | (behind == 128 ? .max : 1 << UInt128(behind) - 1))
    }

    func contains(_ address: IPAddress) -> Bool { address.isIPv4 == network.isIPv4 && address.masked(to: maskBits) == network }

    /// The address with the bits behind the first `bits` cleared.
    package static func masked(_ address: [UInt8], bits: Int) -> [UInt8] {
        var result = address
        for index in result.indices {
            let kept = min(max(bits - index * 8, 0), 8)
            result[index] &= UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
        return result
    }
}
