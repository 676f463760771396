package import BrokerCore
package import MQTTCodec
package import NIOCore

/// A client that speaks packets to a ``SimulatedBroker`` over one connection after another.
package final class SimulatedClient {
    package let name: String
    package private(set) var socket: SimulatedSocket?
    private let broker: SimulatedBroker
    /// Of the last CONNECT that was sent.
    private var version = ProtocolVersion.v311
    private var unread = ByteBuffer()

    package init(_ name: String, of broker: SimulatedBroker) {
        self.name = name
        self.broker = broker
    }

    /// Whether the broker still has the connection.
    package var isConnected: Bool { socket.map { !$0.isClosed } ?? false }

    /// Opens a connection, without sending anything.
    package func open(
        at shard: Int = 0, principal: String? = nil, allowsAnonymous: Bool = true, terms: ListenerTerms = ListenerTerms(),
        network: PeerNetwork? = nil
    ) {
        let info = ConnectionInfo(
            peer: "\(name):1", listener: "simulated", allowsAnonymous: allowsAnonymous, principal: principal, terms: terms,
            network: network)
        unread = ByteBuffer()
        socket = broker.connect(at: shard, info: info)
    }

    package func send(_ packet: Packet) {
        if case .connect(let connect) = packet { version = connect.version }
        var bytes = ByteBuffer()
        packet.encode(into: &bytes, version: version)
        send(bytes)
    }

    package func send(_ bytes: ByteBuffer) {
        guard let socket else { return }
        broker.receive(bytes, from: socket)
    }

    /// The network breaks: what the broker sent and the client has not read is lost.
    package func lose() {
        guard let socket else { return }
        unread = ByteBuffer()
        socket.toClient.clear()
        broker.lose(socket)
    }

    /// Everything the broker has sent since the last call, as packets.
    package func read() throws(DecodeError) -> [Packet] {
        guard let socket else { return [] }
        unread.writeImmutableBuffer(socket.toClient)
        socket.toClient.clear()
        var packets: [Packet] = []
        while let packet = try Packet.read(from: &unread, version: version, sender: .server) { packets.append(packet) }
        return packets
    }

    /// Sends a packet, lets everything settle, and answers what came back.
    package func exchange(_ packet: Packet) throws(DecodeError) -> [Packet] {
        send(packet)
        broker.settle()
        return try read()
    }
}
