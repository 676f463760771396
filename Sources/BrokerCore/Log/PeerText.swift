package import NIOCore

/// How logs and lists write an address.
package enum PeerText {
    /// `address:port`, or `[address]:port` for IPv6.
    package static func of(_ address: SocketAddress?) -> String {
        guard let address, let host = address.ipAddress, let port = address.port else { return "unknown" }
        return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
