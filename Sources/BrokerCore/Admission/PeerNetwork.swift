package import NIOCore

/// Whose connects are counted together: an IPv4 address, or the /64 network of an IPv6 one, all of which one subscriber line has.
package struct PeerNetwork: Hashable, Sendable {
    private let prefix: UInt64
    private let isIPv4: Bool
    /// Whether it is this machine.
    package let isLoopback: Bool

    /// `nil` for an address that is not of the internet protocol, as of a Unix socket.
    package init?(_ address: SocketAddress?) {
        switch address {
        case .v4: self.init(ipv4: UInt32(bigEndian: Self.word(of: address, at: 4)))
        case .v6:
            self.init(high: UInt64(bigEndian: Self.word(of: address, at: 8)), low: UInt64(bigEndian: Self.word(of: address, at: 16)))
        case .unixDomainSocket, nil: return nil
        }
    }

    /// Reads from the system's form of an address: two bytes of family, two of port, then four of IPv4; or four of flow, then sixteen of IPv6.
    private static func word<Word: FixedWidthInteger & BitwiseCopyable>(of address: SocketAddress?, at offset: Int) -> Word {
        let word = unsafe address?.withSockAddr { pointer, size -> Word? in
            guard offset + MemoryLayout<Word>.size <= size else { return nil }
            return unsafe UnsafeRawPointer(pointer).loadUnaligned(fromByteOffset: offset, as: Word.self)
        }
        return (word ?? nil) ?? 0
    }

    /// Reads an address as the system writes it; `nil` for anything else.
    package init?(_ text: String) {
        self.init(try? SocketAddress(ipAddress: text, port: 0))
    }

    private init(prefix: UInt64, isIPv4: Bool, isLoopback: Bool) {
        self.prefix = prefix
        self.isIPv4 = isIPv4
        self.isLoopback = isLoopback
    }

    private init(ipv4: UInt32) {
        self.init(prefix: UInt64(ipv4), isIPv4: true, isLoopback: ipv4 >> 24 == 127)
    }

    private init(high: UInt64, low: UInt64) {
        if high == 0, low >> 32 == 0xFFFF {
            // An IPv4 client of a listener on an IPv6 address counts as what it is.
            self.init(ipv4: UInt32(truncatingIfNeeded: low))
        } else {
            self.init(prefix: high, isIPv4: false, isLoopback: high == 0 && low == 1)
        }
    }
}
