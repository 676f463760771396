import NIOCore

/// An IPv4 address and port, written without the system's help.
///
/// Each connection is written once, for its log lines, and `SocketAddress.ipAddress` asks the system, which was a fortieth of what it costs.
struct IPv4Peer {
    private let address: UInt32
    private let port: UInt16

    /// `nil` for an address of another family.
    init?(_ address: SocketAddress?) {
        guard case .v4 = address, let address else { return nil }
        // The system's form: two bytes of family, two of port, four of address, the latter two with their highest byte first.
        let read = unsafe address.withSockAddr { pointer, size -> (UInt16, UInt32)? in
            guard size >= 8 else { return nil }
            let bytes = unsafe UnsafeRawPointer(pointer)
            return unsafe (
                bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self), bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            )
        }
        guard let read else { return nil }
        port = UInt16(bigEndian: read.0)
        self.address = UInt32(bigEndian: read.1)
    }

    /// `address:port`.
    var text: String {
        unsafe String(unsafeUninitializedCapacity: 21) { text in  // 255.255.255.255:65535
            var count = 0
            for shift in stride(from: 24, through: 0, by: -8) {
                unsafe Self.write(Int(address >> shift & 0xFF), to: text, at: &count)
                unsafe text[count] = UInt8(ascii: shift == 0 ? ":" : ".")
                count += 1
            }
            unsafe Self.write(Int(port), to: text, at: &count)
            return count
        }
    }

    private static func write(_ number: Int, to text: UnsafeMutableBufferPointer<UInt8>, at count: inout Int) {
        var unit = 1
        while number / unit > 9 { unit *= 10 }
        while unit > 0 {
            unsafe text[count] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / unit % 10)
            count += 1
            unit /= 10
        }
    }
}
