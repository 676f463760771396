import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

func message(
    _ topic: String, _ payload: String, qos: QoS = .atMostOnce, packetID: UInt16 = 0, retain: Bool = false, duplicate: Bool = false
) -> Packet {
    .publish(
        Publish(
            topic: ByteBuffer(string: topic), payload: ByteBuffer(string: payload), qos: qos, retain: retain, duplicate: duplicate,
            packetID: packetID))
}

func accepted(sessionPresent: Bool = false) -> Packet { .connack(Connack(sessionPresent: sessionPresent, reasonCode: .success)) }

func will(_ topic: String, _ payload: String, qos: QoS = .atMostOnce, retain: Bool = false) -> Will {
    Will(topic: ByteBuffer(string: topic), payload: ByteBuffer(string: payload), qos: qos, retain: retain)
}

extension SimulatedBroker {
    /// A client that is connected, its CONNACK read.
    func client(
        _ name: String, at shard: Int = 0, cleanSession: Bool = true, keepAlive: UInt16 = 0, will: Will? = nil, principal: String? = nil
    ) throws -> SimulatedClient {
        let client = SimulatedClient(name, of: self)
        _ = try client.connect(at: shard, cleanSession: cleanSession, keepAlive: keepAlive, will: will, principal: principal)
        return client
    }

    /// Messages dropped on all shards, by reason.
    var dropped: [String: UInt64] {
        nodes.reduce(into: [:]) { sum, node in sum.merge(node.core.statistics().messagesDropped) { $0 + $1 } }
    }

    /// Connections closed on all shards, by reason.
    var closed: [String: UInt64] {
        nodes.reduce(into: [:]) { sum, node in sum.merge(node.core.statistics().connectionsClosed) { $0 + $1 } }
    }
}

extension SimulatedClient {
    /// Opens a connection, sends CONNECT, and answers what came back.
    func connect(
        at shard: Int = 0, cleanSession: Bool = true, keepAlive: UInt16 = 0, will: Will? = nil, principal: String? = nil
    ) throws -> [Packet] {
        open(at: shard, principal: principal)
        return try exchange(.connect(Connect(clientID: name, cleanStart: cleanSession, keepAlive: keepAlive, will: will)))
    }

    func subscribe(_ filter: String, _ qos: QoS = .atMostOnce, packetID: UInt16 = 1) throws -> [Packet] {
        try exchange(.subscribe(Subscribe(packetID: packetID, requests: [Subscribe.Request(filter: filter, qos: qos)])))
    }

    /// Sends bytes as they are, and answers the bytes that came back.
    func exchange(bytes: [UInt8], settling broker: SimulatedBroker) -> [UInt8] {
        send(ByteBuffer(bytes: bytes))
        broker.settle()
        return takeBytes()
    }

    /// Everything the broker has sent and nobody has read, as bytes.
    func takeBytes() -> [UInt8] {
        guard let socket else { return [] }
        defer { socket.toClient.clear() }
        return Array(socket.toClient.readableBytesView)
    }
}
