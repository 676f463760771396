import FoundationEssentials
package import NIOCore

/// From which of its own addresses a run connects: one address has ports for some 28,000 connections to one broker.
///
/// To a broker on 127.0.0.1 connections may come from all of 127.0.0.0/8. To any other this machine has the addresses that it has.
package struct SourceAddresses: Equatable, Sendable {
    /// Connections from one address: fewer than there are ports, because some are in use and some still wait to be free.
    package static let connectionsPerAddressMax = 20_000
    /// Addresses from 127.0.0.1 on.
    private static let addressesMax = 200

    private var addresses: [SocketAddress] = []

    /// Chooses addresses for a number of connections at once; refuses more than there are ports for.
    package init(connections: Int, broker: SocketAddress, ports: Int = Self.portCount()) throws(LoadError) {
        guard connections > Self.connectionsPerAddressMax else { return }
        guard broker.ipAddress == "127.0.0.1" else {
            guard connections <= ports else {
                throw .parameters(
                    "\(connections) connections to \(broker.ipAddress ?? "this broker") need more ports than the \(ports) that one address "
                        + "has (net.ipv4.ip_local_port_range); only to 127.0.0.1 do they come from several addresses")
            }
            return
        }
        let count = (connections + Self.connectionsPerAddressMax - 1) / Self.connectionsPerAddressMax
        guard count <= Self.addressesMax else {
            throw .parameters("at most \(Self.connectionsPerAddressMax * Self.addressesMax) connections at once")
        }
        addresses = (1...count).compactMap { try? SocketAddress(ipAddress: "127.0.0.\($0)", port: 0) }
    }

    /// The address for the connection with a number; `nil` leaves the choice to the system.
    package func address(_ number: Int) -> SocketAddress? {
        addresses.isEmpty ? nil : addresses[number / Self.connectionsPerAddressMax % addresses.count]
    }

    /// How many ports the kernel gives to outgoing connections.
    package static func portCount() -> Int {
        let text = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
        let bounds = (text ?? "").split { $0 == " " || $0 == "\t" || $0 == "\n" }.compactMap { Int($0) }
        return bounds.count == 2 && bounds[0] <= bounds[1] ? bounds[1] - bounds[0] + 1 : 28_232
    }
}
