package import NIOCore

/// How logs and lists write an address.
package enum PeerText {
    /// `address:port`, or `[address]:port` for IPv6.
    package static func of(_ address: SocketAddress?) -> String {
        if let ipv4 = IPv4Peer(address) { return ipv4.text }
        guard let address, let host = address.ipAddress, let port = address.port else { return "unknown" }
        return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The address in such a text, without port and brackets; `nil` in "unknown".
    package static func address(of peer: String) -> String? {
        guard let colon = peer.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let host = peer[..<colon]
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
    }
}
